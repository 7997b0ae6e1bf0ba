//! Several processes continue the runs of one store, and are stopped in the middle for longer than their
//! leases last: what a process did not confirm in time is not kept, and it does no more for runs that it
//! has lost.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ddg_core::checkpoint::{Claim, RunFilter, RunService, RunStatus, StoredRuns};
use ddg_core::prelude::*;

use crate::setup::process::{Process, say, wait_to_be_told};
use crate::setup::{on_every_place, open};

on_every_place! {
    two_processes_that_are_stopped_past_their_leases,
    four_processes_that_are_stopped_past_their_leases,
}

const PLACE: &str = "DDG_TEST_PLACE";
const LOG: &str = "DDG_TEST_LOG";

/// How long a lease lasts.
const SHORT: Duration = Duration::from_secs(2);

const N_RUNS: usize = 6;

/// How often a process is stopped.
fn n_stops() -> u32 {
    if std::env::var_os("DDG_NIGHTLY").is_some() { 60 } else { 2 }
}

/// The number of steps of a run: enough that some have not ended when the last process is stopped.
fn n_steps() -> u64 {
    400 * u64::from(n_stops())
}

/// Appends a line for each of its steps.
fn automa(log: PathBuf) -> GraphAutoma {
    let mut automa = GraphAutoma::new("count");
    let step = move |run: usize, k: u64, sum: u64, cx: Context| {
        let log = log.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
            // In one piece, so that lines of several processes do not mix.
            file.write_all(format!("{run} {k}\n").as_bytes()).unwrap();
            match k < n_steps() {
                true => cx.ferry_to("step", (run, k + 1, sum + k)),
                false => cx.ferry_to("end", (sum + k,)),
            }
        }
    };
    automa.add_func_as_worker("step", step, start()).unwrap();
    automa.add_func_as_worker("end", async |sum: u64| sum, free().output()).unwrap();
    automa
}

/// What the other tests start as processes of their own; without a place, there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_many() {
    let (Ok(place), Ok(log)) = (std::env::var(PLACE), std::env::var(LOG)) else { return };
    let store = open(&place).await;
    let service = RunService::new(&store)
        .automa(automa(log.into()))
        .claim(Claim::this_process(SHORT))
        .poll(Duration::from_millis(20))
        .spawn();
    say("serving");
    tokio::task::spawn_blocking(wait_to_be_told).await.unwrap();
    service.stop().await;
}

/// The runs that a process holds.
async fn held(runs: &StoredRuns, process: &Process) -> Vec<String> {
    let name = format!("process {} ", process.child.id());
    let mut held = runs.list(&RunFilter::default()).await.unwrap();
    held.retain(|run| {
        let holder = run.holder.as_ref().map(|holder| format!("{} ", holder.owner));
        holder.is_some_and(|holder| holder.starts_with(&name))
    });
    held.into_iter().map(|run| run.run.to_string()).collect()
}

/// The steps of each run, in the order of the log.
fn effects(log: &Path) -> BTreeMap<usize, Vec<u64>> {
    let mut effects = BTreeMap::<_, Vec<_>>::new();
    for line in fs::read_to_string(log).unwrap_or_default().lines() {
        let (run, step) = line.split_once(' ').unwrap();
        effects.entry(run.parse().unwrap()).or_default().push(step.parse().unwrap());
    }
    effects
}

/// [X6]
async fn two_processes_that_are_stopped_past_their_leases(place: &str) {
    check(place, 2).await;
}

/// [X6]
async fn four_processes_that_are_stopped_past_their_leases(place: &str) {
    check(place, 4).await;
}

/// Stops one of the processes after the other, each until the others have taken its runs.
async fn check(place: &str, n_processes: usize) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let store = open(place).await;
    let runs = StoredRuns::new(&store);
    let automa = automa(log.clone());
    for n in 0..N_RUNS {
        let run = automa.run(args!(n, 1_u64, 0_u64)).stored_in(&store, format!("run {n}"));
        run.enqueue().await.unwrap();
    }
    let vars = [(PLACE, place), (LOG, log.to_str().unwrap())];
    let start = |_| Process::start("fencing::a_process_of_many", &vars);
    let mut processes: Vec<_> = (0..n_processes).map(start).collect();
    processes.iter_mut().for_each(|process| process.wait_for("serving"));
    let (mut n_taken, mut n_locked) = (0, 0);
    let mut stopped = 0;
    let finished = RunFilter::default().status(RunStatus::Finished);
    while stopped < n_stops() && runs.list(&finished).await.unwrap().len() < N_RUNS {
        let process = &processes[stopped as usize % n_processes];
        let before = held(&runs, process).await;
        if before.is_empty() {
            // The others have all runs: one of them is next.
            processes.rotate_left(1);
            tokio::task::yield_now().await;
            continue;
        }
        process.signal("STOP");
        let taken = tokio::time::timeout(5 * SHORT, async {
            while !held(&runs, process).await.is_empty() {
                tokio::task::yield_now().await;
            }
        });
        // In the middle of a transaction it keeps its locks, and nobody can take what it holds.
        match taken.await {
            Ok(()) => n_taken += before.len(),
            Err(_) => n_locked += 1,
        }
        process.signal("CONT");
        stopped += 1;
    }
    let ended = async {
        while runs.list(&finished).await.unwrap().len() < N_RUNS {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(900), ended).await.expect("all runs end");
    processes.into_iter().for_each(Process::join);

    let n_steps = n_steps();
    let mut n_again = 0;
    for n in 0..N_RUNS {
        let id = format!("run {n}");
        let sum: u64 = automa.run(()).stored_in(&store, &id).output().await.unwrap();
        assert_eq!(sum, (1..=n_steps).sum::<u64>());
        // One state for each step, and those of the beginning and the end.
        assert_eq!(runs.history(&id).await.unwrap().len() as u64, n_steps + 2);
        let mut steps = effects(&log).remove(&n).unwrap();
        let n_effects = steps.len() as u64;
        n_again += n_effects - n_steps;
        steps.sort_unstable();
        steps.dedup();
        assert!(steps.into_iter().eq(1..=n_steps), "every step's effect happened");
    }
    println!(
        "{n_processes} processes: {n_taken} runs taken, {n_locked} stops in a transaction; {n_again} effects happened again"
    );
    // For each run that was taken: of its new holder the step that was not confirmed, and of the old one
    // the step that it was in.
    let most = 2 * (n_taken + n_locked * N_RUNS) as u64;
    assert!(n_again <= most, "{n_again} effects happened again");
    assert!(n_taken > 0, "no run was taken");
}
