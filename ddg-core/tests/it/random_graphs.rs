//! A thousand random programs do on the multi-thread runtime exactly what the naive reference
//! says, whichever worker is the first to end.

mod actor;
mod dice;
mod generate;
mod shrink;

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use self::actor::Stage;
use self::dice::Dice;
use crate::reference::{self, Program, Report};

const PROGRAMS: u64 = 1000;

/// How many programs run at the same time.
const AT_ONCE: usize = 8;

/// [R2] [S3] [S4] [S6]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_does_what_the_reference_does() {
    let mut tally = Tally::default();
    let mut seeds = 0..PROGRAMS;
    let mut checks = JoinSet::new();
    loop {
        while checks.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            checks.spawn(async move { (seed, compared(&generate::program(seed), seed).await) });
        }
        let Some(checked) = checks.join_next().await else { break };
        let (seed, compared) = checked.unwrap();
        match compared {
            Ok((program, report)) => tally.add(&program, &report),
            Err(_) if std::env::var_os("SHOW").is_some() => { println!("=====\n{}", shrink::explained(seed).await); }
            Err(_) => panic!("{}", shrink::explained(seed).await),
        }
    }
    tally.check();
}

/// Runs `program` in several ways at once. Gives what the reference says if all agree with it,
/// else how they differ.
async fn compared(program: &Program, noise: u64) -> Result<(Program, Report), String> {
    let program = program.clone();
    let expected = reference::run(&program);
    let stage = Stage::new(program, noise);
    for (way, seen) in stage.perform().await {
        if seen != expected {
            return Err(difference(way, &expected, &seen));
        }
    }
    Ok((stage.program.clone(), expected))
}

fn difference(way: &str, expected: &Report, seen: &Report) -> String {
    let mut text = format!("{way}:\n");
    for place in 0..expected.trace.len().max(seen.trace.len()) {
        match (expected.trace.get(place), seen.trace.get(place)) {
            (Some(expected), Some(seen)) if expected == seen => text += &format!("  {seen}\n"),
            (expected, seen) => {
                for (mark, line) in [("- reference", expected), ("+ engine   ", seen)] {
                    text += &line.map(|line| format!("{mark} {line}\n")).unwrap_or_default();
                }
                break;
            }
        }
    }
    format!("{text}- reference\n{}\n+ engine\n{}\n", expected.end, seen.end)
}

/// What the programs did, so that they are known to reach every rule.
#[derive(Default)]
struct Tally {
    n_kickoffs: usize,
    n_edits: usize,
    n: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// What is looked for in a report, and how many programs must have it at least.
    const REACHED: [(&str, usize); 24] = [
        ("output ", 350),
        (", then due: ", 50),
        ("ferry by", 600),
        (": failed", 30),
        ("duplicate key", 20),
        ("remove unknown", 10),
        ("after unknown", 10),
        ("change unknown", 5),
        ("is not after", 10),
        ("cycle", 15),
        ("after itself", 5),
        (" twice", 10),
        ("unpacks", 5),
        ("too many dependencies", 5),
        ("ferry to unknown", 20),
        ("deals to", 15),
        ("output after", 15),
        ("cannot unpack", 5),
        ("no number", 5),
        ("nothing for", 10),
        ("too many arguments", 5),
        ("no parameter", 3),
        ("waiting: `", 100),
        ("m69", 20),
    ];

    fn add(&mut self, program: &Program, report: &Report) {
        self.n_kickoffs += report.trace.iter().filter(|line| line.contains(" (")).count();
        let asks = program.script.values().flatten().map(|turn| turn.asks.len());
        self.n_edits += asks.sum::<usize>();
        for (what, _) in Self::REACHED {
            let has = |line: &String| line.contains(what);
            let has = report.trace.iter().any(has) || has(&report.end);
            *self.n.entry(what).or_default() += usize::from(has);
        }
    }

    fn check(&self) {
        if std::env::var_os("SHOW").is_some() { eprintln!("{} {} {:?}", self.n_kickoffs, self.n_edits, self.n); }
        for (what, at_least) in Self::REACHED {
            let n = self.n[what];
            assert!(n >= at_least, "only {n} programs have `{what}`");
        }
    }
}
