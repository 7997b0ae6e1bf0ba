//! A step that is held back by a question or a stop: later edits count as if they had come in time.

use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointPolicy, MemoryStore};
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use tokio::sync::Semaphore;

use crate::trace::add;

/// Answers all questions of a paused run, in the order that `order` puts them, in one go.
fn answer_all(outcome: &Outcome, order: impl Fn(&mut Vec<String>)) -> Snapshot {
    let mut ids: Vec<_> = outcome.questions().into_iter().map(|question| question.id).collect();
    order(&mut ids);
    let mut snapshot = outcome.snapshot().unwrap();
    for id in ids {
        snapshot.answer(&id, true).unwrap();
    }
    // Through JSON, as another process would read it.
    serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap()
}

async fn ask(cx: &Context) -> Result<bool, WorkerError> {
    Ok(cx.interact_with_human("Go on?".to_owned())?)
}

/// `p` and `ask` start, `c` runs after `p`; `ask` asks, then does `edit`.
fn waiting_for_an_answer(edit: fn(&Context)) -> GraphAutoma {
    let mut automa = GraphAutoma::new("held");
    automa.add_func_as_worker("p", async || 1, start()).unwrap();
    automa.add_func_as_worker("q", async || {}, free()).unwrap();
    automa.add_func_as_worker("c", async |x: i32| x, after(["p"]).output()).unwrap();
    let asks = move |cx: Context| async move {
        ask(&cx).await?;
        edit(&cx);
        Ok::<_, WorkerError>(())
    };
    automa.add_func_as_worker("ask", asks, start()).unwrap();
    automa
}

/// [Q3] [Q12] [E6]
#[tokio::test]
async fn a_ready_worker_that_is_removed_while_a_question_is_pending_does_not_run() {
    let automa = waiting_for_an_answer(|cx| cx.remove_worker("c"));
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert!(resumed.output().is_null());
    assert_eq!(resumed.steps(), 1);
}

/// [Q3] [Q12] [E9]
#[tokio::test]
async fn a_ready_worker_waits_again_for_a_dependency_that_is_added_while_a_question_is_pending() {
    let automa = waiting_for_an_answer(|cx| {
        cx.remove_worker("c");
        cx.add_func_as_worker("c", ddg_core::Key::from("d"), after(["p", "q"]).output());
    });
    let mut automa = automa;
    automa.declare_func("d", async |x: i32, y: i32| x + y, free()).unwrap();
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert!(resumed.output().is_null());

    let automa = waiting_for_an_answer(|cx| {
        cx.add_dependency("ask", "q");
        cx.remove_dependency("c", "p");
        cx.add_dependency("c", "q");
    });
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert!(resumed.output().is_null());
    assert_eq!(resumed.waiting()[0].to_string(), "`c` (for `q`)");
}

/// [Q3] [Q12] [E7]
#[tokio::test]
async fn a_ready_worker_does_not_run_after_its_only_dependency_is_removed() {
    let automa = waiting_for_an_answer(|cx| cx.remove_dependency("c", "p"));
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert!(resumed.output().is_null());
    assert_eq!(resumed.steps(), 1);
}

/// [Q3] [Q12] [Q5] [E6]
#[tokio::test]
async fn an_edit_of_the_first_answered_waits_for_the_others() {
    let mut automa = waiting_for_an_answer(|cx| cx.remove_worker("c"));
    automa.add_func_as_worker("other", async |cx: Context| ask(&cx).await, start()).unwrap();
    let paused = automa.run(()).await.unwrap();
    for first in [0, 1] {
        let mut snapshot = paused.snapshot().unwrap();
        snapshot.answer(&paused.questions()[first].id, true).unwrap();
        let again = automa.resume(snapshot).await.unwrap();
        assert_eq!(again.questions().len(), 1);
        let resumed = automa.resume(answer_all(&again, |_| {})).await.unwrap();
        assert!(resumed.output().is_null());
        assert_eq!(resumed.steps(), 1);
    }
}

