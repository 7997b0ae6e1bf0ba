//! Stored runs whose store becomes unavailable, whose lease expires or is taken, or that are
//! dropped while they are active.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context as TaskContext, Waker};
use std::time::Duration;

use ddg_core::checkpoint::{
    CheckpointPolicy, CheckpointStore, Claim, RunId, RunStatus, StoreError, StoredRuns,
};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::run::ActiveRun;
use expect_test::expect;
use futures::FutureExt;
use tokio::sync::{Notify, mpsc};

use crate::faulty_store::{FaultyStore, Mood};

/// Short enough for a test to wait until it expires.
const SHORT: Duration = Duration::from_millis(300);

/// Sends a message when it is dropped.
struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        _ = self.0.send("stopped");
    }
}

/// `first` returns its argument. `second` reports its begin, waits for the gate, and adds one. If
/// it is cancelled before that, it reports so.
fn two_steps() -> (GraphAutoma, Arc<Notify>, mpsc::UnboundedReceiver<&'static str>) {
    let gate = Arc::new(Notify::new());
    let (said, hear) = mpsc::unbounded_channel();
    let opened = Arc::clone(&gate);
    let mut automa = GraphAutoma::new("two");
    automa.add_func_as_worker("first", async |x: i64| x, start()).unwrap();
    let second = move |x: i64| {
        let (opened, said) = (Arc::clone(&opened), said.clone());
        async move {
            _ = said.send("begun");
            let dropped = Dropped(said.clone());
            opened.notified().await;
            std::mem::forget(dropped);
            x + 1
        }
    };
    automa.add_func_as_worker("second", second, after(["first"]).output()).unwrap();
    (automa, gate, hear)
}

fn fenced(error: &RunError) -> bool {
    matches!(error, RunError::Store(StoreError::Fenced { .. }))
}

/// [X15] A run waits for an unavailable store, and nothing is running meanwhile.
#[tokio::test]
async fn a_run_waits_for_an_unavailable_store() {
    for policy in [CheckpointPolicy::EveryStep, CheckpointPolicy::EveryWorker] {
        let (automa, gate, mut hear) = two_steps();
        let store = FaultyStore::new();
        gate.notify_one();
        store.set(Mood::Failing);
        let run = automa.run(args!(1)).stored_in(&store, "a").checkpoints(policy).spawn();
        store.failed(3).await;
        assert!(hear.try_recv().is_err(), "it has not been claimed");
        store.set(Mood::Well);
        assert_eq!(run.output::<i64>().await.unwrap(), 2);
        store.freed("a").await;
    }
}

/// [X15] The same in the middle of a run: the second step does not begin before the first is
/// written.
#[tokio::test]
async fn no_step_begins_before_the_last_is_written() {
    let store = FaultyStore::new();
    let mut automa = GraphAutoma::new("two");
    let away = store.clone();
    let first = move || {
        away.set(Mood::Failing);
        async { 1 }
    };
    automa.add_func_as_worker("first", first, start()).unwrap();
    let begun = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&begun);
    let second = move |x: i64| {
        begins.store(true, Ordering::SeqCst);
        async move { x + 1 }
    };
    automa.add_func_as_worker("second", second, after(["first"]).output()).unwrap();
    let run = automa.run(()).stored_in(&store, "a").spawn();
    store.failed(4).await;
    assert!(!begun.load(Ordering::SeqCst));
    store.set(Mood::Well);
    assert_eq!(run.output::<i64>().await.unwrap(), 2);
}

/// [X15] [V1] When its lease may have expired, a run cancels its workers. It continues from its
/// last written state when the store is available; for a subscriber it stays one run.
#[tokio::test]
async fn workers_are_cancelled_when_the_lease_expires() {
    for mood in [Mood::Failing, Mood::Hanging] {
        let (automa, gate, mut hear) = two_steps();
        let store = FaultyStore::new();
        let run = automa.run(args!(1)).stored_in(&store, "a").claim(Claim::this_process(SHORT));
        let mut events = run.events(EventFilter::all());
        let run = run.spawn();
        assert_eq!(hear.recv().await, Some("begun"));
        store.set(mood);
        assert_eq!(hear.recv().await, Some("stopped"), "{mood:?}");
        store.failed(1).await;
        store.set(Mood::Well);
        assert_eq!(hear.recv().await, Some("begun"));
        gate.notify_one();
        assert_eq!(run.output::<i64>().await.unwrap(), 2);
        let mut told = Vec::new();
        while let Some(event) = events.next().await {
            told.push(event.unwrap().kind.to_string());
        }
        let begun = told.iter().filter(|told| told.contains("`two` started")).count();
        assert_eq!((begun, told.last().unwrap().as_str()), (1, "run finished: 2"), "{told:#?}");
    }
}

