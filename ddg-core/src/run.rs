//! Runs as a user sees them: before they begin, while they are active, and after they have ended.

mod active;
mod automa;
mod builder;
mod end;
mod error;
mod handle;
mod inside;
mod outcome;
mod plan;
mod service;
mod stored;
mod stored_runs;

pub use active::ActiveRun;
pub(crate) use builder::FromOutcome;
pub use builder::{RunBuilder, RunFuture};
pub use end::RunEnd;
pub use error::{InputFault, RunError};
pub use handle::RunHandle;
pub use outcome::{Outcome, Waiting};
pub use service::{RunService, RunServiceHandle};
pub use stored_runs::StoredRuns;

pub use crate::context::InteractionError;
pub use crate::engine::{Kickoff, RunScope};
pub use crate::machine::{
    BindError, Cause, FailureKind, KickoffId, Pace, Question, StepError, StepFailure,
};
pub use crate::saved::AnswerError;
