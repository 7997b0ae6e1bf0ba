//! Workers that wait for a time or a signal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ddg_core::checkpoint::{
    CheckpointPolicy, MemoryStore, RunFilter, RunStatus, StoreError, StoredRuns,
};
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;

const HOUR: Duration = Duration::from_secs(3600);

/// A clock that only the test moves.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + self.0.load(Ordering::SeqCst))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    fn store(&self) -> MemoryStore {
        let clock = self.clone();
        MemoryStore::new().with_clock(move || clock.now())
    }
}

/// What has been called, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn add(&self, call: impl Into<String>) {
        self.0.lock().unwrap().push(call.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// `nap` sleeps an hour, `quick` does not, `both` follows them.
fn napping(clock: &Clock, calls: &Calls) -> GraphAutoma {
    let mut automa = GraphAutoma::new("napping");
    let (begin, seen, clock) = (clock.now(), calls.clone(), clock.clone());
    let nap = move |cx: Context| {
        seen.add("nap");
        let (until, _) = (begin + HOUR, clock.now());
        async move {
            cx.sleep_until(until)?;
            cx.ferry_to("after", ());
            Ok::<_, WorkerError>(1_u32)
        }
    };
    automa.add_func_as_worker("nap", nap, start()).unwrap();
    for (key, options) in [("quick", start()), ("after", free())] {
        let seen = calls.clone();
        let work = move || {
            let seen = seen.clone();
            async move {
                seen.add(key);
                2_u32
            }
        };
        automa.add_func_as_worker(key, work, options).unwrap();
    }
    let seen = calls.clone();
    let both = move |a: u32, b: u32| {
        let seen = seen.clone();
        async move {
            seen.add("both");
            a + b
        }
    };
    automa.add_func_as_worker("both", both, after(["nap", "quick"]).output()).unwrap();
    automa
}

/// [T1] [T2] The clock of tokio is paused: an hour passes as soon as nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_run_without_a_store_waits_in_its_process() {
    let calls = Calls::default();
    let mut automa = GraphAutoma::new("patient");
    let seen = calls.clone();
    let nap = move |cx: Context| {
        seen.add("nap");
        async move {
            cx.sleep_until(SystemTime::now() + HOUR)?;
            cx.sleep_until(SystemTime::now() + HOUR)?;
            Ok::<_, WorkerError>(cx.kickoff_id())
        }
    };
    automa.add_func_as_worker("nap", nap, start().output()).unwrap();
    let began = tokio::time::Instant::now();
    let outcome = automa.run(()).await.unwrap();
    assert_eq!((outcome.is_paused(), outcome.steps()), (false, 1));
    assert_eq!(calls.take(), ["nap"; 3]);
    let waited = began.elapsed();
    assert!(2 * HOUR - Duration::from_secs(60) < waited && waited < 2 * HOUR + HOUR, "{waited:?}");
}

/// [T2] A time that has passed is no reason to wait.
#[tokio::test]
async fn a_time_that_has_passed_has_come() {
    let mut automa = GraphAutoma::new("late");
    let nap = async |cx: Context| cx.sleep_until(UNIX_EPOCH).map(|()| 7_u32);
    automa.add_func_as_worker("nap", nap, start().output()).unwrap();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 7);
    let store = MemoryStore::new();
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap(), 7);
}

