//! Runs in a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ddg_core::checkpoint::{
    CheckpointPolicy, CheckpointStore, Claim, MemoryStore, RunId, RunStatus, StoreError, StoredRuns,
};
use ddg_core::prelude::*;
use expect_test::expect;
use tokio::sync::Notify;

/// Counts by jumping to itself up to `last`; fails once at `fails_at`.
fn counter(last: u64, fails_at: Option<u64>) -> (GraphAutoma, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let mut automa = GraphAutoma::new("counter");
    let count = move |x: u64, cx: Context| {
        let call = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            cx.local().update("sum", |sum: &mut u64| *sum += x);
            if Some(x) == fails_at && call == x {
                return Err(WorkerError::msg("the power is out"));
            }
            if x < last {
                cx.ferry_to("count", (x + 1,));
            } else {
                cx.ferry_to("end", (x,));
            }
            Ok(x)
        }
    };
    automa.add_func_as_worker("count", count, start()).unwrap();
    automa.add_func_as_worker("end", async |x: u64| x, free().output()).unwrap();
    (automa, calls)
}

async fn status(store: &MemoryStore, run: &str) -> (RunStatus, Option<u64>) {
    let record = store.find(&RunId::new(run).unwrap()).await.unwrap();
    (record.status, record.step)
}

/// [X5]
#[tokio::test]
async fn a_failed_run_resumes_from_its_last_step() {
    let (automa, calls) = counter(100, Some(50));
    let store = MemoryStore::new();
    let error = automa.run(args!(0)).stored_in(&store, "a").await.unwrap_err();
    expect!["automa `counter`, step 51: worker `count` failed: the power is out"]
        .assert_eq(&error.to_string());
    assert_eq!(status(&store, "a").await, (RunStatus::Failed, Some(50)));

    let outcome = automa.run(()).stored_in(&store, "a").await.unwrap();
    assert_eq!(outcome.steps(), 102);
    assert_eq!(outcome.into_output::<u64>().unwrap(), 100);
    assert_eq!(calls.load(Ordering::Relaxed), 102);
    assert_eq!(status(&store, "a").await, (RunStatus::Finished, Some(102)));

    // It has ended: nothing runs again.
    assert_eq!(
        automa.run(()).stored_in(&store, "a").await.unwrap().into_output::<u64>().unwrap(),
        100
    );
    assert_eq!(calls.load(Ordering::Relaxed), 102);
}

/// [X5] Every step can be read, forked, and gone on from.
#[tokio::test]
async fn a_run_can_be_looked_at_and_forked_at_every_step() {
    let (automa, _) = counter(150, None);
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    automa.run(args!(0)).stored_in(&store, "a").await.unwrap();
    let steps = store.steps(&RunId::new("a").unwrap()).await.unwrap();
    assert_eq!(steps.len(), 153);
    for step in 1..=151 {
        let snapshot = runs.snapshot_at("a", step).await.unwrap();
        assert_eq!(snapshot.step(), step);
        assert_eq!(snapshot.output("count").unwrap().get::<u64>().unwrap(), step - 1);
    }
    runs.fork("a", 140, "b").await.unwrap();
    let outcome = automa.run(()).stored_in(&store, "b").await.unwrap();
    assert_eq!(outcome.into_output::<u64>().unwrap(), 150);
    assert!(matches!(
        runs.fork("a", 999, "c").await,
        Err(RunError::Store(StoreError::UnknownStep { .. }))
    ));
}

/// [X5] The output of a step can be changed before the run is resumed.
#[tokio::test]
async fn an_output_can_be_changed_before_the_run_resumes() {
    let mut automa = GraphAutoma::new("edit");
    automa.add_func_as_worker("a", async || 1_u64, start()).unwrap();
    automa.add_func_as_worker("b", async |x: u64| x * 10, after(["a"]).output()).unwrap();
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    automa.run(()).stored_in(&store, "a").await.unwrap();
    runs.fork("a", 1, "b").await.unwrap();
    let change = |snapshot: &mut ddg_core::snapshot::Snapshot| {
        assert!(snapshot.set_output("a", 7_u64) && !snapshot.set_output("x", 7_u64));
        Ok(())
    };
    runs.edit("b", change).await.unwrap();
    assert_eq!(
        automa.run(()).stored_in(&store, "b").await.unwrap().into_output::<u64>().unwrap(),
        70
    );
    assert_eq!(
        automa.run(()).stored_in(&store, "a").await.unwrap().into_output::<u64>().unwrap(),
        10
    );
}

