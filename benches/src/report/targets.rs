//! What is asked of the engine, and whether it holds.

use super::table::{bytes, count, ratio};
use crate::baselines::SPAWN;
use crate::ddg::{DDG, FIRST_RUN};
use crate::figure::Figures;
use crate::subject::Kind;

/// Something asked for.
pub struct Target {
    /// Of what.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What is asked for.
    pub asked: String,
    /// What would be better still.
    pub moonshot: String,
    /// Whether what is asked for was found.
    pub holds: bool,
}

/// All targets for which there are figures.
pub fn targets(figures: &Figures) -> Vec<Target> {
    let targets = [
        growth(figures, "grow", 10, 100_000, 1.3, 1.1),
        growth(figures, "chain", 100, 100_000, 1.5, 1.2),
        speedup(figures),
        heavy_first_run(figures),
        payload(figures, "payload-chain"),
        payload(figures, "payload-moved"),
        payload(figures, "payload-fan"),
        rolling(figures),
        parked(figures),
        building(figures),
        starting(figures),
    ];
    targets.into_iter().flatten().chain(peers(figures)).collect()
}

fn at_most(what: String, found: f64, asked: f64, moonshot: f64) -> Target {
    Target {
        what,
        found: ratio(found),
        asked: format!("≤ {asked:.2}"),
        moonshot: format!("≤ {moonshot:.2}"),
        holds: found <= asked,
    }
}

fn growth(
    figures: &Figures,
    workload: &str,
    small: usize,
    large: usize,
    asked: f64,
    moonshot: f64,
) -> Option<Target> {
    let ns = |size| Some(figures.find(workload, size, DDG)?.ns_per_worker);
    let what = format!("{workload}: cost per worker at {} against {small}", count(large));
    Some(at_most(what, ns(large)? / ns(small)?, asked, moonshot))
}

fn speedup(figures: &Figures) -> Option<Target> {
    let speedup = |engine| {
        let ns = |threads| Some(figures.find("cpu", threads, engine)?.ns_per_worker);
        Some(ns(1)? / ns(2)?)
    };
    let found = speedup(DDG)?;
    let plain = speedup("threads").map_or_else(String::new, |plain| {
        format!(
            " (plain threads: {plain:.2}, one spawn each: {:.2})",
            speedup(SPAWN).unwrap_or(0.0)
        )
    });
    Some(Target {
        what: "cpu: faster on 2 threads than on 1".to_owned(),
        found: format!("{found:.2}{plain}"),
        asked: "≥ 1.90".to_owned(),
        moonshot: "≥ 1.97".to_owned(),
        holds: found >= 1.9,
    })
}

/// Workers that have never run, and compute: they must not wait for each other while a core idles.
fn heavy_first_run(figures: &Figures) -> Option<Target> {
    let ns = |engine| Some(figures.find("cpu", 2, engine)?.ns_per_worker);
    let found = ns(FIRST_RUN)? / ns("threads")?;
    let what = "cpu of 2, first run: against plain threads".to_owned();
    Some(at_most(what, found, 1.05, 1.0))
}

fn payload(figures: &Figures, workload: &str) -> Option<Target> {
    let found = figures.find(workload, 100, DDG)?.allocated_bytes;
    Some(Target {
        what: format!("{workload}: allocated for a payload of 1 MiB"),
        found: bytes(found),
        asked: "no copy".to_owned(),
        moonshot: String::new(),
        holds: found < 2 << 20,
    })
}

fn rolling(figures: &Figures) -> Option<Target> {
    let ns = |engine| Some(figures.find("uneven-rolling", 64, engine)?.ns_per_worker);
    let found = ns(DDG)? / ns("longest-branch")?;
    Some(at_most("uneven, rolling: against the longest branch alone".to_owned(), found, 1.1, 1.0))
}

fn parked(figures: &Figures) -> Option<Target> {
    let figure = figures.find("many", 10_000, DDG)?;
    let found = figure.peak_bytes / figure.size;
    Some(Target {
        what: "many: memory per parked run of 10 workers".to_owned(),
        found: bytes(found),
        asked: "≤ 1,500 B".to_owned(),
        moonshot: "≤ 1,000 B".to_owned(),
        holds: found <= 1_500,
    })
}

fn building(figures: &Figures) -> Option<Target> {
    let found = figures.find("build", 10_000, DDG)?.ns_per_worker;
    let what = "build: µs per worker with its dependencies, validated and started".to_owned();
    Some(at_most(what, found / 1_000.0, 0.4, 0.25))
}

fn starting(figures: &Figures) -> Option<Target> {
    let found = figures.find("start", 100_000, DDG)?.ns_per_worker;
    let what = "start: µs for a run of 100,000 declared workers".to_owned();
    Some(at_most(what, found / 1_000.0, 5.0, 1.0))
}

/// For each workload that a peer can do, whether it does it faster: against graphs that have run
/// before, and against those that have not.
fn peers(figures: &Figures) -> impl Iterator<Item = Target> {
    figures.workloads().into_iter().flat_map(move |(workload, size)| {
        let of_peers = figures.all.iter().filter(|figure| {
            (figure.workload, figure.size, figure.kind) == (workload, size, Kind::Peer)
        });
        let best = of_peers.min_by(|a, b| a.ns_per_worker.total_cmp(&b.ns_per_worker));
        // Nobody is faster than the work itself; and who has two paces is taken at the better one.
        let (pace, asked, moonshot) = match workload {
            "uneven" => ("uneven-rolling", 1.05, 1.0),
            "cpu" => (workload, 1.05, 1.0),
            _ => (workload, 1.0, 0.7),
        };
        let against = move |engine, run: &str| {
            let best = best?;
            let found = figures.find(pace, size, engine)?.ns_per_worker / best.ns_per_worker;
            let size = count(size);
            let what = format!("{pace} of {size}{run}: against the fastest peer, {}", best.engine);
            Some(at_most(what, found, asked, moonshot))
        };
        [against(DDG, ""), against(FIRST_RUN, ", first run")].into_iter().flatten()
    })
}