/// [T1] [T3] [X5] [X21]
#[tokio::test]
async fn a_stored_run_pauses_until_its_time() {
    for policy in
        [CheckpointPolicy::EveryStep, CheckpointPolicy::OnPause, CheckpointPolicy::EveryWorker]
    {
        let (clock, calls) = (Clock::default(), Calls::default());
        let (automa, store) = (napping(&clock, &calls), clock.store());
        let runs = StoredRuns::new(&store);
        let run = || automa.run(()).stored_in(&store, "a").checkpoints(policy).outcome();
        let due = async || runs.list(&RunFilter::default().due()).await.unwrap().len();

        let paused = run().await.unwrap();
        let wake_at = clock.now() + HOUR;
        assert!(paused.is_paused() && paused.questions().is_empty());
        assert_eq!(paused.wake_at(), Some(wake_at));
        assert_eq!(calls.take(), ["nap", "quick"]);
        let record = runs.record("a").await.unwrap();
        assert_eq!((record.status, record.wake_at), (RunStatus::Paused, Some(wake_at)));
        assert_eq!((record.holder, due().await), (None, 0));
        assert_eq!(runs.snapshot("a").await.unwrap().wake_at(), Some(wake_at));

        // Before its time nothing runs again.
        clock.advance(HOUR - Duration::from_secs(1));
        assert!(run().await.unwrap().is_paused());
        assert_eq!((calls.take(), due().await), (vec![], 0));

        clock.advance(Duration::from_secs(1));
        assert_eq!(due().await, 1);
        let outcome = run().await.unwrap();
        assert_eq!(calls.take(), ["nap", "after", "both"]);
        assert_eq!(outcome.into_output::<u32>().unwrap(), 3);
        assert_eq!(runs.record("a").await.unwrap().status, RunStatus::Finished);
    }
}

#[tokio::test]
async fn reading_the_output_of_a_run_that_waits_is_an_error() {
    let clock = Clock::default();
    let (automa, store) = (napping(&clock, &Calls::default()), clock.store());
    let error = automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap_err();
    expect!["automa `napping`: paused, so there is no output yet; a worker that runs it passes its questions on with `Context::call`, and `.outcome()` returns the run with the time that it waits for"]
        .assert_eq(&error.to_string());
}

/// Takes each signal `go`, and gives the list of all.
fn listening(n: usize) -> GraphAutoma {
    let mut automa = GraphAutoma::new("listening");
    let listen = move |cx: Context| async move {
        let mut all = Vec::new();
        for _ in 0..n {
            all.push(cx.signal::<u32>("go")?);
        }
        Ok::<_, WorkerError>(all)
    };
    automa.add_func_as_worker("listen", listen, start().output()).unwrap();
    automa
}

/// [T3] [T4] Signals that come before, while and after the run waits.
#[tokio::test]
async fn signals_are_received_once_in_their_order() {
    let (automa, store) = (listening(3), MemoryStore::new());
    let runs = StoredRuns::new(&store);
    automa.run(()).stored_in(&store, "a").enqueue().await.unwrap();
    runs.signal("a", "go", 1_u32).await.unwrap();
    runs.signal("a", "stay", 9_u32).await.unwrap();

    let paused = automa.run(()).stored_in(&store, "a").await.unwrap();
    assert_eq!(paused.awaits(), ["go"]);
    assert_eq!(runs.record("a").await.unwrap().awaits, ["go"]);
    assert_eq!(runs.list(&RunFilter::default().due()).await.unwrap(), []);
    runs.signal("a", "go", 2_u32).await.unwrap();
    assert_eq!(runs.list(&RunFilter::default().due()).await.unwrap().len(), 1);
    assert!(automa.run(()).stored_in(&store, "a").await.unwrap().is_paused());

    runs.signal("a", "go", 3_u32).await.unwrap();
    runs.signal("a", "go", 4_u32).await.unwrap();
    let all: Vec<u32> = automa.run(()).stored_in(&store, "a").output().await.unwrap();
    assert_eq!(all, [1, 2, 3]);
    let refused = runs.signal("a", "go", 5_u32).await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::Ended { .. })), "{refused}");
    let refused = runs.signal("b", "go", 5_u32).await.unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::UnknownRun { .. })), "{refused}");
    let refused = runs.signal("a", "go", f64::NAN).await.unwrap_err();
    assert!(matches!(refused, RunError::Signal { .. }), "{refused}");
}

