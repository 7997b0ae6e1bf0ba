//! The steps of nested automata, and those of a rolling run beside slow workers, are written as they
//! settle: wherever a run is left, only what was in flight runs again.

mod inside;
mod names;
mod rolling;
mod time_travel;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::CheckpointPolicy;
use ddg_core::prelude::*;
use ddg_core::run::RunBuilder;

use crate::gated_store::GatedStore;

const PLENTY: usize = 10_000;

/// What workers have done outside of the run, in order.
#[derive(Clone, Default)]
struct Effects(Arc<Mutex<Vec<String>>>);

impl Effects {
    fn add(&self, effect: String) {
        self.0.lock().unwrap().push(effect);
    }

    /// How often each has happened.
    fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for effect in self.0.lock().unwrap().iter() {
            *counts.entry(effect.clone()).or_default() += 1;
        }
        counts
    }
}

/// An automa that adds its argument to itself `n` times by jumps, one step each, and remembers in a
/// local space how often.
fn looping(n: u64, effects: &Effects) -> GraphAutoma {
    let mut automa = GraphAutoma::new("looping");
    let effects = effects.clone();
    let step = move |k: u64, sum: u64, by: u64, cx: Context| {
        effects.add(format!("{}@{k}", cx.path()));
        cx.local().update("n", |n: &mut u64| *n += 1);
        match k < n {
            true => cx.ferry_to("step", (k + 1, sum + by, by)),
            false => cx.ferry_to("end", (sum + by,)),
        }
        cx.local().get::<u64>("n").unwrap_or_default()
    };
    let begin = async |by: u64, cx: Context| cx.ferry_to("step", (1_u64, 0_u64, by));
    automa.add_func_as_worker("begin", begin, start().inline()).unwrap();
    automa.add_func_as_worker("step", step, free().inline()).unwrap();
    let end = move |sum: u64, counted: u64| {
        assert_eq!(counted, n, "each step counts once");
        sum
    };
    let options = free().params(["sum", "n"]).from("n", "step").inline().output();
    automa.add_func_as_worker("end", end, options).unwrap();
    automa
}

/// A worker that has one effect and passes its argument on.
fn passing(effects: &Effects) -> impl Fn(u64, Context) -> u64 + Send + Sync + Clone + 'static {
    let effects = effects.clone();
    move |x: u64, cx: Context| {
        effects.add(cx.path().to_string());
        x
    }
}

/// How a run is left and continued.
#[derive(Clone, Copy)]
struct Way {
    policy: CheckpointPolicy,
    pace: Pace,
    /// How many effects may happen again.
    in_flight: usize,
}

impl Default for Way {
    fn default() -> Self {
        Self { policy: CheckpointPolicy::EveryStep, pace: Pace::Lockstep, in_flight: 1 }
    }
}

impl Way {
    fn run(self, automa: &GraphAutoma, store: &GatedStore) -> RunBuilder {
        automa.run(args!(1_u64)).pace(self.pace).checkpoints(self.policy).stored_in(store, "a")
    }
}

/// Leaves a run at each of its writes, continues it in an automa that is declared anew, and checks
/// that it ends as if it had not been left. Returns the number of writes.
async fn leave_at_every_write(way: Way, declare: impl Fn(&Effects) -> GraphAutoma) -> usize {
    let undisturbed = Effects::default();
    let automa = declare(&undisturbed);
    let expected: u64 = automa.run(args!(1_u64)).pace(way.pace).output().await.unwrap();
    let once = undisturbed.counts();
    assert!(once.values().all(|n| *n == 1), "{once:?}");
    let mut most_again = 0;
    for n_writes in 0.. {
        let effects = Effects::default();
        let store = GatedStore::open_for(n_writes);
        let left = way.run(&declare(&effects), &store).spawn();
        // The clock stands still while anything can make progress.
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        let is_end = |put: &String| !put.starts_with("running");
        if store.puts().iter().any(is_end) {
            // Only its end is left to write.
            store.let_through(PLENTY);
            left.await.unwrap();
            assert!(most_again > 0, "something is in flight at some write");
            return n_writes;
        }
        drop(left);
        store.freed("a").await;
        store.let_through(PLENTY);
        let continued = way.run(&declare(&effects), &store).output::<u64>().await;
        assert_eq!(continued.unwrap(), expected, "left at write {n_writes}");
        let counts = effects.counts();
        assert!(counts.keys().eq(once.keys()), "left at write {n_writes}: {counts:?}");
        let again: Vec<_> = counts.iter().filter(|(_, n)| **n > 1).collect();
        let n_again: usize = again.iter().map(|(_, n)| **n - 1).sum();
        assert!(n_again <= way.in_flight, "left at write {n_writes}, again: {again:?}");
        most_again = most_again.max(n_again);
    }
    unreachable!("a run has an end")
}