/// [X15] [X6] A run ends if another process has acquired it meanwhile.
#[tokio::test]
async fn a_run_that_another_process_has_acquired_is_not_continued() {
    let (automa, _, mut hear) = two_steps();
    let store = FaultyStore::new();
    let run = automa.run(args!(1)).stored_in(&store, "a").claim(Claim::this_process(SHORT)).spawn();
    assert_eq!(hear.recv().await, Some("begun"));
    store.set(Mood::Failing);
    assert_eq!(hear.recv().await, Some("stopped"));
    let id = RunId::new("a").unwrap();
    store.inner().acquire(&id, &Claim::default().by_force()).await.unwrap();
    store.set(Mood::Well);
    let error = run.await.unwrap_err();
    assert!(fenced(&error), "{error}");
}

/// [X6] [X15] A run whose lease is taken stops at once, in the middle of a step.
#[tokio::test]
async fn a_run_that_has_lost_its_lease_stops_in_the_middle_of_a_step() {
    for policy in [CheckpointPolicy::EveryStep, CheckpointPolicy::OnPause] {
        let (automa, _, mut hear) = two_steps();
        let store = FaultyStore::new();
        let run = automa.run(args!(1)).stored_in(&store, "a").claim(Claim::this_process(SHORT));
        let run = run.checkpoints(policy).spawn();
        assert_eq!(hear.recv().await, Some("begun"));
        let id = RunId::new("a").unwrap();
        store.inner().acquire(&id, &Claim::default().by_force()).await.unwrap();
        assert_eq!(hear.recv().await, Some("stopped"));
        let error = run.await.unwrap_err();
        assert!(fenced(&error), "{error}");
    }
}

/// [X15] A run does not wait longer than its patience.
#[tokio::test]
async fn a_store_that_stays_unavailable_ends_the_run() {
    for mood in [Mood::Failing, Mood::Hanging] {
        let (automa, _, mut hear) = two_steps();
        let store = FaultyStore::new();
        let claim = Claim::this_process(SHORT).patience(SHORT);
        let run = automa.run(args!(1)).stored_in(&store, "a").claim(claim).spawn();
        assert_eq!(hear.recv().await, Some("begun"));
        store.set(mood);
        assert_eq!(hear.recv().await, Some("stopped"));
        let error = run.await.unwrap_err();
        let RunError::Store(StoreError::Away { waited, .. }) = &error else { panic!("{error}") };
        assert!(*waited >= 2 * SHORT, "{waited:?}");
        let text = error.to_string().replace(&format!("{waited:?}"), "SOME TIME");
        let expected = match mood {
            Mood::Failing => expect![[
                r#"run `a` has waited for its store for SOME TIME, and its lease may have expired; the store could not do it: it is away: run it again when the store is available"#
            ]],
            _ => expect![[
                r#"run `a` has waited for its store for SOME TIME, and its lease may have expired: run it again when the store is available"#
            ]],
        };
        expected.assert_eq(&text);
    }
}

/// [X15] An error that does not pass is not retried.
#[tokio::test]
async fn a_refusal_of_the_store_is_not_retried() {
    let (automa, _, _) = two_steps();
    let store = FaultyStore::new();
    let id = RunId::new("a").unwrap();
    store.inner().create(&id, "two", &Claim::default()).await.unwrap();
    let error = automa.run(args!(1)).stored_in(&store, "a").await.unwrap_err();
    assert!(matches!(error, RunError::Store(StoreError::Held { .. })), "{error}");
}

/// [X2] [X8] A cancelled run ends even if its store does not answer.
#[tokio::test]
async fn a_run_can_be_cancelled_while_its_store_hangs() {
    let (automa, _, mut hear) = two_steps();
    let store = FaultyStore::new();
    store.set(Mood::Hanging);
    let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
    store.failed(1).await;
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));

    store.set(Mood::Well);
    let run = automa.run(args!(1)).stored_in(&store, "b").spawn();
    assert_eq!(hear.recv().await, Some("begun"));
    store.set(Mood::Hanging);
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

