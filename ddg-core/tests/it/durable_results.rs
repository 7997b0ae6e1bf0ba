//! The results of single workers are written as they end. When the run is resumed, those workers do
//! not run again, and their outputs and effects count once.

mod asked;
mod ended_otherwise;
mod several;
mod under_way;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointPolicy, CheckpointStore, RunId};
use ddg_core::prelude::*;
use tokio::sync::Semaphore;

use crate::gated_store::GatedStore;

const PLENTY: usize = 1_000;

/// Which kickoffs have begun, and which may end.
#[derive(Clone, Default)]
struct Stage {
    calls: Arc<Mutex<Vec<String>>>,
    gates: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

/// A worker that does something when it is let.
struct Gated(Stage, fn(&Context) -> Result<u64, WorkerError>);

impl Stage {
    fn gate(&self, who: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        Arc::clone(gates.entry(who.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    /// Opens the gates of kickoffs, both present and future.
    fn open<const N: usize>(&self, all: [&str; N]) {
        all.into_iter().for_each(|who| self.gate(who).add_permits(PLENTY));
    }

    /// The kickoffs since this was called last.
    fn calls(&self) -> String {
        let mut calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.sort();
        calls.join(" ")
    }

    fn worker(&self, then: fn(&Context) -> Result<u64, WorkerError>) -> Gated {
        Gated(self.clone(), then)
    }
}

impl Worker for Gated {
    type Output = u64;

    async fn run(&self, _: Args, cx: &Context) -> Result<u64, WorkerError> {
        let who = format!("{}#{}", cx.key(), serde_json::to_string(&cx.kickoff_id()).unwrap());
        self.0.calls.lock().unwrap().push(who.clone());
        self.0.gate(&who).acquire().await.unwrap().forget();
        (self.1)(cx)
    }
}

/// The run `a`, with all results written.
fn stored(automa: &GraphAutoma, store: &GatedStore) -> ddg_core::run::RunBuilder {
    automa.run(()).stored_in(store, "a").checkpoints(CheckpointPolicy::EveryWorker)
}

/// Waits until no worker can make progress.
async fn until_stuck() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Drives the run until no worker can make progress, then drops it.
async fn leave_in_the_middle(automa: &GraphAutoma, store: &GatedStore) {
    let run = stored(automa, store).spawn();
    until_stuck().await;
    assert!(!run.is_finished());
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

async fn go_on(automa: &GraphAutoma, store: &GatedStore) -> Outcome {
    stored(automa, store).await.unwrap()
}

/// The kickoffs whose result is in the store.
async fn kept(store: &GatedStore) -> Vec<u64> {
    let latest = store.latest(&RunId::new("a").unwrap()).await.unwrap().unwrap();
    latest.results.into_keys().collect()
}

/// Three workers at a time, and one that sums up what they give.
fn wide(stage: &Stage) -> GraphAutoma {
    let mut automa = GraphAutoma::new("wide");
    automa.add_worker("a", stage.worker(|_| Ok(1)), start()).unwrap();
    automa.add_worker("b", stage.worker(|_| Ok(20)), start()).unwrap();
    automa.add_worker("c", stage.worker(|_| Ok(300)), start()).unwrap();
    let sum = async |a: u64, b: u64, c: u64| a + b + c;
    automa.add_func_as_worker("sum", sum, after(["a", "b", "c"]).output()).unwrap();
    automa
}