/// [X3] [X4] [E6] [Q12]
#[tokio::test]
async fn a_ready_worker_that_is_removed_while_a_stop_waits_is_gone() {
    let gate = Arc::new(Semaphore::new(0));
    let key = Arc::clone(&gate);
    let mut automa = GraphAutoma::new("stops");
    automa
        .add_func_as_worker(
            "s",
            async |cx: Context| {
                cx.stop();
                cx.ferry_to("t", ());
            },
            start(),
        )
        .unwrap();
    automa
        .add_func_as_worker(
            "open",
            move |cx: Context| {
                key.add_permits(1);
                cx.remove_worker("u");
            },
            start().inline(),
        )
        .unwrap();
    let slow = move |cx: Context| {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            tokio::task::yield_now().await;
            cx.remove_worker("t");
        }
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    automa.add_func_as_worker("t", async || 1, free().output()).unwrap();
    automa.add_func_as_worker("u", async || (), free()).unwrap();
    automa.set_pace(Pace::Rolling);
    let stopped = automa.run(()).await.unwrap();
    let resumed = automa.resume(stopped.snapshot().unwrap()).await.unwrap();
    assert!(!resumed.automa().contains("t"));
    assert!(resumed.output().is_null());
}

/// A worker is ferried to with 1, 2 and 3, asks in each kickoff, and gives its argument.
fn asked_three_times() -> GraphAutoma {
    let mut automa = GraphAutoma::new("three");
    automa
        .add_func_as_worker(
            "begin",
            async |cx: Context| {
                (1..=3).for_each(|x| cx.ferry_to("ask", (x,)));
            },
            start(),
        )
        .unwrap();
    let asks = async |x: i32, cx: Context| -> Result<i32, WorkerError> {
        ask(&cx).await?;
        Ok(x)
    };
    automa.add_func_as_worker("ask", asks, free().output()).unwrap();
    automa
}

