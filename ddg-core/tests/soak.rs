//! Runs of every kind, for a long time: all end right, no worker is left, and memory does not grow.
//! In the night it takes ten minutes, and a few seconds otherwise.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ddg_core::checkpoint::{
    CheckpointStore, MemoryStore, RunFilter, RunStatus, SqliteStore, StoredRuns,
};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;

/// Counts the workers that are running.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>);

struct Guard(Arc<AtomicUsize>);

impl Alive {
    fn begin(&self) -> Guard {
        self.0.fetch_add(1, Ordering::SeqCst);
        Guard(Arc::clone(&self.0))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The numbers to add.
const N: u64 = 20;

/// Adds the numbers from [`N`] to 1 in a loop, with another worker beside it that yields.
fn sum(alive: &Alive) -> GraphAutoma {
    let mut automa = GraphAutoma::new("sum");
    let (one, other) = (alive.clone(), alive.clone());
    let add = move |n: u64, total: u64, cx: Context| {
        let guard = one.begin();
        async move {
            tokio::task::yield_now().await;
            match n {
                0 => cx.ferry_to("end", (total,)),
                n => cx.ferry_to("add", (n - 1, total + n)),
            }
            drop(guard);
        }
    };
    let begin = async |cx: Context| cx.ferry_to("add", (N, 0_u64));
    automa.add_func_as_worker("begin", begin, start()).unwrap();
    automa.add_func_as_worker("add", add, free()).unwrap();
    let beside = move || {
        let guard = other.begin();
        async move {
            for _ in 0..N {
                tokio::task::yield_now().await;
            }
            drop(guard);
        }
    };
    automa.add_func_as_worker("beside", beside, start()).unwrap();
    automa.add_func_as_worker("end", async |total: u64| total, free().output()).unwrap();
    automa
}

/// Two sums, one of them nested deeper, and a question if `asks`.
fn nested(alive: &Alive, asks: bool) -> GraphAutoma {
    let mut middle = GraphAutoma::new("middle");
    middle.add_worker("sum", sum(alive), start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("near", sum(alive), start()).unwrap();
    automa.add_worker("far", middle, start()).unwrap();
    let both = move |near: u64, far: u64, cx: Context| async move {
        if asks {
            cx.interact_with_human::<bool>("go on?".to_owned())?;
        }
        Ok::<_, WorkerError>(near + far)
    };
    automa.add_func_as_worker("both", both, after(["near", "far"]).output()).unwrap();
    automa
}

/// One round: a run of each kind.
async fn round(n: u64, automata: &[GraphAutoma; 3], stores: &[Arc<dyn CheckpointStore>; 2]) {
    let [sum, nested, asking] = automata;
    let expected = N * (N + 1) / 2;
    let pace = if n.is_multiple_of(2) { Pace::Lockstep } else { Pace::Rolling };
    assert_eq!(sum.run(()).pace(pace).output::<u64>().await.unwrap(), expected);
    assert_eq!(nested.run(()).pace(pace).output::<u64>().await.unwrap(), 2 * expected);

    let watched = nested.run(());
    let mut events = watched.events(EventFilter::all());
    let watched = watched.spawn();
    while events.next().await.is_some() {}
    assert_eq!(watched.output::<u64>().await.unwrap(), 2 * expected);

    let cancelled = nested.run(()).spawn();
    cancelled.cancel();
    let ended = cancelled.await;
    assert!(matches!(ended, Err(RunError::Cancelled { .. })) || ended.is_ok());
    drop(nested.run(()).spawn());

    let paused = asking.run(()).await.unwrap();
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer_with(|_| true);
    assert_eq!(asking.resume(snapshot).output::<u64>().await.unwrap(), 2 * expected);

    for (place, store) in stores.iter().enumerate() {
        let id = format!("run {n} {place}");
        // Dropped in the middle, then continued.
        let begun = nested.run(()).stored_in(store, id.as_str()).spawn();
        for _ in 0..n % 30 {
            tokio::task::yield_now().await;
        }
        drop(begun);
        // Until the lease of what was dropped is released, which is soon: not when it expires.
        let run = || nested.run(()).stored_in(store, id.as_str());
        let soon = Duration::from_secs(15);
        let output = tokio::time::timeout(soon, async {
            loop {
                match run().output::<u64>().await {
                    Ok(output) => return output,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        assert_eq!(output.await.expect("the dropped run is released"), 2 * expected);
        let deleted = tokio::time::timeout(soon, async {
            while StoredRuns::new(store).delete(id.as_str()).await.is_err() {
                tokio::task::yield_now().await;
            }
        });
        deleted.await.expect("the run that has ended is released");
    }
}

/// Resident memory in KiB; 0 where it cannot be read.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_every_kind_for_a_long_time() {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    let time = Duration::from_secs(if is_night { 600 } else { 3 });
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(folder.path().join("runs.db")).await.unwrap();
    let stores: [Arc<dyn CheckpointStore>; 2] = [Arc::new(MemoryStore::new()), Arc::new(sqlite)];
    let alive = Alive::default();
    let automata = Arc::new([sum(&alive), nested(&alive, false), nested(&alive, true)]);
    let count = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = (0..3_u64)
        .map(|task| {
            let (automata, stores, count) =
                (Arc::clone(&automata), stores.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                let mut warm = 0;
                for n in 0.. {
                    if began.elapsed() > time {
                        break;
                    }
                    round(3 * n + task, &automata, &stores).await;
                    count.fetch_add(1, Ordering::Relaxed);
                    // What caches and pools take is there after a tenth of the time.
                    if warm == 0 && began.elapsed() > time / 10 {
                        warm = resident();
                    }
                }
                warm
            })
        })
        .collect();
    let mut warm = 0;
    for task in tasks {
        warm = task.await.unwrap().max(warm);
    }
    let (n_rounds, now) = (count.load(Ordering::Relaxed), resident());
    println!("{n_rounds} rounds in {:?}; {warm} KiB, then {now}", began.elapsed());
    assert!(n_rounds > 0);
    while alive.0.load(Ordering::SeqCst) > 0 {
        // A dropped run's workers end where they next yield.
        assert!(began.elapsed() < time + Duration::from_secs(60), "workers are left");
        tokio::task::yield_now().await;
    }
    if is_night {
        assert!(now < warm + warm / 4, "memory has grown from {warm} to {now} KiB");
    }
    let running = RunFilter::default().status(RunStatus::Running);
    for store in &stores {
        assert_eq!(StoredRuns::new(store).list(&running).await.unwrap().len(), 0);
    }
}
