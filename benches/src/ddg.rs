//! This engine, used as its guide says.

pub mod build;
pub mod fixed;
pub mod grow;
pub mod jumps;
pub mod many;
pub mod payload;
pub mod wide;

use std::sync::Arc;

use ddg_core::args::IntoArgs;
use ddg_core::prelude::*;

use crate::subject::{Kind, Prepare, Subject};
use crate::workload::Workload;

/// This engine with `workload`.
///
/// # Panics
/// If the workload is not a graph that can run.
pub fn subject(workload: &Workload) -> Subject {
    Subject { engine: "ddg", kind: Kind::Ddg, prepare: Ok(prepare(workload).expect("it runs")) }
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
