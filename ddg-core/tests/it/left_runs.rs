//! Runs that were left are continued; cancelled ones are not; those that kill their process fail.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::{
    CheckpointStore, Claim, Entry, MemoryStore, Owner, RunFilter, RunId, RunService, RunStatus,
    StoreError, StoredRuns,
};
use ddg_core::prelude::*;
use ddg_core::run::ActiveRun;
use expect_test::expect;
use tokio::sync::{Semaphore, watch};

use crate::gated_store::GatedStore;

/// Adds one in each of three steps; the second waits for a permit.
fn gated(gate: &Arc<Semaphore>, began: &watch::Sender<u64>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("gated");
    automa.add_func_as_worker("a", async |x: u64| x + 1, start()).unwrap();
    let (gate, began) = (Arc::clone(gate), began.clone());
    let b = move |x: u64| {
        let gate = gate.clone();
        let began = began.clone();
        async move {
            began.send_modify(|n| *n += 1);
            gate.acquire().await.unwrap().forget();
            x + 1
        }
    };
    automa.add_func_as_worker("b", b, after(["a"])).unwrap();
    automa.add_func_as_worker("c", async |x: u64| x + 1, after(["b"]).output()).unwrap();
    automa
}

fn quick() -> (GraphAutoma, Arc<Mutex<Vec<u64>>>) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let mut automa = GraphAutoma::new("quick");
    let work = move |x: u64| {
        let seen = seen.clone();
        async move {
            seen.lock().unwrap().push(x);
            x
        }
    };
    automa.add_func_as_worker("work", work, start().output()).unwrap();
    (automa, order)
}

async fn status(store: &MemoryStore, run: &str) -> RunStatus {
    store.find(&RunId::new(run).unwrap()).await.unwrap().status
}

async fn until(store: &MemoryStore, run: &str, status: RunStatus) {
    let reached = async {
        while self::status(store, run).await != status
            || store.find(&RunId::new(run).unwrap()).await.unwrap().holder.is_some()
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reached).await.expect("it gets there");
}

/// [X16] A dropped run was left, a cancelled one was cancelled.
#[tokio::test]
async fn cancelled_and_left_are_told_apart() {
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (automa, store) = (gated(&gate, &began), MemoryStore::new());
    let runs = StoredRuns::new(&store);
    let dropped = automa.run(args!(1)).stored_in(&store, "dropped").spawn();
    let cancelled = automa.run(args!(1)).stored_in(&store, "cancelled").spawn();
    began.subscribe().wait_for(|n| *n == 2).await.unwrap();
    drop(dropped);
    cancelled.cancel();
    assert!(matches!(cancelled.await, Err(RunError::Cancelled { .. })));
    until(&store, "dropped", RunStatus::Running).await;
    assert_eq!(status(&store, "cancelled").await, RunStatus::Cancelled);
    let left = runs.list(&RunFilter::left()).await.unwrap();
    assert_eq!(left.iter().map(|run| run.run.as_str()).collect::<Vec<_>>(), ["dropped"]);

    gate.add_permits(1);
    let ended = runs.resume_all([&automa]).await.unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(status(&store, "dropped").await, RunStatus::Finished);
    // Who runs it again wants it.
    gate.add_permits(1);
    let run = automa.run(()).stored_in(&store, "cancelled");
    assert_eq!(run.output::<u64>().await.unwrap(), 4);
}

/// [X16] [X17] The status and the reason of a run that has failed.
#[tokio::test]
async fn a_failed_run_says_why() {
    let mut automa = GraphAutoma::new("fails");
    let fail = async || Err::<(), _>(WorkerError::msg("no"));
    automa.add_func_as_worker("fail", fail, start()).unwrap();
    let store = MemoryStore::new();
    let failed = automa.run(()).stored_in(&store, "a").await.unwrap_err();
    assert!(matches!(failed, RunError::Step(_)), "{failed}");
    let record = StoredRuns::new(&store).record("a").await.unwrap();
    assert_eq!(record.status, RunStatus::Failed);
    expect!["automa `fails`, step 1: worker `fail` failed: no"].assert_eq(&record.reason.unwrap());
}