/// [T4] Each signal goes to the first kickoff that waits for its name, also into nested automata.
#[tokio::test]
async fn signals_are_received_in_kickoff_order() {
    let listen = async |cx: Context| cx.signal::<u32>("go");
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("i", listen, start()).unwrap();
    inner.add_func_as_worker("j", listen, start()).unwrap();
    inner
        .add_func_as_worker("list", async |v: Vec<u32>| v, after(["i", "j"]).merge().output())
        .unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_func_as_worker("a", listen, start()).unwrap();
    automa.add_worker("b", inner, start()).unwrap();
    automa.add_func_as_worker("c", listen, start()).unwrap();
    let all = async |a: u32, b: Vec<u32>, c: u32| vec![a, b[0], b[1], c];
    automa.add_func_as_worker("all", all, after(["a", "b", "c"]).output()).unwrap();

    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    let run = || automa.run(()).stored_in(&store, "a").outcome();
    run().await.unwrap();
    // However many come at a time.
    for some in [&[1_u32, 2][..], &[3], &[4]] {
        for n in some {
            runs.signal("a", "go", *n).await.unwrap();
        }
        run().await.unwrap();
    }
    assert_eq!(run().await.unwrap().into_output::<Vec<u32>>().unwrap(), [1, 2, 3, 4]);
}

/// [T4] A signal that was received after the last state was written is received again.
#[tokio::test]
async fn a_run_that_goes_back_receives_its_signals_again() {
    let (automa, store) = (listening(2), MemoryStore::new());
    let runs = StoredRuns::new(&store);
    automa.run(()).stored_in(&store, "a").await.unwrap();
    runs.signal("a", "go", 1_u32).await.unwrap();
    runs.fork("a", 0, "b").await.unwrap();
    runs.signal("a", "go", 2_u32).await.unwrap();
    runs.signal("b", "go", 3_u32).await.unwrap();
    for (run, expected) in [("a", [1, 2]), ("b", [1, 3])] {
        let all: Vec<u32> = automa.run(()).stored_in(&store, run).output().await.unwrap();
        assert_eq!(all, expected);
    }
}

/// [T2] [T4]
#[tokio::test]
async fn a_spawned_run_receives_signals_through_its_handle() {
    let automa = listening(2);
    let run = automa.run(()).spawn();
    run.signal("go", 1_u32).await.unwrap();
    tokio::task::yield_now().await;
    run.signal("go", 2_u32).await.unwrap();
    assert_eq!(run.output::<Vec<u32>>().await.unwrap(), [1, 2]);

    let store = MemoryStore::new();
    let run = automa.run(()).stored_in(&store, "a").spawn();
    run.signal("go", 1_u32).await.unwrap();
    assert!(run.await.unwrap().is_paused());
    StoredRuns::new(&store).signal("a", "go", 2_u32).await.unwrap();
    let all: Vec<u32> = automa.run(()).stored_in(&store, "a").output().await.unwrap();
    assert_eq!(all, [1, 2]);
}

/// [T2] Nobody could send it a signal.
#[tokio::test]
async fn a_run_without_a_handle_pauses_for_signals() {
    let automa = listening(1);
    let paused = automa.run(()).await.unwrap();
    assert!(paused.is_paused());
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.signal("go", 5_u32);
    let json = serde_json::to_string(&snapshot).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    assert_eq!(automa.resume(snapshot).output::<Vec<u32>>().await.unwrap(), [5]);
}

