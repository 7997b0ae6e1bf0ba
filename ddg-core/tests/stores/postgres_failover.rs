//! A server dies, and its standby takes its place at the same URL: runs continue in the same
//! process, and each step counts once.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use ddg_core::checkpoint::{PostgresStore, RunFilter, RunStatus, StoredRuns};
use ddg_core::prelude::*;
use tokio::sync::oneshot;

use crate::setup::postgres::Database;

/// A server with a synchronous standby, and the order to let the standby take over.
struct Pair {
    url: String,
    process: Child,
    lines: Box<dyn Iterator<Item = std::io::Result<String>> + Send>,
}

impl Pair {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/postgres");
        let mut started = Command::new(script);
        let started = started.arg("pair").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = started.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.next().expect("the servers start").unwrap();
        Self { url, process, lines: Box::new(lines) }
    }

    fn fail_over(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"fail over\n").unwrap();
        let told = self.lines.next().expect("the standby takes over").unwrap();
        assert_eq!(told, "the standby has taken over");
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        _ = self.process.wait();
    }
}

const N_STEPS: u32 = 200;

/// Number of runs at the same time.
const N_RUNS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_continue_when_a_standby_takes_over() {
    // Says that there is no server to test with, or fails where there must be one.
    let Some(database) = Database::new().await else { return };
    database.drop().await;
    let mut pair = Pair::start();
    let store = PostgresStore::connect(&pair.url).await.unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let (begun, has_begun) = oneshot::channel();
    let begun = Arc::new(Mutex::new(Some(begun)));
    let mut automa = GraphAutoma::new("count");
    let taken = Arc::clone(&steps);
    let count = move |run: usize, n: u32, cx: Context| {
        taken.lock().unwrap().push((run, n));
        // In the middle of all runs.
        if n == 20
            && let Some(begun) = begun.lock().unwrap().take()
        {
            begun.send(()).unwrap();
        }
        if n < N_STEPS {
            cx.ferry_to("count", (run, n + 1));
        }
        n
    };
    automa.add_func_as_worker("count", count, start().inline().output()).unwrap();
    let run = |n: usize| automa.run(args!(n, 1_u32)).stored_in(&store, format!("run {n}")).spawn();
    let runs: Vec<_> = (0..N_RUNS).map(run).collect();
    has_begun.await.unwrap();
    let n_before = steps.lock().unwrap().len();
    let pair = tokio::task::spawn_blocking(move || {
        pair.fail_over();
        pair
    });
    let pair = pair.await.unwrap();
    assert!(n_before < N_RUNS * N_STEPS as usize, "the runs had ended before");
    for run in runs {
        assert_eq!(run.output::<u32>().await.unwrap(), N_STEPS);
    }
    // Each step was taken once by its run, and all are in the store.
    let mut steps = std::mem::take(&mut *steps.lock().unwrap());
    steps.sort_unstable();
    let all = (0..N_RUNS).flat_map(|run| (1..=N_STEPS).map(move |n| (run, n)));
    assert!(all.eq(steps), "steps were lost or repeated");
    let stored = StoredRuns::new(&store);
    for n in 0..N_RUNS {
        let history = stored.history(format!("run {n}").as_str()).await.unwrap();
        assert_eq!(history.len(), N_STEPS as usize + 1);
    }
    let finished = RunFilter::default().status(RunStatus::Finished);
    assert_eq!(stored.list(&finished).await.unwrap().len(), N_RUNS);
    store.close().await;
    drop(pair);
}
