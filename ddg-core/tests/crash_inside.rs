//! A process is killed, again and again, while nested automata run side by side, or while a rolling
//! run settles quick workers beside slow ones. Only what was in flight happens again.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ddg_core::checkpoint::SqliteStore;
use ddg_core::prelude::*;

/// How often a process is killed; many more times at night.
fn n_kills() -> u64 {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    if is_night { 500 } else { 25 }
}

/// How many effects a branch has. A life has a few of them.
fn n_effects() -> u64 {
    3 * n_kills() + 20
}

/// The arguments of each start worker: the number of its step, and the sum so far. A start worker
/// of a rolling run takes its own.
const INPUT: (u64, u64) = (1, 0);

/// Number of branches that run at a time.
const BRANCHES: usize = 3;

/// An automa that has one effect in each of its steps.
fn branch(name: &str, n: u64, pause: Duration, log: &Path) -> GraphAutoma {
    let mut automa = GraphAutoma::new("branch");
    let (name, log) = (name.to_owned(), log.to_owned());
    let step = move |k: u64, sum: u64, cx: Context| {
        let (name, log) = (name.clone(), log.clone());
        async move {
            tokio::time::sleep(pause).await;
            let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
            // In one piece: killed between two writes, half a line would stay.
            file.write_all(format!("{name} {k}\n").as_bytes()).unwrap();
            match k < n {
                true => cx.ferry_to("step", (k + 1, sum + k)),
                false => cx.ferry_to("end", (sum + k,)),
            }
        }
    };
    automa.add_func_as_worker("step", step, start()).unwrap();
    automa.add_func_as_worker("end", async |sum: u64| sum, free().output()).unwrap();
    automa
}

/// Three automata side by side, of which one is nested deeper than the others.
fn nested(log: &Path) -> GraphAutoma {
    let mut automa = GraphAutoma::new("nested");
    let branch = |name| branch(name, n_effects(), Duration::ZERO, log);
    let deep = (0..3).fold(branch("c"), |inner, _| {
        let mut around = GraphAutoma::new("around");
        around.add_worker("inner", inner, start().output()).unwrap();
        around
    });
    for (key, worker) in [("a", branch("a")), ("b", branch("b")), ("c", deep)] {
        automa.add_worker(key, worker, start()).unwrap();
    }
    let sum = async |a: u64, b: u64, c: u64| a + b + c;
    automa.add_func_as_worker("sum", sum, after(["a", "b", "c"]).output()).unwrap();
    automa
}

/// Three loops at different paces in one rolling run.
fn rolling(log: &Path) -> GraphAutoma {
    let mut automa = GraphAutoma::new("rolling");
    automa.set_pace(Pace::Rolling);
    for (name, millis) in [("a", 0), ("b", 2), ("c", 20)] {
        let log = log.to_owned();
        let n = if millis == 20 { n_effects() / 10 } else { n_effects() };
        let step = move |k: u64, sum: u64, cx: Context| {
            let log = log.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
                file.write_all(format!("{name} {k}\n").as_bytes()).unwrap();
                match k < n {
                    true => cx.ferry_to(name, (k + 1, sum + k)),
                    false => cx.ferry_to(format!("{name} end"), (sum + k,)),
                }
            }
        };
        automa.add_func_as_worker(name, step, start()).unwrap();
        automa.add_func_as_worker(format!("{name} end"), async |sum: u64| sum, free()).unwrap();
    }
    let sum = async |a: u64, b: u64, c: u64| a + b + c;
    let ends = ["a end", "b end", "c end"];
    automa.add_func_as_worker("sum", sum, after(ends).output()).unwrap();
    automa
}

fn program(name: &str, log: &Path) -> GraphAutoma {
    if name == "nested" { nested(log) } else { rolling(log) }
}

fn given(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(Into::into)
}

/// The process that is killed. The other tests start it and name its files; without them, there is
/// nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Some(db), Some(log)) = (given("DDG_INSIDE_DB"), given("DDG_INSIDE_LOG")) else { return };
    let name = std::env::var("DDG_INSIDE_PROGRAM").unwrap();
    let store = SqliteStore::open(&db).await.unwrap();
    let outcome = program(&name, &log).run(INPUT).stored_in(&store, "run").await.unwrap();
    println!("result {}", outcome.into_output::<u64>().unwrap());
}

fn effects(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Kills the process of a program again and again; at last it ends as if it had not been killed.
async fn killed_again_and_again(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (db, log) = (folder.path().join("run.db"), folder.path().join("run.log"));
    let expected_log = folder.path().join("undisturbed.log");
    let undisturbed = program(name, &expected_log).run(INPUT).output::<u64>().await.unwrap();
    let expected: BTreeSet<_> = effects(&expected_log).into_iter().collect();
    let mut seed = 1_u64;
    let mut random = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let (mut n_killed, mut n_again) = (0, 0);
    loop {
        let before = effects(&log);
        let known: BTreeSet<_> = before.iter().cloned().collect();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("DDG_INSIDE_DB", &db)
            .env("DDG_INSIDE_LOG", &log)
            .env("DDG_INSIDE_PROGRAM", name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let is_last = n_killed == n_kills();
        if !is_last {
            // After a few more effects, and at some moment within a step.
            let wanted = before.len() + 1 + random(5) as usize;
            while effects(&log).len() < wanted && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            for _ in 0..random(200_000) {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
            n_killed += 1;
        }
        let ended = child.wait_with_output().unwrap();
        // Each branch repeats at most the step that was not confirmed when it was killed.
        let again = effects(&log).split_off(before.len());
        let again: Vec<_> = again.iter().filter(|effect| known.contains(*effect)).collect();
        assert!(again.len() <= BRANCHES, "after kill {n_killed}, again: {again:?}");
        n_again += again.len();
        if is_last {
            let printed = String::from_utf8(ended.stdout).unwrap();
            assert!(ended.status.success(), "{printed}");
            assert!(printed.contains(&format!("result {undisturbed}\n")), "{printed}");
            break;
        }
    }
    assert_eq!(effects(&log).into_iter().collect::<BTreeSet<_>>(), expected);
    println!("{n_killed} kills, {n_again} effects happened again");
}

/// [X9]
#[tokio::test]
async fn nested_automata_are_killed_again_and_again() {
    killed_again_and_again("nested").await;
}

/// [X12]
#[tokio::test]
async fn a_rolling_run_is_killed_again_and_again() {
    killed_again_and_again("rolling").await;
}
