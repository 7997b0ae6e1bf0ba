//! Random programs as stored runs, compared with the reference.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointPolicy, CheckpointStore, Claim, RunFilter, StoredRuns};
use ddg_core::prelude::*;
use tokio::task::JoinSet;

use crate::random_graphs::generate;
use crate::random_graphs::stage::{Log, Stage};
use crate::reference::engine::args;
use crate::reference::{self, Program};

/// Number of programs in a test.
pub(crate) fn n_programs() -> u64 {
    if std::env::var_os("DDG_NIGHTLY").is_some() { 1000 } else { 60 }
}

/// Number of runs at the same time.
const AT_ONCE: usize = 16;

struct Untouched;

impl Callback for Untouched {}

/// Runs the programs, several at the same time. Returns how many kickoffs ran again.
pub(crate) async fn check(store: &Arc<dyn CheckpointStore>) -> usize {
    let mut seeds = 0..n_programs();
    let mut runs = JoinSet::new();
    let mut n_again = 0;
    loop {
        while runs.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            runs.spawn(check_one(Arc::clone(store), seed));
        }
        match runs.join_next().await {
            Some(run) => n_again += run.unwrap(),
            None => break,
        }
    }
    let runs = StoredRuns::new(store).list(&RunFilter::left()).await;
    assert_eq!(runs.unwrap(), [], "no run is left");
    n_again
}

async fn check_one(store: Arc<dyn CheckpointStore>, seed: u64) -> usize {
    let program = generate::program(seed);
    let policies =
        [CheckpointPolicy::EveryStep, CheckpointPolicy::EveryWorker, CheckpointPolicy::OnPause];
    // Short leases, so that some expire during a fault.
    let claim =
        Claim::this_process(Duration::from_millis(if seed.is_multiple_of(2) { 500 } else { 2000 }));
    let expected = reference::run(&program);
    let log = Arc::<Mutex<Log>>::default();
    let program: Arc<Program> = Arc::new(program);
    let automa = Stage::new(&program, &log).automa(Untouched);
    let run = automa.run(args(&program.input)).stored_in(&store, format!("run {seed}"));
    let ended = run.checkpoints(policies[seed as usize % 3]).claim(claim).await;
    let log = std::mem::take(&mut *log.lock().unwrap());
    let n_again = log.n_again;
    assert_eq!(log.report(ended), expected, "seed {seed}:\n{program}");
    n_again
}
