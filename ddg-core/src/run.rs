//! One execution of an automa: a pure machine that decides, a thin driver that acts.

mod binding;
mod core;
mod driver;
mod error;
mod execution;
mod handle;
mod kickoff;
mod machine;
mod nested;
mod outcome;
mod waits;

pub(crate) use core::RunCore;
pub use error::{BindError, Failure, FailureKind, RunError, StepError};
pub use handle::Run;
pub(crate) use kickoff::Ask;
pub use kickoff::{Cause, Kickoff, KickoffId};
pub(crate) use machine::Machine;
pub(crate) use nested::run_nested;
pub use outcome::{Outcome, Waiting};

use crate::args::Args;
use crate::graph::GraphAutoma;

/// Runs `automa` within the caller's task.
pub(crate) async fn run(automa: &GraphAutoma, args: Args) -> Result<Outcome, RunError> {
    let core = RunCore::top(automa.compiled()?, args)?;
    driver::drive(&core).await
}
