//! Random programs that are dropped in the middle of their steps and resumed elsewhere do what the
//! naive reference does, and workers that had ended do not run again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointPolicy, CheckpointStore, MemoryStore, RunId};
use ddg_core::prelude::*;

use crate::random_graphs::generate;
use crate::random_graphs::stage::{Log, Stage};
use crate::reference::engine::args;
use crate::reference::{self, Program, Report};

const PROGRAMS: u64 = 300;

/// Some workers never begin, others in each life of the run.
struct SomeHang {
    seed: u64,
    life: u64,
    n_hanging: Arc<AtomicUsize>,
}

impl Callback for SomeHang {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        let mut hasher = DefaultHasher::new();
        (self.seed, self.life, cx.key().as_str()).hash(&mut hasher);
        if hasher.finish().is_multiple_of(3) {
            self.n_hanging.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Tally {
    n_lives: u64,
    n_results: usize,
    n_with_asks: usize,
    n_again: usize,
}

/// Runs `program` in as many lives as it needs. Each life ends when nothing makes progress any
/// more. The log refuses a kickoff that runs again although its result is written.
async fn in_many_lives(seed: u64, program: &Arc<Program>, tally: &mut Tally) -> Report {
    let log = Arc::<Mutex<Log>>::default();
    let store = MemoryStore::new();
    let run = RunId::new("run").unwrap();
    let mut life = 0;
    let ended = loop {
        let n_hanging = Arc::default();
        let hang = SomeHang { seed, life, n_hanging: Arc::clone(&n_hanging) };
        let automa = Stage::new(program, &log).automa(hang);
        let run_on = automa.run(args(&program.input)).stored_in(&store, "run");
        let run_on = run_on.checkpoints(CheckpointPolicy::EveryWorker).spawn();
        // The clock stands still while anything can make progress.
        let mut run_on = std::pin::pin!(run_on);
        if let Ok(ended) = tokio::time::timeout(Duration::from_secs(1), run_on.as_mut()).await {
            break ended;
        }
        assert!(n_hanging.load(Ordering::Relaxed) > 0);
        run_on.cancel();
        assert!(matches!(run_on.await, Err(RunError::Cancelled { .. })));
        life += 1;
        tally.n_lives += 1;
        let results = store.latest(&run).await.unwrap().unwrap().results;
        tally.n_results += results.len();
        let asks = |body: &&Vec<u8>| {
            let body = String::from_utf8_lossy(body);
            body.contains("\"ferries\"") || body.contains("\"edits\"")
        };
        let kept = results.keys().map(|id| serde_json::from_value((*id).into()).unwrap());
        log.lock().unwrap().kept = kept.collect();
        tally.n_with_asks += results.values().filter(asks).count();
    };
    let log = std::mem::take(&mut *log.lock().unwrap());
    tally.n_again += log.n_again;
    log.report(ended)
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn left_in_the_middle_of_its_steps_a_run_does_what_the_reference_does() {
    let mut tally = Tally::default();
    for seed in 0..PROGRAMS {
        let program = Arc::new(generate::program(seed));
        let expected = reference::run(&program);
        let seen = in_many_lives(seed, &program, &mut tally).await;
        assert_eq!(seen, expected, "seed {seed}:\n{program}");
    }
    let Tally { n_lives, n_results, n_with_asks, n_again } = tally;
    assert!(n_lives > 500, "left only {n_lives} times");
    assert!(n_results > 1000, "only {n_results} results were kept");
    assert!(n_with_asks > 300, "only {n_with_asks} of them asked for something");
    // Of a worker that was kicked off several times, and failed in one of them.
    assert!(n_again < 50, "{n_again} kickoffs ran again");
}