/// [X5] Looking at a run that has ended, and changing something in it, lets nobody take it for one that
/// waits.
#[tokio::test]
async fn a_run_that_has_ended_has_ended_also_when_it_is_changed() {
    let (automa, _) = counter(3, None);
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    automa.run(args!(0)).stored_in(&store, "a").await.unwrap();
    let status = async || store.find(&RunId::new("a").unwrap()).await.unwrap().status;
    assert_eq!(status().await, RunStatus::Finished);
    runs.edit("a", |_| Ok(())).await.unwrap();
    assert_eq!(status().await, RunStatus::Finished);
    let change = |snapshot: &mut ddg_core::snapshot::Snapshot| {
        assert!(snapshot.set_output("count", 9_u64));
        Ok(())
    };
    runs.edit("a", change).await.unwrap();
    assert_eq!(status().await, RunStatus::Finished);
}

/// [X5] [X6]
#[tokio::test]
async fn two_processes_cannot_continue_one_run() {
    let mut automa = GraphAutoma::new("one");
    automa.add_func_as_worker("wait", std::future::pending::<()>, start()).unwrap();
    let store = MemoryStore::new();
    let running = automa.run(()).stored_in(&store, "a").outcome();
    let mut running = std::pin::pin!(running);
    assert!(futures::poll!(running.as_mut()).is_pending());
    let refused = automa.run(()).stored_in(&store, "a").await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::Held { .. })), "{refused}");
}

/// [X5]
#[tokio::test]
async fn on_pause_only_the_begin_and_the_end_are_written() {
    let (automa, _) = counter(20, None);
    let store = MemoryStore::new();
    let run = automa.run(args!(0)).stored_in(&store, "a");
    run.checkpoints(CheckpointPolicy::OnPause).await.unwrap();
    let steps = store.steps(&RunId::new("a").unwrap()).await.unwrap();
    let steps: Vec<_> = steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [0, 22]);
}

/// [X5] [Q2]
#[tokio::test]
async fn a_question_is_answered_in_the_store() {
    let mut automa = GraphAutoma::new("ask");
    let ask = async |cx: Context| -> Result<u32, WorkerError> {
        let a: u32 = cx.interact_with_human("a".to_owned())?;
        let b: u32 = cx.interact_with_human("b".to_owned())?;
        Ok(a * b)
    };
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    for answer in [6, 7] {
        let paused = automa.run(()).stored_in(&store, "a").await.unwrap();
        assert_eq!(status(&store, "a").await.0, RunStatus::Paused);
        runs.answer("a", &paused.questions()[0].id, answer).await.unwrap();
    }
    let outcome = automa.run(()).stored_in(&store, "a").await.unwrap();
    assert_eq!(outcome.into_output::<u32>().unwrap(), 42);
    let late = runs.answer("a", "ask#0.1", 1).await.unwrap_err();
    expect!["question `ask#0.1` cannot be answered: the run is not paused and asks no question"]
        .assert_eq(&late.to_string());
}

/// [X9] [Q2] The states that ask stay, so that a fork of one can be answered otherwise.
#[tokio::test]
async fn an_answer_is_a_state_of_its_own() {
    let mut automa = GraphAutoma::new("ask");
    let ask = async |cx: Context| cx.interact_with_human::<u32>("how many?".to_owned());
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    let double = async |n: u32| 2 * n;
    automa.add_func_as_worker("double", double, after(["ask"]).output()).unwrap();
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    let paused = automa.run(()).stored_in(&store, "a").await.unwrap();
    // Running it again without an answer adds nothing.
    assert!(automa.run(()).stored_in(&store, "a").await.unwrap().is_paused());
    runs.answer("a", &paused.questions()[0].id, 6_u32).await.unwrap();
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap(), 12);

    let mut states = Vec::new();
    for state in runs.history("a").await.unwrap() {
        let snapshot = runs.snapshot_at("a", state.step).await.unwrap();
        let is_answered = snapshot.questions().is_empty();
        states.push((state.step, snapshot.step(), is_answered));
    }
    let expected = [(0, 0, true), (1, 1, false), (2, 1, true), (3, 1, true), (4, 2, true)];
    assert_eq!(states, expected);

    runs.fork("a", 1, "b").await.unwrap();
    runs.answer("b", "ask#0.1", 7_u32).await.unwrap();
    assert_eq!(automa.run(()).stored_in(&store, "b").output::<u32>().await.unwrap(), 14);
}

/// [X5] What changes is what is written, not the graph.
#[tokio::test]
async fn a_step_is_as_large_as_what_it_changes() {
    let mut automa = GraphAutoma::new("large");
    for place in 0..2000 {
        let options = if place == 0 { start() } else { free() };
        let work = async |x: u64, cx: Context| {
            if x < 20 {
                cx.ferry_to("0", (x + 1,));
            }
        };
        automa.add_func_as_worker(place.to_string(), work, options).unwrap();
    }
    let store = MemoryStore::new();
    automa.run(args!(0)).stored_in(&store, "a").await.unwrap();
    let steps = store.steps(&RunId::new("a").unwrap()).await.unwrap();
    assert!(steps.iter().all(|step| step.n_bytes < 1000), "{steps:?}");
}