/// [X8] A run that is dropped after any number of polls is released.
#[tokio::test]
async fn a_run_dropped_at_any_poll_is_released() {
    let (automa, gate, _hear) = two_steps();
    let mut n_polls = 0;
    loop {
        let store = FaultyStore::new().slow();
        let run = automa.run(args!(1)).stored_in(&store, "a").outcome();
        let mut run = Box::pin(run);
        gate.notify_one();
        let mut task = TaskContext::from_waker(Waker::noop());
        let ended = (0..n_polls).any(|_| run.as_mut().poll(&mut task).is_ready());
        drop(run);
        if store.inner().find(&RunId::new("a").unwrap()).await.is_ok() {
            store.freed("a").await;
        }
        if ended {
            break;
        }
        n_polls += 1;
    }
    assert!(n_polls > 5, "{n_polls}");
}

/// [X16] A cancellation that is dropped after any number of polls has cancelled the run, or has done
/// nothing: a run that was taken from its holder is cancelled.
#[tokio::test]
async fn a_cancellation_dropped_at_any_poll_is_whole() {
    for n_polls in 0.. {
        let (automa, gate, mut hear) = two_steps();
        let store = FaultyStore::new().slow();
        let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
        assert_eq!(hear.recv().await, Some("begun"));
        let runs = StoredRuns::new(&store);
        let mut cancel = Box::pin(runs.cancel("a"));
        let mut is_done = false;
        for _ in 0..n_polls {
            let polled = futures::poll!(cancel.as_mut());
            is_done = polled.is_ready();
            if is_done {
                break;
            }
        }
        drop(cancel);
        gate.notify_one();
        let ended = run.output::<i64>().await;
        store.freed("a").await;
        let status = runs.record("a").await.unwrap().status;
        match ended {
            Ok(output) => assert_eq!((output, status), (2, RunStatus::Finished), "{n_polls}"),
            Err(error) => {
                // It may find out that it was taken before the store knows why.
                let is_cancelled = matches!(error, RunError::Cancelled { .. });
                assert!(is_cancelled || fenced(&error), "{n_polls}: {error}");
                assert_eq!(status, RunStatus::Cancelled, "{n_polls}");
            }
        }
        if is_done {
            assert!(n_polls > 3, "{n_polls}");
            break;
        }
    }
}

/// [X8] A cancelled run with an active thread is released when the thread has ended.
#[tokio::test]
async fn a_thread_that_cannot_be_stopped_keeps_the_lease() {
    let store = FaultyStore::new();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let mut automa = GraphAutoma::new("blocking");
    let block = move || {
        begun.send(()).unwrap();
        _ = wait.lock().unwrap().recv();
    };
    automa.add_func_as_worker("block", block, start()).unwrap();
    let run = automa.run(()).stored_in(&store, "a").claim(Claim::this_process(SHORT)).spawn();
    begins.recv().await.unwrap();
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
    let renewed = store.n_renewed();
    while store.n_renewed() < renewed + 4 {
        tokio::task::yield_now().await;
    }
    let id = RunId::new("a").unwrap();
    let held = store.acquire(&id, &Claim::default()).await.unwrap_err();
    assert!(matches!(held, StoreError::Held { .. }), "{held}");
    drop(go_on);
    store.freed("a").await;
}

/// [X15] [N6] A run inside of another regains its lease as well, and continues inside it.
#[tokio::test]
async fn a_run_inside_of_another_regains_its_lease() {
    struct Here(ActiveRun);

    let (part, gate, mut hear) = two_steps();
    let store = FaultyStore::new();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let mut whole = GraphAutoma::new("whole");
    let begin = async |(part, begun): &(GraphAutoma, mpsc::UnboundedSender<_>), cx: Context| {
        let here: Arc<Here> = cx.attached().unwrap();
        begun.send(part.run(args!(1)).inside(&here.0, "part-1").spawn()).unwrap();
    };
    whole.add_func_as_worker("begin", with((part, begun), begin), start()).unwrap();
    whole.attach(|run| Here(run.clone()));
    let run = whole.run(()).stored_in(&store, "a").claim(Claim::this_process(SHORT));
    assert!(!run.await.unwrap().is_paused());

    let part = begins.recv().await.unwrap();
    assert_eq!(hear.recv().await, Some("begun"));
    store.set(Mood::Failing);
    assert_eq!(hear.recv().await, Some("stopped"));
    store.set(Mood::Well);
    assert_eq!(hear.recv().await, Some("begun"));
    gate.notify_one();
    assert_eq!(part.output::<i64>().await.unwrap(), 2);
    store.freed("a/part-1").await;
}

