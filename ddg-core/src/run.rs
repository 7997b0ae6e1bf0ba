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
mod machine;
mod nested;
mod outcome;
mod outputs;
mod pace;
mod simulation;
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
pub(crate) use simulation::simulate;

use crate::args::Args;
use crate::graph::GraphAutoma;
use crate::snapshot::Snapshot;

/// Continues a saved run of `automa` within the caller's task.
pub(crate) async fn resume(automa: &GraphAutoma, snapshot: Snapshot) -> Result<Outcome, RunError> {
    let core = RunCore::resumed(automa.compiled()?, snapshot.into_run(), None)?;
    driver::drive(&core).await
}

/// Runs `automa` within the caller's task.
pub(crate) async fn run(automa: &GraphAutoma, args: Args) -> Result<Outcome, RunError> {
    let core = RunCore::top(automa.compiled()?, args, None)?;
    driver::drive(&core).await
}
