//! Steps that failed, paused or overlap, and results that belong to no such step.

use ddg_core::checkpoint::{CheckpointStore, RunId, RunStatus, StoredRuns};
use ddg_core::prelude::*;
use expect_test::expect;

use super::{PLENTY, Stage, go_on, kept, leave_in_the_middle, stored, wide};
use crate::gated_store::GatedStore;

/// [X11]
#[tokio::test(start_paused = true)]
async fn of_a_step_that_failed_only_the_workers_that_failed_run_again() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    static BROKEN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    let flaky = |_: &Context| match BROKEN.load(std::sync::atomic::Ordering::Relaxed) {
        true => Err(WorkerError::msg("no line")),
        false => Ok(4),
    };
    automa.add_worker("flaky", stage.worker(flaky), start()).unwrap();
    stage.open(["a#0", "b#1", "c#2", "flaky#3"]);
    expect!["automa `wide`, step 1: worker `flaky` failed: no line"]
        .assert_eq(&stored(&automa, &store).await.unwrap_err().to_string());
    assert_eq!(kept(&store).await, [0, 1, 2]);
    assert_eq!(store.record("a").await.status, RunStatus::Failed);

    _ = stage.calls();
    BROKEN.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 321);
    assert_eq!(stage.calls(), "flaky#3");
}

/// [X11] What a worker asked for cannot be done: it may ask for something else next time.
#[tokio::test(start_paused = true)]
async fn a_step_that_failed_as_it_settled_runs_again_as_a_whole() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    static WRONG: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    let asks = |cx: &Context| {
        if WRONG.load(std::sync::atomic::Ordering::Relaxed) {
            cx.ferry_to("nobody", ());
        }
        Ok(4)
    };
    automa.add_worker("asks", stage.worker(asks), start()).unwrap();
    stage.open(["a#0", "c#2", "asks#3"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [0, 2, 3]);
    stage.open(["b#1"]);
    expect!["automa `wide`, step 1: worker `asks` ferried to `nobody`, which does not exist; the workers are: `a`, `b`, `c`, `sum`, `asks`"].assert_eq(&stored(&automa, &store).await.unwrap_err().to_string());
    assert_eq!(kept(&store).await, [0; 0]);

    _ = stage.calls();
    WRONG.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 321);
    assert_eq!(stage.calls(), "a#0 asks#3 b#1 c#2");
}

/// [X9] [Q2]
#[tokio::test(start_paused = true)]
async fn a_worker_that_asks_has_no_result_until_there_is_an_answer() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    let ask = |cx: &Context| Ok(cx.interact_with_human("how many?".to_owned())?);
    automa.add_worker("ask", stage.worker(ask), start()).unwrap();
    automa.add_worker("too", stage.worker(ask), start()).unwrap();
    stage.open(["a#0", "b#1", "ask#3", "too#4"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [0, 1]);
    stage.open(["c#2"]);
    let paused = go_on(&automa, &store).await;
    assert_eq!(paused.questions().len(), 2);
    assert_eq!(kept(&store).await, [0; 0]);

    // Both are answered; one of them ends, and the run is left again.
    let runs = StoredRuns::new(&store);
    for question in paused.questions() {
        runs.answer("a", &question.id, 4_u64).await.unwrap();
    }
    stage.gates.lock().unwrap().remove("too#4");
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [3]);
    _ = stage.calls();
    stage.open(["too#4"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "too#4");
    assert_eq!(outcome.automa().output("ask").unwrap().get::<u64>().unwrap(), 4);
}

/// [X12]
#[tokio::test(start_paused = true)]
async fn at_a_rolling_pace_everything_that_has_ended_is_in_the_state() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    automa.set_pace(Pace::Rolling);
    automa.add_worker("next", stage.worker(|_| Ok(1)), after(["a"]).suppressed()).unwrap();
    stage.open(["a#0", "c#2", "next#3"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(stage.calls(), "a#0 b#1 c#2 next#3");
    // No result is beside the state.
    assert_eq!(kept(&store).await, [0; 0]);
    stage.open(["b#1"]);
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 321);
    assert_eq!(stage.calls(), "b#1");
}

/// [X9] Results of another step, or of other workers, are refused.
#[tokio::test(start_paused = true)]
async fn a_result_of_another_kickoff_is_refused() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = wide(&stage);
    stage.open(["a#0"]);
    leave_in_the_middle(&automa, &store).await;
    let run = RunId::new("a").unwrap();
    let lease = store.acquire(&run, &Default::default()).await.unwrap();
    let body = store.latest(&run).await.unwrap().unwrap().results.remove(&0).unwrap();
    let entry = ddg_core::checkpoint::Entry::result(0, 1, body);
    store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
    store.release(&lease).await.unwrap();
    let error = stored(&automa, &store).await.unwrap_err();
    expect!["automa `wide`: there is a result of worker `a` (kickoff 1), which does not run after step 0"].assert_eq(&error.to_string());
}