/// [T2] [X3]
#[tokio::test]
async fn a_run_that_waits_can_be_stopped_and_cancelled() {
    let automa = listening(1);
    let run = automa.run(()).spawn();
    tokio::task::yield_now().await;
    run.stop();
    let paused = run.await.unwrap();
    assert!(paused.is_paused());
    let run = automa.resume(paused.snapshot().unwrap()).spawn();
    tokio::task::yield_now().await;
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

/// [T5] A question, a time and a signal in one step: each worker runs again for its own, and the
/// results count together.
#[tokio::test]
async fn a_question_a_time_and_a_signal_in_one_step() {
    let (clock, calls) = (Clock::default(), Calls::default());
    let store = clock.store();
    let until = clock.now() + HOUR;
    let mut automa = GraphAutoma::new("all");
    let seen = calls.clone();
    let ask = move |cx: Context| {
        let seen = seen.clone();
        async move {
            seen.add("ask");
            cx.interact_with_human::<u32>("how many?")
        }
    };
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    let seen = calls.clone();
    let nap = move |cx: Context| {
        let seen = seen.clone();
        async move {
            seen.add("nap");
            cx.sleep_until(until).map(|()| 10_u32)
        }
    };
    automa.add_func_as_worker("nap", nap, start()).unwrap();
    let seen = calls.clone();
    let listen = move |cx: Context| {
        let seen = seen.clone();
        async move {
            seen.add("listen");
            cx.signal::<u32>("go")
        }
    };
    automa.add_func_as_worker("listen", listen, start()).unwrap();
    let seen = calls.clone();
    let sum = move |all: Vec<u32>| {
        let seen = seen.clone();
        async move {
            seen.add("sum");
            all.into_iter().sum::<u32>()
        }
    };
    let options = after(["ask", "nap", "listen"]).merge().output();
    automa.add_func_as_worker("sum", sum, options).unwrap();

    let runs = StoredRuns::new(&store);
    let run = || automa.run(()).stored_in(&store, "a").outcome();
    let due = async || runs.list(&RunFilter::default().due()).await.unwrap().len();
    let paused = run().await.unwrap();
    assert_eq!(paused.questions().len(), 1);
    assert_eq!((paused.wake_at(), paused.awaits()), (Some(until), vec!["go".to_owned()]));
    assert_eq!(calls.take(), ["ask", "nap", "listen"]);

    runs.signal("a", "go", 100_u32).await.unwrap();
    assert_eq!(due().await, 1);
    let paused = run().await.unwrap();
    assert_eq!(calls.take(), ["listen"]);
    assert_eq!((paused.wake_at(), due().await), (Some(until), 0));

    clock.advance(HOUR);
    assert_eq!(due().await, 1);
    let paused = run().await.unwrap();
    assert_eq!(calls.take(), ["nap"]);
    assert_eq!((paused.wake_at(), due().await), (None, 0));

    // An answer makes it due, too.
    let question = paused.questions().remove(0);
    runs.answer("a", &question.id, 1_u32).await.unwrap();
    assert_eq!(due().await, 1);
    assert_eq!(run().await.unwrap().into_output::<u32>().unwrap(), 111);
    assert_eq!(calls.take(), ["ask", "sum"]);
}

/// [T2] A question cannot be answered while the run waits, so the run pauses at once.
#[tokio::test]
async fn a_run_in_process_pauses_for_a_question() {
    let mut automa = GraphAutoma::new("both");
    let ask = async |cx: Context| cx.interact_with_human::<u32>("how many?");
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    let nap = async |cx: Context| cx.sleep_until(SystemTime::now() + HOUR).map(|()| 10_u32);
    automa.add_func_as_worker("nap", nap, start()).unwrap();
    let paused = automa.run(()).await.unwrap();
    assert!(paused.is_paused() && paused.wake_at().is_some());
    assert_eq!(paused.questions().len(), 1);
}

/// [T1] Questions, times and signals of one worker count together.
#[tokio::test(start_paused = true)]
async fn one_worker_waits_for_one_thing_after_another() {
    let mut automa = GraphAutoma::new("mixed");
    let mix = async |cx: Context| {
        let a: u32 = cx.signal("a")?;
        cx.sleep_until(SystemTime::now() + HOUR)?;
        let b: u32 = cx.signal("b")?;
        let c: u32 = cx.interact_with_human("c?")?;
        Ok::<_, WorkerError>(vec![a, b, c])
    };
    automa.add_func_as_worker("mix", mix, start().output()).unwrap();
    let run = automa.run(()).spawn();
    run.signal("b", 2_u32).await.unwrap();
    run.signal("a", 1_u32).await.unwrap();
    let paused = run.await.unwrap();
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer_with(|_| 3_u32);
    assert_eq!(automa.resume(snapshot).output::<Vec<u32>>().await.unwrap(), [1, 2, 3]);
}

/// [T7]
#[tokio::test]
async fn a_nested_automa_waits_with_the_run_around_it() {
    let clock = Clock::default();
    let mut middle = GraphAutoma::new("middle");
    middle.add_worker("inner", napping(&clock, &Calls::default()), start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("middle", middle, start().output()).unwrap();
    let store = clock.store();
    let paused = automa.run(()).stored_in(&store, "a").await.unwrap();
    assert_eq!(paused.wake_at(), Some(clock.now() + HOUR));
    clock.advance(HOUR);
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap(), 3);
}

/// [T6] At a rolling pace a worker that waits holds the run back, as one that asks does.
#[tokio::test]
async fn at_a_rolling_pace_a_wait_holds_the_run_back() {
    let (clock, calls) = (Clock::default(), Calls::default());
    let store = clock.store();
    let until = clock.now() + HOUR;
    let mut automa = GraphAutoma::new("rolling");
    automa.set_pace(Pace::Rolling);
    let nap = move |cx: Context| async move { cx.sleep_until(until).map(|()| 1_u32) };
    automa.add_func_as_worker("nap", nap, start()).unwrap();
    let work = |key: &'static str| {
        let seen = calls.clone();
        move || {
            let seen = seen.clone();
            async move {
                // Ends after `nap` has begun to wait.
                tokio::task::yield_now().await;
                seen.add(key);
            }
        }
    };
    automa.add_func_as_worker("a", work("a"), start()).unwrap();
    automa.add_func_as_worker("b", work("b"), after(["a"])).unwrap();
    automa.add_func_as_worker("end", async |n: u32| n, after(["nap", "b"]).output()).unwrap();
    assert!(automa.run(()).stored_in(&store, "a").await.unwrap().is_paused());
    assert_eq!(calls.take(), ["a"]);
    clock.advance(HOUR);
    assert_eq!(automa.run(()).stored_in(&store, "a").output::<u32>().await.unwrap(), 1);
    assert_eq!(calls.take(), ["b"]);
}

