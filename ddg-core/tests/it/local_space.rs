//! Local space: a worker's own state within a run, or across runs.

use std::sync::Arc;

use ddg_core::checkpoint::MemoryStore;
use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::{Barrier, Notify};

use crate::trace::trace;

/// Counts its kickoffs in its local space; fails after counting where it is told to.
async fn count(fail: Option<bool>, cx: Context) -> Result<u32, WorkerError> {
    let kickoffs = cx.local().update("kickoffs", |kickoffs: &mut u32| {
        *kickoffs += 1;
        *kickoffs
    });
    match fail {
        Some(true) => Err(WorkerError::msg("as told")),
        _ => Ok(kickoffs),
    }
}

fn counter(options: WorkerOptions) -> GraphAutoma {
    let mut automa = GraphAutoma::new("counter");
    automa.add_func_as_worker("count", count, options.start().output()).unwrap();
    automa
}

/// [L1]
#[tokio::test]
async fn a_worker_has_a_space_of_its_own_that_lasts_for_the_run() {
    let mut automa = GraphAutoma::new("spaces");
    let a = async |cx: Context| {
        cx.ferry_to("count", ());
        cx.ferry_to("other", ());
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("count", count, start()).unwrap();
    automa.add_func_as_worker("other", count, free()).unwrap();

    // `trace` runs it twice: the second run begins with empty spaces.
    expect![[r#"
        step 1: a (start) () → null
        step 1: count (start) (null) → 1
        step 2: count (ferry by `a`) (null) → 2
        step 2: other (ferry by `a`) (null) → 1
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [L1] [N1]
#[tokio::test]
async fn each_kickoff_of_a_nested_automa_begins_with_empty_spaces() {
    let mut automa = GraphAutoma::new("outer");
    let twice = async |cx: Context| {
        cx.ferry_to("inner", ());
        cx.ferry_to("inner", ());
    };
    automa.add_func_as_worker("twice", twice, start()).unwrap();
    automa.add_worker("inner", counter(free()), free()).unwrap();

    expect![[r#"
        step 1: twice (start) () → null
        step 2: inner (ferry by `twice`) () → 1
        step 1: inner/count (start) (null) → 1
        step 2: inner (ferry by `twice`) () → 1
        step 1: inner/count (start) (null) → 1
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [L1]
#[tokio::test]
async fn values_are_set_read_removed_and_listed_by_name() {
    let mut automa = GraphAutoma::new("names");
    let a = async |cx: Context| {
        let local = cx.local();
        local.set("b", 1_i64);
        local.set("a", "text".to_owned());
        assert_eq!(local.names(), ["a", "b"]);
        assert_eq!(local.get::<i64>("b"), Some(1));
        assert!(local.remove("a"));
        assert!(!local.remove("a"));
        local.names()
    };
    automa.add_func_as_worker("a", a, start().output()).unwrap();

    assert_eq!(automa.run(()).output::<Vec<String>>().await.unwrap(), ["b"]);
}

/// [L1] [E10]
#[tokio::test]
async fn a_local_space_is_dropped_with_its_worker_and_not_inherited_by_key() {
    let mut automa = GraphAutoma::new("heir");
    let first = async |cx: Context| {
        cx.local().set("left", 7);
        cx.remove_worker("a");
        let heir = async |cx: Context| cx.local().get::<i32>("left");
        cx.add_func_as_worker("a", heir, free().output());
        cx.ferry_to("a", ());
    };
    automa.add_func_as_worker("a", first, start()).unwrap();

    assert_eq!(automa.run(()).output::<Option<i32>>().await.unwrap(), None);
}

/// [L2]
#[tokio::test]
async fn a_change_takes_effect_at_once_for_kickoffs_that_run_at_the_same_time() {
    let mut automa = GraphAutoma::new("shared");
    let fan = async |cx: Context| (0..100).for_each(|_| cx.ferry_to("count", ()));
    automa.add_func_as_worker("fan", fan, start()).unwrap();
    let count = async |cx: Context| {
        let one = || cx.local().update("n", |n: &mut u32| *n += 1);
        one();
        tokio::task::yield_now().await;
        cx.local().get::<u32>("n")
    };
    automa.add_func_as_worker("count", count, free().output()).unwrap();

    // Each has counted before any looks.
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 100);
}

/// [L2] [W1]
#[tokio::test]
async fn local_changes_of_a_failed_attempt_stay() {
    let mut automa = GraphAutoma::new("attempts");
    let third = async |cx: Context| {
        let attempt = cx.local().update("attempts", |n: &mut u32| {
            *n += 1;
            *n
        });
        if attempt < 3 { Err(WorkerError::msg("not yet")) } else { Ok(attempt) }
    };
    automa.add_func_as_worker("third", third, start().output().retry(Retry::times(5))).unwrap();

    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}

/// [L3]
#[tokio::test]
async fn kept_spaces_continue_from_the_last_run_that_ended() {
    let mut automa = counter(free());
    automa.keep_local_spaces();

    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2);
    expect!["automa `counter`, step 1: worker `count` failed: as told"]
        .assert_eq(&automa.run(args!(true)).output::<u32>().await.unwrap_err().to_string());
    drop(automa.run(args!(false)).spawn());
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}

/// [L3]
#[tokio::test]
async fn stopped_and_cancelled_runs_are_distinguished() {
    let mut automa = GraphAutoma::new("kept");
    automa.keep_local_spaces();
    automa.add_func_as_worker("count", count, start().output()).unwrap();
    let gate = Arc::new(Notify::new());
    let reached = Arc::new(Notify::new());
    let wait = {
        let (gate, reached) = (Arc::clone(&gate), Arc::clone(&reached));
        move || {
            let (gate, reached) = (Arc::clone(&gate), Arc::clone(&reached));
            async move {
                reached.notify_one();
                gate.notified().await;
            }
        }
    };
    automa.add_func_as_worker("wait", wait, after(["count"]).suppressed()).unwrap();
    automa.add_func_as_worker("next", async || (), after(["wait"])).unwrap();

    let cancelled = automa.run(()).spawn();
    reached.notified().await;
    cancelled.cancel();
    expect!["automa `kept`: cancelled"].assert_eq(&cancelled.await.unwrap_err().to_string());

    let stopped = automa.run(()).spawn();
    reached.notified().await;
    stopped.stop();
    gate.notify_one();
    let stopped = stopped.await.unwrap();
    assert!(stopped.stopped());
    assert_eq!(stopped.output().get::<u32>().unwrap(), 1, "the cancelled run has left nothing");

    gate.notify_one();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2, "the stopped run has been kept");
}

/// [L3] [R2]
#[tokio::test]
async fn concurrent_runs_begin_with_the_same_kept_spaces_and_do_not_see_each_other() {
    let mut automa = counter(free());
    automa.keep_local_spaces();
    let all_have_counted = Arc::new(Barrier::new(3));
    let meet = {
        let all_have_counted = Arc::clone(&all_have_counted);
        move || {
            let all_have_counted = Arc::clone(&all_have_counted);
            async move { _ = all_have_counted.wait().await }
        }
    };
    automa.add_func_as_worker("meet", meet, after(["count"]).suppressed()).unwrap();

    for expected in [1, 2] {
        let runs = [automa.run(()).spawn(), automa.run(()).spawn(), automa.run(()).spawn()];
        for run in runs {
            assert_eq!(run.output::<u32>().await.unwrap(), expected);
        }
    }
}

/// [L3]
#[tokio::test]
async fn a_clone_of_an_automa_keeps_spaces_of_its_own() {
    for ran_before in [false, true] {
        let mut automa = counter(free());
        automa.keep_local_spaces();
        if ran_before {
            assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
        }
        let clone = automa.clone();
        clone.run(()).output::<u32>().await.unwrap();
        let next = automa.run(()).output::<u32>().await.unwrap();
        assert_eq!(next, 1 + u32::from(ran_before), "ran before: {ran_before}");
    }
}

/// [L3]
#[tokio::test]
async fn changing_an_automa_between_runs_loses_no_kept_space() {
    let mut automa = counter(free());
    automa.keep_local_spaces();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
    automa.add_func_as_worker("more", async || (), free()).unwrap();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2);
}

/// A nested automa that counts its kickoffs and keeps its spaces; `fail` fails the outer run.
fn counts_within(inner_kickoffs: u32) -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    let count = async |cx: Context| {
        cx.local().update("n", |n: &mut u32| {
            *n += 1;
            *n
        })
    };
    inner.add_func_as_worker("n", count, start().output()).unwrap();
    inner.keep_local_spaces();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, start().output()).unwrap();
    let end = move |fail: bool, cx: Context| async move {
        let seen = cx.local().update("seen", |seen: &mut u32| {
            *seen += 1;
            *seen
        });
        if fail {
            return Err(WorkerError::msg("no"));
        }
        if seen < inner_kickoffs {
            cx.ferry_to("inner", ());
        }
        Ok(())
    };
    let options = after(["inner"]).suppressed().params(["fail"]);
    outer.add_func_as_worker("end", end, options).unwrap();
    outer
}

/// [R3] [L3]
#[tokio::test]
async fn a_nested_automa_keeps_nothing_of_an_outer_run_that_failed() {
    let outer = counts_within(1);
    let failed = outer.run(args!(fail = true)).output::<u32>().await.unwrap_err();
    expect!["automa `outer`, step 2: worker `end` failed: no"].assert_eq(&failed.to_string());
    assert_eq!(outer.run(args!(fail = false)).output::<u32>().await.unwrap(), 1);
    assert_eq!(outer.run(args!(fail = false)).output::<u32>().await.unwrap(), 2);
}

/// [L1] [L3]
#[tokio::test]
async fn a_nested_automa_keeps_its_spaces_from_kickoff_to_kickoff_of_a_run() {
    let outer = counts_within(3);
    assert_eq!(outer.run(args!(fail = false)).output::<u32>().await.unwrap(), 3);
    assert_eq!(outer.run(args!(fail = false)).output::<u32>().await.unwrap(), 6);
}

/// [L3]
#[tokio::test]
async fn a_nested_automa_keeps_its_spaces_when_its_run_is_stopped_saved_and_resumed() {
    let outer = counts_within(3);
    let outcome = loop_with_saves(&outer).await;
    assert_eq!(outcome.into_output::<u32>().unwrap(), 3);
    assert_eq!(outer.run(args!(fail = false)).output::<u32>().await.unwrap(), 6);
}

/// Stops after every step, and resumes from JSON.
async fn loop_with_saves(automa: &GraphAutoma) -> Outcome {
    let run = automa.run(args!(fail = false)).spawn();
    run.stop();
    let mut outcome = run.await.unwrap();
    while outcome.stopped() {
        let json = serde_json::to_string(&outcome.snapshot().unwrap()).unwrap();
        let run = automa.resume(serde_json::from_str(&json).unwrap()).spawn();
        run.stop();
        let next = run.await.unwrap();
        // A stop before the first step takes none.
        outcome = if next.steps() == outcome.steps() {
            automa.resume(serde_json::from_str(&json).unwrap()).await.unwrap()
        } else {
            next
        };
    }
    outcome
}

/// [R3] [L3]
#[tokio::test]
async fn a_nested_automa_keeps_nothing_of_an_outer_run_that_was_cancelled_or_dropped() {
    let mut outer = counts_within(1);
    let counted = Arc::new(Notify::new());
    let waits = async |counted: &Arc<Notify>, for_ever: bool| {
        counted.notify_one();
        if for_ever {
            std::future::pending::<()>().await;
        }
    };
    let options = after(["inner"]).suppressed().params(["for_ever"]);
    outer.add_func_as_worker("waits", with(Arc::clone(&counted), waits), options).unwrap();
    let run = |for_ever: bool| outer.run(args!(fail = false, for_ever = for_ever));

    let cancelled = run(true).spawn();
    counted.notified().await;
    cancelled.cancel();
    assert!(matches!(cancelled.await, Err(RunError::Cancelled { .. })));
    let dropped = run(true).spawn();
    counted.notified().await;
    drop(dropped);
    assert_eq!(run(false).output::<u32>().await.unwrap(), 1);
    assert_eq!(run(false).output::<u32>().await.unwrap(), 2);
}

/// [L3] [X5] [X9]
#[tokio::test]
async fn a_nested_automa_keeps_its_spaces_when_its_run_is_stored_and_continues() {
    let mut outer = counts_within(3);
    outer.add_callback(StopAfter("end"));
    let store = MemoryStore::new();
    let run = |id: &str| outer.run(args!(fail = false)).stored_in(&store, id);
    for n_before in [0, 3] {
        let id = format!("after {n_before}");
        for _ in 0..2 {
            assert!(run(id.as_str()).await.unwrap().stopped());
        }
        assert_eq!(run(id.as_str()).output::<u32>().await.unwrap(), n_before + 3);
        // What has ended is only read.
        assert_eq!(run(id.as_str()).output::<u32>().await.unwrap(), n_before + 3);
    }
}

/// Stops the run after a step of this worker.
struct StopAfter(&'static str);

impl Callback for StopAfter {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        if cx.key().as_str() == self.0 {
            cx.stop();
        }
        Ok(())
    }
}

/// [L3] Of two runs at a time the one that ends last is kept.
#[tokio::test]
async fn of_two_runs_that_overlap_the_one_that_ends_last_is_kept() {
    let mut automa = GraphAutoma::new("names");
    let gates = Arc::new([tokio::sync::Semaphore::new(0), tokio::sync::Semaphore::new(0)]);
    let inside = Arc::clone(&gates);
    let work = move |me: usize, cx: Context| {
        let gates = Arc::clone(&inside);
        async move {
            let before: Option<usize> = cx.local().get("who");
            cx.local().set("who", me);
            if me < 2 {
                gates[me].acquire().await.unwrap().forget();
            }
            before
        }
    };
    automa.add_func_as_worker("work", work, start().output()).unwrap();
    automa.keep_local_spaces();
    let (first, second) = (automa.run(args!(0)).spawn(), automa.run(args!(1)).spawn());
    gates[1].add_permits(1);
    second.await.unwrap();
    gates[0].add_permits(1);
    first.await.unwrap();
    let before = automa.run(args!(2)).output::<Option<usize>>().await.unwrap();
    assert_eq!(before, Some(0));
}

/// What a worker does with its local space, in an automa that keeps it.
fn keeping(
    work: impl Fn(&Context) + Clone + Send + Sync + 'static,
    options: WorkerOptions,
) -> GraphAutoma {
    let mut automa = GraphAutoma::new("keeping");
    let work = move |cx: Context| work(&cx);
    automa.add_func_as_worker("work", work, options.inline()).unwrap();
    automa.keep_local_spaces();
    automa
}

/// [L4]
#[tokio::test]
async fn a_value_of_another_type_is_left_alone_and_ends_the_execution() {
    let read = |cx: &Context| assert_eq!(cx.local().get::<Vec<u32>>("n"), None);
    let update = |cx: &Context| {
        let seen = cx.local().update("n", |n: &mut Vec<u32>| {
            n.push(1);
            n.len()
        });
        assert_eq!(seen, 1, "what it is given is dropped");
    };
    type Work = fn(&Context);
    for work in [read as Work, update as Work] {
        for options in [start(), start().retry(Retry::times(1))] {
            let mut automa = keeping(|cx| cx.local().set("n", "seven".to_owned()), start());
            automa.run(()).await.unwrap();
            let work = move |cx: Context| work(&cx);
            automa.override_func_as_worker("work", work, options.inline()).unwrap();
            let error = automa.run(()).await.unwrap_err();
            expect!["automa `keeping`, step 1: worker `work` failed: local value `n`: expected `Vec<u32>`, found `String`; it was not changed: ask for its own type, or `remove` it first"].assert_eq(&error.to_string());
            let look = |cx: Context| cx.local().get::<String>("n");
            automa.override_func_as_worker("work", look, start().inline().output()).unwrap();
            let kept = automa.run(()).output::<Option<String>>().await.unwrap();
            assert_eq!(kept.as_deref(), Some("seven"));
        }
    }
}

/// [L4]
#[tokio::test]
async fn a_worker_can_look_what_type_a_value_has() {
    let work = |cx: &Context| {
        let local = cx.local();
        assert_eq!(local.try_get::<u32>("n").unwrap(), None);
        assert_eq!(local.try_update("n", |n: &mut u32| *n += 1), Ok(()));
        assert_eq!(local.try_get::<u32>("n").unwrap(), Some(1));
        let mismatch = local.try_get::<String>("n").unwrap_err();
        assert_eq!(mismatch.name, "n");
        let change = |_: &mut String| panic!("it is not called");
        assert_eq!(local.try_update("n", change).unwrap_err(), mismatch);
        assert_eq!(local.get::<u32>("n"), Some(1));
        local.set("n", "one".to_owned());
        assert_eq!(local.get::<String>("n").as_deref(), Some("one"));
    };
    keeping(work, start()).run(()).await.unwrap();
}
