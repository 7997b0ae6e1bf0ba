//! The same work written by hand, with what an engine would be built on.

mod alone;
mod countdown;
#[cfg(test)]
mod tests;
mod way;
mod workers;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::gate::Gate;
use crate::shape::{Carries, Shape, Work};
use crate::subject::{Kind, Prepare, Subject};
use crate::workload::Workload;
use countdown::Plan;
use way::Way;
use workers::{Gated, Idle, Passing, Reading, Sharing, Workers, Working};

pub use way::{FUTURES_UNORDERED, SPAWN};

/// All baselines that `workload` has. A graph that changes while it runs is done as the fixed one
/// that it amounts to.
pub fn subjects(workload: &Workload) -> Vec<Subject> {
    match workload {
        Workload::Static(shape) => fixed(shape),
        Workload::Rolling(shape) => vec![
            in_way(Way::Spawn, shape, &Working::new(shape)),
            subject("longest-branch", alone::longest_branch(shape)),
        ],
        Workload::Cpu { shape, threads } => {
            let mut subjects = fixed(shape);
            subjects.push(subject("threads", alone::threads(shape, *threads)));
            subjects
        }
        Workload::Loop { jumps } => fixed(&Shape::chain(*jumps)),
        Workload::Grow { rounds, width, .. } => fixed(&Shape::fans(*rounds, *width).reading()),
        Workload::PayloadChain { length, bytes } | Workload::PayloadMoved { length, bytes } => {
            all_ways(&Shape::chain(*length), &Passing::new(*bytes))
        }
        Workload::PayloadFan { width, bytes } => {
            all_ways(&Shape::fan(*width), &Sharing::new(*bytes, *width))
        }
        Workload::Many { runs, workers } => many(*runs, *workers),
        Workload::Start { .. } | Workload::Build { .. } => Vec::new(),
    }
}

fn fixed(shape: &Shape) -> Vec<Subject> {
    if shape.does(|work| matches!(work, Work::Sleep(_))) {
        // One after the other, sleepers would take seconds.
        let workers = Working::new(shape);
        let ways = [Way::Spawn, Way::FuturesUnordered, Way::PollFirst];
        let mut subjects: Vec<_> = ways.map(|way| in_way(way, shape, &workers)).into();
        subjects.push(subject("longest-branch", alone::longest_branch(shape)));
        return subjects;
    }
    match shape.carries {
        Carries::Numbers => all_ways(shape, &Reading::new(shape)),
        Carries::Nothing if shape.does(|work| work == Work::Yield) => {
            yielding_ways(shape, &Working::new(shape))
        }
        Carries::Nothing if shape.does(|work| work != Work::Nothing) => {
            all_ways(shape, &Working::new(shape))
        }
        Carries::Nothing => all_ways(shape, &Idle),
    }
}

fn all_ways(shape: &Shape, workers: &impl Workers) -> Vec<Subject> {
    Way::ALL.map(|way| in_way(way, shape, workers)).into()
}

/// In all ways that let workers yield.
fn yielding_ways(shape: &Shape, workers: &impl Workers) -> Vec<Subject> {
    let mut subjects = all_ways(shape, workers);
    for subject in &mut subjects {
        if subject.engine == Way::PollFirst.name() {
            subject.prepare = Err("polls again at once what waits, so nothing yields".to_owned());
        }
    }
    subjects
}

fn in_way(way: Way, shape: &Shape, workers: &impl Workers) -> Subject {
    let (plan, workers) = (Arc::new(Plan::new(shape)), workers.clone());
    subject(way.name(), Box::new(move || way.run(Arc::clone(&plan), workers.clone())))
}

/// Each run is a task, in which the workers are called in one of the ways.
fn many(runs: usize, workers: usize) -> Vec<Subject> {
    let plan = Arc::new(Plan::new(&Shape::chain(workers)));
    let subjects = Way::ALL.map(|way| {
        let (plan, gate) = (Arc::clone(&plan), Arc::new(Gate::new(runs)));
        let prepare = move || -> crate::subject::Round {
            let (plan, gate) = (Arc::clone(&plan), Arc::clone(&gate));
            Box::pin(async move {
                let mut set = JoinSet::new();
                for _ in 0..runs {
                    let gated = Gated { at: workers / 2, gate: Arc::clone(&gate) };
                    set.spawn(way.run(Arc::clone(&plan), gated));
                }
                gate.open().await;
                while let Some(ended) = set.join_next().await {
                    ended.expect("no run panics");
                }
            })
        };
        subject(way.name(), Box::new(prepare))
    });
    subjects.into()
}

fn subject(engine: &'static str, prepare: Prepare) -> Subject {
    Subject { engine, kind: Kind::Baseline, prepare: Ok(prepare) }
}
