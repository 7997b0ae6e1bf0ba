//! A process with a durable automa is killed, again and again; the run ends as if nothing had
//! happened.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ddg_core::checkpoint::{SqliteStore, StoredRuns};
use ddg_core::prelude::*;

const STEPS: u64 = 200;

/// How often the process is killed.
const KILLS: usize = 60;

/// A graph of 200 steps. Each appends a line to the log and adds to the sum.
fn automa(log: PathBuf) -> GraphAutoma {
    let mut automa = GraphAutoma::new("crash");
    let step = move |k: u64, sum: u64, cx: Context| {
        let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        // In one piece: killed between two, half a line would stay.
        file.write_all(format!("{k}\n").as_bytes()).unwrap();
        if k < STEPS {
            cx.ferry_to("step", (k + 1, sum + k));
        } else {
            cx.ferry_to("end", (sum + k,));
        }
    };
    automa.add_func_as_worker("step", step, start().inline()).unwrap();
    automa.add_func_as_worker("end", async |sum: u64| sum, free().output()).unwrap();
    automa
}

fn files() -> Option<(PathBuf, PathBuf)> {
    Some((std::env::var_os("DDG_CRASH_DB")?.into(), std::env::var_os("DDG_CRASH_LOG")?.into()))
}

/// The process that is killed. It is the other test that starts it, and names its files; where
/// nobody does, there is nothing to do.
#[tokio::test]
async fn child() {
    let Some((db, log)) = files() else { return };
    let automa = automa(log);
    let store = SqliteStore::open(&db).await.unwrap();
    let outcome = automa.run(args!(1_u64, 0_u64)).stored_in(&store, "run").await.unwrap();
    println!("result {}", outcome.into_output::<u64>().unwrap());
}

fn effects(log: &Path) -> Vec<u64> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// The last step that the store has confirmed.
async fn confirmed(db: &Path) -> u64 {
    let runs = StoredRuns::new(&SqliteStore::open(db).await.unwrap());
    runs.snapshot("run").await.map_or(0, |snapshot| snapshot.step())
}

/// [X5]
#[tokio::test]
async fn a_run_that_is_killed_sixty_times_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let (db, log) = (folder.path().join("run.db"), folder.path().join("run.log"));
    let mut seed = 1_u64;
    let mut random = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let mut n_kills = 0;
    loop {
        let before = confirmed(&db).await;
        let n_before = effects(&log).len();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("DDG_CRASH_DB", &db)
            .env("DDG_CRASH_LOG", &log)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        if n_kills < KILLS {
            // After a few more effects, and at some moment within a step.
            let wanted = n_before + 1 + random(3) as usize;
            while effects(&log).len() < wanted && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            for _ in 0..random(200_000) {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            n_kills += 1;
        } else {
            let ended = child.wait_with_output().unwrap();
            assert!(ended.status.success());
            let sum: u64 = (1..=STEPS).sum();
            let printed = String::from_utf8(ended.stdout).unwrap();
            assert!(printed.contains(&format!("result {sum}\n")), "{printed}");
        }
        let new = effects(&log).split_off(n_before);
        assert!(new.iter().all(|step| *step > before), "step {before} was confirmed, then {new:?}");
        if n_kills == KILLS && confirmed(&db).await > STEPS {
            break;
        }
    }
    let mut effects = effects(&log);
    assert!(effects.is_sorted());
    let n_effects = effects.len();
    effects.dedup();
    assert_eq!(effects, (1..=STEPS).collect::<Vec<_>>(), "every step's effect happened");
    println!("{KILLS} kills, {} effects happened again", n_effects - effects.len());
}
