//! A thousand random programs do on the multi-thread runtime exactly what the naive reference does,
//! whichever worker ends first.

pub(crate) mod actor;
pub(crate) mod dice;
pub(crate) mod generate;
mod left;
mod lives;
mod pause;
pub(crate) mod played;
pub(crate) mod shrink;
pub(crate) mod stage;
mod watched;

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use self::actor::Stage;
pub(crate) use self::dice::Dice;
use self::pause::pause;
use crate::reference::{self, Program, Report, Worker};

const PROGRAMS: u64 = 1000;

/// How many programs run at the same time.
const AT_ONCE: usize = 8;

/// [R2] [S3] [S4] [S6] [V1] [V2] [V3] [V4]
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
        let (seed, result) = checked.unwrap();
        match result {
            Ok((program, report)) => tally.add(&program, &report),
            Err(_) => {
                let program = generate::program(seed);
                let compared = async |program: &Program| compared(program, seed).await.map(drop);
                panic!("{}", shrink::explained(seed, program, compared).await)
            }
        }
    }
    tally.check();
}

/// How two reports differ.
pub(crate) type Difference = String;

/// Runs `program` in several ways at once. Gives what the reference says if all agree with it,
/// else how they differ.
async fn compared(program: &Program, noise: u64) -> Result<(Program, Report), Difference> {
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

pub(crate) fn difference(way: &str, expected: &Report, seen: &Report) -> Difference {
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
    n_asks: usize,
    n: BTreeMap<&'static str, usize>,
    /// How many programs do something else without `after_loops`, and without `after_nobody`.
    n_otherwise: [usize; 2],
}

impl Tally {
    /// What is looked for in a report, and how many programs must have it at least.
    const REACHED: [(&str, usize); 26] = [
        ("output ", 230),
        (", then due: ", 100),
        ("ferry by", 700),
        (": failed", 80),
        ("duplicate key", 10),
        ("remove unknown", 2),
        ("after unknown", 3),
        ("change unknown", 5),
        ("is not after", 20),
        ("cycle", 5),
        ("after itself", 15),
        (" twice", 5),
        ("unpacks", 1),
        ("too many dependencies", 5),
        ("ferry to unknown", 50),
        ("deals to", 15),
        ("output after", 25),
        ("cannot unpack", 3),
        ("no number", 15),
        ("nothing for", 40),
        ("too many arguments", 25),
        ("no parameter", 15),
        ("waiting: `", 80),
        ("m69", 15),
        (" given, ", 10),
        ("unpack the run's", 2),
    ];

    fn add(&mut self, program: &Program, report: &Report) {
        self.n_kickoffs += report.trace.iter().filter(|line| line.contains(" (")).count();
        let asks = program.script.values().flatten().map(|turn| turn.asks.len());
        self.n_asks += asks.sum::<usize>();
        for (what, _) in Self::REACHED {
            let has = |line: &String| line.contains(what);
            let has = report.trace.iter().any(has) || has(&report.end);
            *self.n.entry(what).or_default() += usize::from(has);
        }
        let without: [fn(&mut Worker); 2] =
            [|worker| worker.after_loops = false, |worker| worker.after_nobody = false];
        for (n, change) in self.n_otherwise.iter_mut().zip(without) {
            *n += usize::from(reference::run(&program.with_workers(change)) != *report);
        }
    }

    fn check(&self) {
        assert!(self.n_kickoffs > 15_000, "only {} kickoffs", self.n_kickoffs);
        assert!(self.n_asks > 12_000, "only {} asks", self.n_asks);
        let too_few = Self::REACHED.iter().filter(|(what, at_least)| self.n[what] < *at_least);
        let too_few: Vec<_> = too_few.map(|(what, _)| (what, self.n[what])).collect();
        assert!(too_few.is_empty(), "too few programs have {too_few:?}");
        let [loops, nobody] = self.n_otherwise;
        assert!(loops >= 80 && nobody >= 80, "only {loops} wait for loops, {nobody} for nobody");
    }
}
