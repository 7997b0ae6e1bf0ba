//! A process is killed in the middle of a wide step, again and again; only the workers that were
//! running run again.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ddg_core::checkpoint::{CheckpointPolicy, CheckpointStore, RunId, SqliteStore};
use ddg_core::prelude::*;
use tokio::sync::Semaphore;

/// How many workers the step has.
const WIDE: u64 = 20;

/// A step of workers that append a line to the log when their gate opens, and then their sum.
fn automa(log: &Path, gates: &Arc<Vec<Semaphore>>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("wide");
    for k in 0..WIDE {
        let (log, gates) = (log.to_owned(), Arc::clone(gates));
        let work = move || {
            let (log, gates) = (log.clone(), Arc::clone(&gates));
            async move {
                gates[k as usize].acquire().await.unwrap().forget();
                let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
                // In one piece: killed between two, half a line would stay.
                file.write_all(format!("{k}\n").as_bytes()).unwrap();
                k
            }
        };
        automa.add_func_as_worker(format!("w{k}"), work, start()).unwrap();
    }
    let all: Vec<_> = (0..WIDE).map(|k| format!("w{k}")).collect();
    let sum = async |all: Vec<u64>| all.into_iter().sum::<u64>();
    automa.add_func_as_worker("sum", sum, after(all).merge().output()).unwrap();
    automa
}

fn files() -> Option<(PathBuf, PathBuf)> {
    Some((std::env::var_os("DDG_STEP_DB")?.into(), std::env::var_os("DDG_STEP_LOG")?.into()))
}

/// The process that is killed. The other test starts it and names its files; without them, there is
/// nothing to do. Each line of its input opens the gate of a worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some((db, log)) = files() else { return };
    let gates: Arc<Vec<_>> = Arc::new((0..WIDE).map(|_| Semaphore::new(0)).collect());
    let automa = automa(&log, &gates);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            gates[line.unwrap().parse::<usize>().unwrap()].add_permits(1);
        }
    });
    let store = SqliteStore::open(&db).await.unwrap();
    let run = automa.run(()).stored_in(&store, "run").checkpoints(CheckpointPolicy::EveryWorker);
    let outcome = run.await.unwrap();
    println!("result {}", outcome.into_output::<u64>().unwrap());
}

fn start_child(db: &Path, log: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("DDG_STEP_DB", db)
        .env("DDG_STEP_LOG", log)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Those who have written to the log, once for each time.
fn effects(log: &Path) -> Vec<u64> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// The workers whose results the store has confirmed; they are kicked off in order.
async fn confirmed(store: &SqliteStore) -> BTreeSet<u64> {
    let latest = store.latest(&RunId::new("run").unwrap()).await.ok().flatten();
    latest.map(|latest| latest.results.into_keys().collect()).unwrap_or_default()
}

/// [X9]
#[tokio::test]
async fn killed_in_a_wide_step_only_what_was_under_way_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let (db, log) = (folder.path().join("run.db"), folder.path().join("run.log"));
    let store = SqliteStore::open(&db).await.unwrap();
    let mut done = BTreeSet::new();
    while done.len() + 4 < WIDE as usize {
        let n_before = effects(&log).len();
        let mut child = start_child(&db, &log);
        // Two that are waited for, and two that are killed on their way, whatever has become of
        // them.
        let open: Vec<_> = (0..WIDE).rev().filter(|k| !done.contains(k)).collect();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{}\n{}", open[0], open[2]).unwrap();
        let began = Instant::now();
        while !confirmed(&store).await.is_superset(&[open[0], open[2]].into()) {
            assert!(child.try_wait().unwrap().is_none());
            assert!(began.elapsed() < Duration::from_secs(60), "they are never confirmed");
        }
        writeln!(input, "{}\n{}", open[1], open[3]).unwrap();
        if done.len() % 3 != 0 {
            while effects(&log).len() < n_before + 3 {
                std::thread::yield_now();
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let new = effects(&log).split_off(n_before);
        assert!(new.iter().all(|k| !done.contains(k)), "{done:?} were confirmed, then {new:?}");
        let before = done.len();
        done = confirmed(&store).await;
        assert!(done.len() >= before + 2);
    }
    let n_before = effects(&log).len();
    let mut child = start_child(&db, &log);
    let mut input = child.stdin.take().unwrap();
    (0..WIDE).for_each(|k| writeln!(input, "{k}").unwrap());
    let ended = child.wait_with_output().unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{printed}");
    assert!(printed.contains(&format!("result {}\n", (0..WIDE).sum::<u64>())), "{printed}");
    let last: BTreeSet<_> = effects(&log).split_off(n_before).into_iter().collect();
    assert_eq!(last, (0..WIDE).filter(|k| !done.contains(k)).collect());
    let all: BTreeSet<_> = effects(&log).into_iter().collect();
    assert_eq!(all, (0..WIDE).collect(), "every worker's effect happened");
}
