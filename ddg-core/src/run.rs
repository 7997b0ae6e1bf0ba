//! One execution of an automa: a pure machine that decides, a thin driver that acts.

mod asks;
mod batch;
mod binding;
mod clock;
mod core;
mod crew;
mod driver;
mod durable;
mod error;
mod execution;
mod handle;
mod interaction;
mod journal;
mod kickoff;
mod live;
mod machine;
mod nested;
mod outcome;
mod outputs;
mod pace;
mod prepared;
mod result;
mod results;
mod simulation;
mod spans;
mod spread;
mod waits;

pub(crate) use asks::{AskBox, Ferry, Target};
pub(crate) use core::RunCore;
pub use durable::Durable;
pub use error::{BindError, Failure, FailureKind, RunError, StepError};
pub use handle::Run;
pub(crate) use interaction::{Again, Interrupted, Pending};
pub use interaction::{AnswerError, InteractionError, Question};
pub use kickoff::{Cause, Kickoff, KickoffId};
pub(crate) use machine::{Machine, Saved};
pub(crate) use nested::run_nested;
pub use outcome::{Outcome, Waiting};
pub use pace::Pace;
pub use prepared::Prepared;
pub(crate) use simulation::simulate;

use crate::args::Args;
use crate::graph::GraphAutoma;
use crate::snapshot::Snapshot;

/// Runs `automa` within the caller's task.
pub(crate) async fn run(automa: &GraphAutoma, args: Args) -> Result<Outcome, RunError> {
    let core = RunCore::top(automa.compiled()?, args)?;
    driver::drive(live::Live::new(core)).await
}

/// A run of `automa` that has not begun.
pub(crate) fn prepare(automa: &GraphAutoma, args: Args) -> Prepared {
    let prepared = || RunCore::top(automa.compiled()?, args);
    Prepared::new(automa, prepared())
}

/// A saved run of `automa` that does not go on yet.
pub(crate) fn prepare_resumed(automa: &GraphAutoma, snapshot: Snapshot) -> Prepared {
    let prepared = || RunCore::resumed(automa.compiled()?, snapshot.into_run());
    Prepared::new(automa, prepared())
}
