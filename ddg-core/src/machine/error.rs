//! Why a machine cannot take its next step.

mod bind;
mod hint;
mod step;

pub use bind::BindError;
pub(crate) use hint::did_you_mean;
pub use step::{FailureKind, StepError, StepFailure};

use crate::key::Key;

/// A run that fails.
pub(crate) enum MachineError {
    /// Something went wrong in a step.
    Step(StepError),
    /// The run took more steps than it may, and these workers are ready.
    StepLimit { automa: String, limit: u64, ready: Vec<Key> },
}

impl From<StepError> for MachineError {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}