/// [X16] [X18] Cancelled by somebody else, as from another process.
#[tokio::test]
async fn a_held_run_is_cancelled_from_outside() {
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (automa, store) = (gated(&gate, &began), MemoryStore::new());
    let runs = StoredRuns::new(&store);
    let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
    began.subscribe().wait_for(|n| *n == 1).await.unwrap();
    assert!(runs.cancel("a").await.unwrap());
    assert_eq!(status(&store, "a").await, RunStatus::Cancelled);
    let ended = tokio::time::timeout(Duration::from_secs(20), run).await.expect("it stops");
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
    let record = runs.record("a").await.unwrap();
    assert_eq!((record.status, record.holder), (RunStatus::Cancelled, None));
    assert!(!runs.cancel("a").await.unwrap());
    assert_eq!(runs.resume_all([&automa]).await.unwrap().len(), 0);

    gate.add_permits(1);
    automa.run(()).stored_in(&store, "a").await.unwrap();
    assert!(!runs.cancel("a").await.unwrap());
    assert_eq!(status(&store, "a").await, RunStatus::Finished);
}

/// [X16] The cancellation is held up after it has taken the run; the holder finds out just then.
#[tokio::test]
async fn a_cancelled_run_is_never_found_as_only_taken() {
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    // No write passes after that of the first step.
    let (automa, store) = (gated(&gate, &began), GatedStore::open_for(2));
    let brief = Claim::this_process(Duration::from_millis(300));
    let run = automa.run(args!(1)).stored_in(&store, "a").claim(brief).spawn();
    began.subscribe().wait_for(|n| *n == 1).await.unwrap();
    let runs = StoredRuns::new(&store);
    let cancelling = tokio::spawn(async move { runs.cancel("a").await });
    let ended = tokio::time::timeout(Duration::from_secs(20), run).await.expect("it stops");
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
    store.let_through(1);
    assert!(cancelling.await.unwrap().unwrap());
    assert_eq!(store.record("a").await.status, RunStatus::Cancelled);
}

/// [X16] A paused run, which nobody holds.
#[tokio::test]
async fn a_paused_run_is_cancelled() {
    let mut automa = GraphAutoma::new("asks");
    let ask = async |cx: Context| cx.interact_with_human::<u32>("?");
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let store = MemoryStore::new();
    automa.run(()).stored_in(&store, "a").await.unwrap();
    assert!(StoredRuns::new(&store).cancel("a").await.unwrap());
    assert_eq!(status(&store, "a").await, RunStatus::Cancelled);
}

/// [X19]
#[tokio::test]
async fn a_run_is_taken_over_from_its_holder() {
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (automa, store) = (gated(&gate, &began), MemoryStore::new());
    let runs = StoredRuns::new(&store);
    let run = automa.run(args!(1)).stored_in(&store, "a").spawn();
    began.subscribe().wait_for(|n| *n == 1).await.unwrap();
    runs.take_over("a").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), run).await.expect("it stops");
    assert!(matches!(ended, Err(RunError::Store(StoreError::Fenced { .. }))), "{ended:?}");
    gate.add_permits(1);
    let ended = runs.resume_all([&automa]).await.unwrap();
    assert!(matches!(&ended[..], [(_, Ok(outcome))] if outcome.steps() == 3), "{ended:?}");
    // Nobody holds it.
    runs.take_over("a").await.unwrap();
}