/// [T8]
#[tokio::test]
async fn in_a_simulation_a_time_comes_at_once() {
    let clock = Clock::default();
    let automa = napping(&clock, &Calls::default());
    let outcome = automa.run(()).simulate(|_| 0).await.unwrap();
    assert_eq!(outcome.into_output::<u32>().unwrap(), 3);
    assert!(listening(1).run(()).simulate(|_| 0).await.unwrap().is_paused());
}

/// [T4] A signal of another type is an error of its worker.
#[tokio::test]
async fn a_signal_of_another_type() {
    let (automa, store) = (listening(1), MemoryStore::new());
    automa.run(()).stored_in(&store, "a").await.unwrap();
    StoredRuns::new(&store).signal("a", "go", "now").await.unwrap();
    let error = automa.run(()).stored_in(&store, "a").await.unwrap_err();
    expect!["automa `listening`, step 1: worker `listen` failed: the signal `go`: expected `u32`, found JSON string (invalid type: string \"now\", expected u32)"]
        .assert_eq(&error.to_string());
}

/// [T3] Results of a step with a worker that waits are kept one by one.
#[tokio::test]
async fn what_has_ended_beside_a_wait_does_not_run_again() {
    let (clock, calls) = (Clock::default(), Calls::default());
    let (automa, store) = (napping(&clock, &calls), clock.store());
    let policy = CheckpointPolicy::EveryWorker;
    let run = || automa.run(()).stored_in(&store, "a").checkpoints(policy);
    run().await.unwrap();
    assert_eq!(calls.take(), ["nap", "quick"]);
    clock.advance(HOUR);
    // The process ends in the middle of the step that continues.
    let mut steps = Box::pin(run().outcome());
    for _ in 0..2 {
        if futures::poll!(&mut steps).is_ready() {
            break;
        }
    }
    drop(steps);
    let freed = async {
        while StoredRuns::new(&store).record("a").await.unwrap().holder.is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), freed).await.unwrap();
    assert_eq!(run().output::<u32>().await.unwrap(), 3);
    assert!(!calls.take().contains(&"quick".to_owned()));
}
