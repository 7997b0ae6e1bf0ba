//! This engine, used as its guide says.

pub mod build;
pub mod fixed;
pub mod grow;
pub mod jumps;
pub mod many;
pub mod payload;
pub mod wide;

use std::sync::{Arc, Mutex, PoisonError};

use ddg_core::args::IntoArgs;
use ddg_core::prelude::*;

use crate::subject::{Kind, Prepare, Subject};
use crate::workload::Workload;

/// The name of this engine in the report.
pub const DDG: &str = "ddg";

/// The name for runs of graphs that have never run before.
pub const FIRST_RUN: &str = "ddg, first run";

/// This engine with `workload`.
///
/// # Panics
/// If the workload is not a graph that can run.
pub fn subject(workload: &Workload) -> Subject {
    Subject { engine: DDG, kind: Kind::Ddg, prepare: Ok(prepare(workload).expect("it runs")) }
}

/// The first run of each of many graphs, for the workloads that run one graph: nothing is known about
/// its workers, and no cache has it yet.
pub fn first_run(workload: &Workload) -> Option<Subject> {
    let prepare: Prepare = match workload {
        Workload::Static(shape) | Workload::Cpu { shape, .. } => {
            let shape = shape.clone();
            first_runs(move || fixed::automa(&shape), ())
        }
        Workload::Loop { jumps } => first_runs(jumps::automa, (*jumps as u64,)),
        _ => return None,
    };
    Some(Subject { engine: FIRST_RUN, kind: Kind::Ddg, prepare: Ok(prepare) })
}

/// Each round is the first run of an automa. Neither declaring nor dropping it is part of the round,
/// since it could run again.
fn first_runs(
    declare: impl Fn() -> Result<GraphAutoma, BuildError> + Send + 'static,
    args: impl IntoArgs + Clone + Send + 'static,
) -> Prepare {
    let used = Arc::new(Mutex::new(Vec::new()));
    Box::new(move || {
        let mut last = used.lock().unwrap_or_else(PoisonError::into_inner);
        last.clear();
        let automa = declare().expect("nothing is wrong with it");
        automa.validate().expect("nothing is wrong with it");
        let (used, args) = (Arc::clone(&used), args.clone().into_args());
        Box::pin(async move {
            automa.run(args).outcome().await.expect("it runs");
            used.lock().unwrap_or_else(PoisonError::into_inner).push(automa);
        })
    })
}

fn prepare(workload: &Workload) -> Result<Prepare, BuildError> {
    match workload {
        Workload::Static(shape) | Workload::Cpu { shape, .. } => runs(fixed::automa(shape)?, ()),
        Workload::Rolling(shape) => {
            let mut automa = fixed::automa(shape)?;
            automa.set_pace(Pace::Rolling);
            runs(automa, ())
        }
        Workload::Loop { jumps } => runs(jumps::automa()?, (*jumps as u64,)),
        Workload::Grow { bystanders, rounds, width } => {
            runs(grow::automa(*bystanders, *width)?, (*rounds as u64,))
        }
        Workload::Start { workers } => runs(build::starts_one(*workers)?, ()),
        Workload::PayloadChain { length, bytes } => runs(payload::chain(*length, *bytes)?, ()),
        Workload::PayloadMoved { length, bytes } => runs(payload::moved(*length, *bytes)?, ()),
        Workload::PayloadFan { width, bytes } => runs(payload::fan(*width, *bytes)?, ()),
        Workload::Build { shape, phase } => build::prepare(shape, *phase),
        Workload::Many { runs, workers } => many::prepare(*runs, *workers),
    }
}

/// Each round is one run of `automa`.
///
/// # Errors
/// If the automa has faults.
///
/// # Panics
/// The round, if the run fails.
pub fn runs(
    automa: GraphAutoma,
    args: impl IntoArgs + Clone + Send + 'static,
) -> Result<Prepare, BuildError> {
    automa.validate()?;
    let automa = Arc::new(automa);
    Ok(Box::new(move || {
        let (automa, args) = (Arc::clone(&automa), args.clone().into_args());
        Box::pin(async move {
            automa.run(args).outcome().await.expect("it runs");
        })
    }))
}