/// [X17] As if the process had died in each attempt.
#[tokio::test]
async fn a_run_that_kills_its_process_fails_in_the_end() {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    let store = MemoryStore::new().with_clock(move || {
        std::time::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))
    });
    let (automa, order) = quick();
    automa.run(args!(7)).stored_in(&store, "a").enqueue().await.unwrap();
    let id = RunId::new("a").unwrap();
    let ttl = Duration::from_secs(30);
    let die = async || {
        store.acquire(&id, &Claim::new(Owner::named("dies"), ttl)).await.unwrap();
        now.fetch_add(31, Ordering::SeqCst);
    };
    die().await;
    die().await;
    let claim = Claim::default().max_attempts(2);
    let runs = StoredRuns::new(&store).claim(claim.clone());
    let ended = runs.resume_all([&automa]).await.unwrap();
    let [(_, Err(error))] = &ended[..] else { panic!("{ended:?}") };
    assert!(matches!(error, RunError::Store(StoreError::Attempts { attempts: 2, .. })), "{error}");
    let record = runs.record("a").await.unwrap();
    assert_eq!((record.status, record.holder), (RunStatus::Failed, None));
    expect!["run `a` has failed: 2 attempts in a row to continue it have ended with the death of their process, before they had written a state; run it again when the cause is mended"]
        .assert_eq(&record.reason.unwrap());
    assert_eq!(order.lock().unwrap().len(), 0);
    assert_eq!(runs.resume_all([&automa]).await.unwrap().len(), 0);

    // Who runs it again may.
    let again = automa.run(()).stored_in(&store, "a").claim(claim);
    assert_eq!(again.output::<u64>().await.unwrap(), 7);
}

/// [X18] The same runs, in the order of their arrival, one at a time.
#[tokio::test]
async fn a_service_continues_runs_in_the_order_of_their_arrival() {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    let store = MemoryStore::new().with_clock(move || {
        std::time::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))
    });
    let (automa, order) = quick();
    for n in 0..20_u64 {
        let id = format!("run {}", (n * 7) % 20);
        automa.run(args!(n)).stored_in(&store, id).enqueue().await.unwrap();
        now.fetch_add(1, Ordering::SeqCst);
    }
    let (ended, mut seen) = watch::channel(0);
    let service = RunService::new(&store)
        .automa(automa)
        .at_once(1)
        .on_end(move |_, outcome| {
            assert!(outcome.is_ok());
            ended.send_modify(|n| *n += 1);
        })
        .spawn();
    tokio::time::timeout(Duration::from_secs(30), seen.wait_for(|n| *n == 20))
        .await
        .unwrap()
        .unwrap();
    service.stop().await;
    assert!(order.lock().unwrap().iter().copied().eq(0..20));
    let runs = StoredRuns::new(&store);
    let finished = RunFilter::default().status(RunStatus::Finished);
    assert_eq!(runs.list(&finished).await.unwrap().len(), 20);
}

/// [X18] No more runs are active at once than the service allows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_bounds_the_active_runs() {
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (automa, store) = (gated(&gate, &began), MemoryStore::new());
    for n in 0..10_u64 {
        automa.run(args!(n)).stored_in(&store, n.to_string()).enqueue().await.unwrap();
    }
    let service =
        RunService::new(&store).automa(automa).at_once(3).poll(Duration::from_millis(1)).spawn();
    let runs = StoredRuns::new(&store);
    for n in 3..=10 {
        began.subscribe().wait_for(|began| *began == n).await.unwrap();
        let held = runs.list(&RunFilter::default().status(RunStatus::Running)).await.unwrap();
        let n_held = held.iter().filter(|run| run.holder.is_some()).count();
        assert!(n_held <= 3, "{n_held} at once");
        gate.add_permits(1);
    }
    gate.add_permits(10);
    for n in 0..10 {
        until(&store, &n.to_string(), RunStatus::Finished).await;
    }
    service.stop().await;
}