/// [X8] A run that is dropped while it waits for the end of its tasks is released when they have
/// ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_run_dropped_while_its_tasks_end_is_released() {
    let store = FaultyStore::new();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let mut automa = GraphAutoma::new("busy");
    // A poll that takes long: the task cannot be stopped in the middle of it.
    let busy = async |(wait, begun): &(std::sync::Mutex<_>, mpsc::UnboundedSender<()>)| {
        begun.send(()).unwrap();
        let wait: &std::sync::Mutex<std::sync::mpsc::Receiver<()>> = wait;
        _ = wait.lock().unwrap().recv();
    };
    automa
        .add_func_as_worker("busy", with((std::sync::Mutex::new(wait), begun), busy), start())
        .unwrap();
    automa
        .add_func_as_worker("idle", async || std::future::pending::<()>().await, start())
        .unwrap();
    let run = automa.run(()).stored_in(&store, "a").claim(Claim::this_process(SHORT)).spawn();
    begins.recv().await.unwrap();
    run.cancel();
    // It now waits for its busy task.
    let renewed = store.n_renewed();
    while store.n_renewed() < renewed + 2 {
        tokio::task::yield_now().await;
    }
    drop(run);
    drop(go_on);
    store.freed("a").await;
}

/// [X15] A worker that blocks the thread of its run does not lose the lease.
#[test]
fn a_blocked_thread_does_not_lose_the_lease() {
    let store = FaultyStore::new();
    let mut automa = GraphAutoma::new("blocks");
    let (other, id) = (store.clone(), RunId::new("a").unwrap());
    let block = move || {
        let renewed = other.n_renewed();
        // Four renewals take longer than the lease lasts.
        while other.n_renewed() < renewed + 4 {
            std::thread::yield_now();
        }
        let taken = other.acquire(&id, &Claim::default()).now_or_never();
        taken.unwrap().unwrap_err().to_string()
    };
    automa.add_func_as_worker("block", block, start().inline().output()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = automa.run(()).stored_in(&store, "a").claim(Claim::this_process(SHORT));
    let refused: String = runtime.block_on(run.output()).unwrap();
    assert!(refused.contains("is held by"), "{refused}");
}

/// [X8] The runs of a dropped runtime are released.
#[test]
fn the_runs_of_a_dropped_runtime_are_released() {
    let (automa, _, mut hear) = two_steps();
    let store = FaultyStore::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let entered = runtime.enter();
    let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
    drop(entered);
    assert_eq!(runtime.block_on(hear.recv()), Some("begun"));
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.freed("a"));
    drop(run);
}

/// [X6] A run can be taken from its holder, which is then refused.
#[tokio::test]
async fn a_run_can_be_taken_by_force() {
    let (automa, gate, mut hear) = two_steps();
    let store = FaultyStore::new();
    let first = automa.run(args!(1)).stored_in(&store, "a").spawn();
    assert_eq!(hear.recv().await, Some("begun"));
    let runs = StoredRuns::new(&store);
    let refused = runs.edit("a", |_| Ok(())).await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::Held { .. })), "{refused}");
    let second = automa.run(args!(1)).stored_in(&store, "a").claim(Claim::default().by_force());
    let second = second.spawn();
    assert_eq!(hear.recv().await, Some("begun"));
    gate.notify_one();
    gate.notify_one();
    assert_eq!(second.output::<i64>().await.unwrap(), 2);
    gate.notify_one();
    let error = first.await.unwrap_err();
    assert!(fenced(&error), "{error}");
}

/// A lease with a time to live of zero is not renewed in a busy loop.
#[tokio::test]
async fn a_lease_without_time_is_not_renewed_in_a_loop() {
    let store = FaultyStore::new();
    let mut automa = GraphAutoma::new("one");
    let n_ran = Arc::new(AtomicU32::new(0));
    let runs = Arc::clone(&n_ran);
    let one = move || {
        runs.fetch_add(1, Ordering::SeqCst);
        async { 1 }
    };
    automa.add_func_as_worker("one", one, start().output()).unwrap();
    let run = automa.run(()).stored_in(&store, "a").claim(Claim::this_process(Duration::ZERO));
    let began = std::time::Instant::now();
    let error = run.output::<i64>().await;
    let tens = began.elapsed().as_millis() / 10;
    assert!(u128::from(store.n_renewed()) <= tens + 2, "{} in {tens} × 10 ms", store.n_renewed());
    assert_eq!(error.unwrap(), 1);
}