/// [X5] Only the changes of a step are written and checked; a value that cannot be written is still
/// found and named.
#[tokio::test]
async fn values_that_cannot_be_read_again_are_not_written() {
    let mut automa = GraphAutoma::new("deep");
    let ferry = async |cx: Context| {
        let deep = (0..200).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        cx.ferry_to("b", args!(deep));
    };
    automa.add_func_as_worker("a", ferry, start()).unwrap();
    automa.add_func_as_worker("b", async |_: Value| 1, free()).unwrap();
    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    let error = automa.run(()).stored_in(&store, "a").await.unwrap_err();
    expect!["automa `deep`: worker `b`: an argument it is to be called with: `JSON array` cannot be written as JSON: it is nested more than 100 levels deep; keep it as a list of its parts"].assert_eq(&error.to_string());
    assert_eq!(runs.snapshot("a").await.unwrap().step(), 0);
}

/// [X9]: a worker that has ended may have handed its context on.
#[tokio::test(start_paused = true)]
async fn a_local_space_that_changes_after_its_worker_has_ended_is_written() {
    let mut g = GraphAutoma::new("g");
    let handed = Arc::new(std::sync::Mutex::new(None::<Context>));
    let kept = Arc::clone(&handed);
    let keep = move |cx: Context| {
        let kept = Arc::clone(&kept);
        async move {
            cx.local().set("early", 1_u64);
            *kept.lock().unwrap() = Some(cx);
        }
    };
    g.add_func_as_worker("keep", keep, start()).unwrap();
    g.add_func_as_worker("pass", async || {}, after(["keep"])).unwrap();
    let late = move || {
        let handed = Arc::clone(&handed);
        async move {
            let cx = handed.lock().unwrap().take().unwrap();
            cx.local().set("late", 2_u64);
        }
    };
    g.add_func_as_worker("write", late, after(["pass"])).unwrap();
    g.add_func_as_worker("hang", std::future::pending::<()>, after(["write"])).unwrap();
    let store = MemoryStore::new();
    let run = g.run(()).stored_in(&store, "run").spawn();
    let mut run = std::pin::pin!(run);
    // The clock moves when the last worker hangs.
    let second = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(second, run.as_mut()).await.is_err());
    run.cancel();
    assert!(run.await.is_err());
    let json = serde_json::to_value(StoredRuns::new(&store).snapshot("run").await.unwrap());
    let json = json.unwrap().to_string();
    assert!(json.contains("early") && json.contains("late"), "{json}");
}

/// [X5] The state after a step of workers that may run again is written with the next one.
#[tokio::test]
async fn workers_without_a_checkpoint_run_again_after_a_crash() {
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let checks = Arc::new(AtomicU64::new(0));
    let (begins, opens, counted) = (Arc::clone(&begun), Arc::clone(&gate), Arc::clone(&checks));
    let mut automa = GraphAutoma::new("order");
    let check = move |x: u64| {
        counted.fetch_add(1, Ordering::Relaxed);
        x + 1
    };
    automa.add_func_as_worker("check", check, start()).unwrap();
    let pay = move |x: u64| {
        let (begins, opens) = (Arc::clone(&begins), Arc::clone(&opens));
        async move {
            begins.notify_one();
            opens.notified().await;
            x
        }
    };
    automa.add_func_as_worker("pay", pay, after(["check"])).unwrap();
    automa.add_func_as_worker("check_again", |x: u64| x + 1, after(["pay"])).unwrap();
    automa.add_func_as_worker("end", |x: u64| x, after(["check_again"]).output()).unwrap();
    let store = MemoryStore::new();
    let run = |args: Args| {
        let run = automa.run(args).stored_in(&store, "a").claim(Claim::default().by_force());
        run.without_checkpoint_after(["check", "check_again", "end"])
    };

    tokio::select! {
        ended = run(args!(1_u64)).outcome() => panic!("`pay` waits, but the run has {ended:?}"),
        () = begun.notified() => {}
    }
    assert_eq!(status(&store, "a").await, (RunStatus::Running, Some(0)));

    gate.notify_one();
    assert_eq!(run(args!()).output::<u64>().await.unwrap(), 3);
    assert_eq!(checks.load(Ordering::Relaxed), 2);
    let steps = store.steps(&RunId::new("a").unwrap()).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), [0, 2, 4]);
    // An ended run is read from its last state.
    assert_eq!(run(args!()).output::<u64>().await.unwrap(), 3);
    assert_eq!(checks.load(Ordering::Relaxed), 2);
}