/// [X20] A service that stops leaves its runs after their step, and another continues them.
#[tokio::test]
async fn a_service_that_stops_leaves_its_runs() {
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (automa, store) = (gated(&gate, &began), MemoryStore::new());
    automa.run(args!(1)).stored_in(&store, "a").enqueue().await.unwrap();
    let service = RunService::new(&store).automa(automa.clone()).spawn();
    began.subscribe().wait_for(|n| *n == 1).await.unwrap();
    let stopping = tokio::spawn(service.stop());
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished());
    gate.add_permits(1);
    stopping.await.unwrap();
    let record = StoredRuns::new(&store).record("a").await.unwrap();
    assert_eq!((record.status, record.holder, record.step), (RunStatus::Running, None, Some(2)));
    assert_eq!(record.attempts, 0);
    StoredRuns::new(&store).resume_all([&automa]).await.unwrap();
    assert_eq!(status(&store, "a").await, RunStatus::Finished);
    assert_eq!(*began.borrow(), 1, "its step did not run again");
}

/// [X18] Only runs of automata that are registered, and none that must be begun with arguments.
#[tokio::test]
async fn what_a_service_does_not_continue() {
    let (automa, order) = quick();
    let store = MemoryStore::new();
    let mut other = GraphAutoma::new("other");
    other.add_func_as_worker("work", async || 1, start().output()).unwrap();
    other.run(()).stored_in(&store, "other").enqueue().await.unwrap();
    // Its process ended before it wrote anything.
    let id = RunId::new("empty").unwrap();
    let lease = store.create(&id, "quick", &Claim::default()).await.unwrap();
    store.release(&lease).await.unwrap();
    let runs = StoredRuns::new(&store);
    let ended = runs.resume_all([&automa]).await.unwrap();
    assert!(matches!(&ended[..], [(_, Err(RunError::Stateless { .. }))]), "{ended:?}");
    assert_eq!(status(&store, "other").await, RunStatus::Running);
    assert_eq!(status(&store, "empty").await, RunStatus::Failed);
    assert_eq!(order.lock().unwrap().len(), 0);
    assert_eq!(runs.resume_all([&automa, &other]).await.unwrap().len(), 1);
}

/// [X18] A run whose automa is declared differently is tried again after a pause only.
#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_continued_is_delayed() {
    let (automa, _) = quick();
    let store = MemoryStore::new();
    automa.run(args!(1)).stored_in(&store, "a").enqueue().await.unwrap();
    let mut changed = GraphAutoma::new("quick");
    changed.add_func_as_worker("work2", async |x: u64| x, start().output()).unwrap();
    let (ended, mut seen) = watch::channel(0);
    let began = tokio::time::Instant::now();
    let service = RunService::new(&store)
        .automa(changed)
        .on_end(move |_, outcome| {
            assert!(matches!(outcome, Err(RunError::Snapshot(_))), "{outcome:?}");
            ended.send_modify(|n| *n += 1);
        })
        .spawn();
    seen.wait_for(|n| *n == 6).await.unwrap();
    // 1 + 2 + 4 + 8 + 16 seconds.
    assert!(began.elapsed() >= Duration::from_secs(31), "{:?}", began.elapsed());
    drop(service);
}

/// [X18] A run inside another is continued with the other only.
#[tokio::test]
async fn a_run_inside_another_is_not_continued_by_itself() {
    struct Here(ActiveRun);
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (inner, store) = (gated(&gate, &began), MemoryStore::new());
    let mut outer = GraphAutoma::new("outer");
    let part = inner.clone();
    let begin = move |cx: Context| {
        let here: Arc<Here> = cx.attached().unwrap();
        part.run(args!(1)).inside(&here.0, "part").output::<u64>()
    };
    outer.add_func_as_worker("begin", begin, start().output()).unwrap();
    outer.attach(|run| Here(run.clone()));
    let run = outer.run(()).stored_in(&store, "a").spawn();
    began.subscribe().wait_for(|n| *n == 1).await.unwrap();
    drop(run);
    until(&store, "a", RunStatus::Running).await;
    until(&store, "a/part", RunStatus::Running).await;
    gate.add_permits(1);
    let ended = StoredRuns::new(&store).resume_all([&inner, &outer]).await.unwrap();
    assert!(matches!(&ended[..], [(run, Ok(_))] if run.as_str() == "a"), "{ended:?}");
    assert_eq!(status(&store, "a/part").await, RunStatus::Finished);
}

