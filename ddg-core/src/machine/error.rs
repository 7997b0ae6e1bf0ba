//! Errors of the machine.

mod bind;
mod hint;
mod step;

pub use bind::BindError;
pub(crate) use hint::did_you_mean;
pub use step::{FailureKind, StepError, StepFailure};

use crate::key::Key;

/// The run fails.
pub(crate) enum MachineError {
    /// Something failed in a step.
    Step(StepError),
    /// The run reached its step limit, and these workers are ready.
    StepLimit { automa: String, limit: u64, ready: Vec<Key> },
}

impl From<StepError> for MachineError {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}