/// [F4] [Q5]
#[tokio::test]
async fn the_last_kickoff_in_order_gives_the_output_in_whatever_order_people_answer() {
    let automa = asked_three_times();
    let paused = automa.run(()).await.unwrap();
    for order in [[0, 1, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
        let ids: Vec<_> = paused.questions().into_iter().map(|question| question.id).collect();
        let mut snapshot = paused.snapshot().unwrap();
        for (n, place) in order.into_iter().enumerate() {
            snapshot.answer(&ids[place], true).unwrap();
            let outcome = automa.resume(snapshot).await.unwrap();
            if n == 2 {
                assert_eq!(outcome.into_output::<i32>().unwrap(), 3);
                break;
            }
            let json = serde_json::to_string(&outcome.snapshot().unwrap()).unwrap();
            snapshot = serde_json::from_str(&json).unwrap();
        }
    }
    let at_once = automa.resume(answer_all(&paused, |ids| ids.reverse())).await.unwrap();
    assert_eq!(at_once.into_output::<i32>().unwrap(), 3);
}

/// [F4] [Q1]
#[tokio::test]
async fn a_kickoff_that_asked_does_not_replace_the_output_of_a_later_one() {
    let mut automa = GraphAutoma::new("two");
    automa
        .add_func_as_worker(
            "begin",
            async |cx: Context| {
                cx.ferry_to("ask", (1,));
                cx.ferry_to("ask", (2,));
            },
            start(),
        )
        .unwrap();
    let asks = async |x: i32, cx: Context| -> Result<i32, WorkerError> {
        if x == 1 {
            ask(&cx).await?;
        }
        Ok(x)
    };
    automa.add_func_as_worker("ask", asks, free().output()).unwrap();
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert_eq!(resumed.into_output::<i32>().unwrap(), 2);
}

/// [Q12] [E4]
#[tokio::test]
async fn a_worker_that_the_answered_one_adds_is_triggered_by_a_peer_that_ended_before() {
    let mut automa = waiting_for_an_answer(|cx| {
        cx.add_func_as_worker("new", ddg_core::Key::from("double"), after(["p"]));
        cx.remove_dependency("c", "p");
        cx.add_dependency("c", "p");
    });
    automa.declare_func("double", async |x: i32| 2 * x, free()).unwrap();
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert_eq!(resumed.automa().output("new").unwrap().get::<i32>().unwrap(), 2);
    assert_eq!(resumed.into_output::<i32>().unwrap(), 1);
}

/// `deal` starts and deals two numbers to `left` and `right`; `ask` asks, then does `edit`.
fn dealing(edit: fn(&Context)) -> GraphAutoma {
    let mut automa = waiting_for_an_answer(edit);
    automa.declare_func("same", async |x: i32| x, free()).unwrap();
    automa.add_func_as_worker("deal", async || vec![1, 2], start().in_order()).unwrap();
    for key in ["left", "right"] {
        automa.add_func_as_worker(key, async |x: i32| x, after(["deal"])).unwrap();
    }
    automa
}

/// [Q12] [A7]
#[tokio::test]
async fn a_list_is_scattered_over_the_successors_that_the_answered_worker_leaves() {
    let automa = dealing(|cx| {
        cx.remove_worker("left");
        cx.add_func_as_worker("third", ddg_core::Key::from("same"), after(["deal"]));
    });
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    let output = |key: &str| resumed.automa().output(key).unwrap().get::<i32>().unwrap();
    assert_eq!((output("right"), output("third")), (1, 2));

    let automa = dealing(|cx| cx.remove_worker("left"));
    let paused = automa.run(()).await.unwrap();
    let error = automa.resume(answer_all(&paused, |_| {})).await.unwrap_err();
    let RunError::Step(error) = error else { panic!("{error}") };
    assert!(error.failures[0].to_string().contains("deal"), "{error}");
    assert_eq!(error.failures.len(), 1);
}

/// [Q2] [S14]
#[tokio::test]
async fn at_a_rolling_pace_an_answered_worker_runs_again_in_the_step_that_it_began_in() {
    let mut automa = GraphAutoma::new("rolling");
    add(&mut automa, "quick", start());
    add(&mut automa, "next", after(["quick"]));
    let asks = async |cx: Context| -> Result<u64, WorkerError> {
        ask(&cx).await?;
        Ok(cx.step())
    };
    automa.add_func_as_worker("asks", asks, start().output()).unwrap();
    // `quick` settles alone, and `asks` asks when `next` has ended.
    let mut n_choices = 0;
    let choose = |_: &[ddg_core::run::Kickoff]| {
        n_choices += 1;
        [0, usize::MAX, 1][(n_choices - 1) % 3]
    };
    let paused = automa.run(()).pace(Pace::Rolling).simulate(choose).await.unwrap();
    assert_eq!(paused.steps(), 2);
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert_eq!(resumed.into_output::<u64>().unwrap(), 1);
}

/// [Q3] [Q2]
#[tokio::test]
async fn ready_workers_wait_until_an_answered_worker_has_ended() {
    let mut automa = GraphAutoma::new("slow");
    let jump = async |cx: Context| cx.ferry_to("look", ());
    automa.add_func_as_worker("jump", jump, start()).unwrap();
    let asks = async |cx: Context| -> Result<i32, WorkerError> {
        ask(&cx).await?;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        Ok(1)
    };
    automa.add_func_as_worker("asks", asks, start()).unwrap();
    let look = async |cx: Context| cx.automa().output("asks").is_some();
    automa.add_func_as_worker("look", look, free().output()).unwrap();
    let paused = automa.run(()).await.unwrap();
    let resumed = automa.resume(answer_all(&paused, |_| {})).await.unwrap();
    assert!(resumed.into_output::<bool>().unwrap());
}

/// [Q11] [X9] The state after a step whose only worker that asked was removed has the workers that
/// run next, so that their results can be written.
#[tokio::test]
async fn results_are_written_after_the_worker_that_asked_was_removed() {
    let mut automa = GraphAutoma::new("removed");
    automa.add_func_as_worker("asks", async |cx: Context| ask(&cx).await, start()).unwrap();
    let removes = async |cx: Context| cx.remove_worker("asks");
    automa.add_func_as_worker("removes", removes, start()).unwrap();
    let quick = async || {
        tokio::task::yield_now().await;
        1
    };
    automa.add_func_as_worker("quick", quick, after(["removes"]).output()).unwrap();
    let slow = async || {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    };
    automa.add_func_as_worker("slow", slow, after(["removes"])).unwrap();
    let run = automa.run(()).stored_in(&MemoryStore::new(), "a");
    let run = run.checkpoints(CheckpointPolicy::EveryWorker);
    assert_eq!(run.output::<i32>().await.unwrap(), 1);
}