#[tokio::test]
async fn a_run_is_enqueued_once_and_in_a_store() {
    let (automa, _) = quick();
    let store = MemoryStore::new();
    automa.run(args!(1)).stored_in(&store, "a").enqueue().await.unwrap();
    let refused = automa.run(args!(1)).stored_in(&store, "a").enqueue().await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::RunExists { .. })), "{refused}");
    let refused = automa.run(args!(1)).enqueue().await.unwrap_err();
    expect!["automa `quick`: a run can be enqueued only in a store: set one with `.stored_in(…)`"]
        .assert_eq(&refused.to_string());
    let refused = automa.run(args!(y = 1_u64)).stored_in(&store, "b").enqueue().await.unwrap_err();
    assert!(matches!(refused, RunError::UnknownInput { .. }), "{refused}");
    let b = RunId::new("b").unwrap();
    assert!(matches!(store.find(&b).await, Err(StoreError::UnknownRun { .. })));
}

/// [X17] A run that has been attempted before is not continued beside others like it.
#[tokio::test(start_paused = true)]
async fn runs_whose_process_has_died_are_continued_one_at_a_time() {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    let store = MemoryStore::new().with_clock(move || {
        std::time::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))
    });
    let (gate, began) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let mut automa = GraphAutoma::new("gated");
    let (waits, begins) = (Arc::clone(&gate), began.clone());
    let work = move || {
        let begins = begins.clone();
        let waits = waits.clone();
        async move {
            begins.send_modify(|n| *n += 1);
            waits.acquire().await.unwrap().forget();
        }
    };
    automa.add_func_as_worker("work", work, start()).unwrap();
    for run in ["a", "b", "c"] {
        automa.run(()).stored_in(&store, run).enqueue().await.unwrap();
        let id = RunId::new(run).unwrap();
        let dies = Claim::new(Owner::named("dies"), Duration::from_secs(1));
        store.acquire(&id, &dies).await.unwrap();
    }
    automa.run(()).stored_in(&store, "fresh").enqueue().await.unwrap();
    now.fetch_add(2, Ordering::SeqCst);
    // Taken once, to be counted.
    for run in ["a", "b", "c"] {
        let id = RunId::new(run).unwrap();
        let lease = store.acquire(&id, &Claim::default()).await.unwrap();
        assert_eq!(lease.attempts, 1);
        store.release(&lease).await.unwrap();
    }
    let service = RunService::new(&store).automa(automa).spawn();
    // One of the three, and the fresh one.
    began.subscribe().wait_for(|n| *n == 2).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(*began.borrow(), 2);
    gate.add_permits(4);
    for run in ["a", "b", "c", "fresh"] {
        until(&store, run, RunStatus::Finished).await;
    }
    service.stop().await;
}

/// [X16] A put of a run that was cancelled meanwhile is refused, and ends it as cancelled.
#[tokio::test]
async fn a_run_finds_out_that_it_was_cancelled_when_it_writes() {
    let store = MemoryStore::new();
    let other = store.clone();
    let mut automa = GraphAutoma::new("writes");
    let work = move || {
        let other = other.clone();
        async move {
            // As another process does it, which cannot reach this one.
            let id = RunId::new("a").unwrap();
            let lease = other.acquire(&id, &Claim::default().by_force()).await.unwrap();
            other.put(&lease, RunStatus::Cancelled, &[] as &[Entry]).await.unwrap();
            other.release(&lease).await.unwrap();
        }
    };
    automa.add_func_as_worker("work", work, start()).unwrap();
    let ended = automa.run(()).stored_in(&store, "a").await;
    assert!(matches!(ended, Err(RunError::Cancelled { .. })), "{ended:?}");
    assert_eq!(status(&store, "a").await, RunStatus::Cancelled);
}
