//! How an execution of a run has ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an execution of a run has ended. A run that is resumed has another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEnd {
    /// The run has finished.
    Finished,
    /// The run was asked to stop, and did so after a step.
    Stopped,
    /// The run waits for an answer, a time or a signal.
    Paused,
    /// The run has failed.
    Failed {
        /// The message of the error.
        error: String,
    },
    /// The run was cancelled or dropped, or continues elsewhere because its lease was lost.
    Cancelled,
}

impl RunEnd {
    /// Whether the run has failed or was cancelled.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Cancelled)
    }
}

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Stopped => f.write_str("stopped"),
            Self::Paused => f.write_str("paused"),
            Self::Failed { error } => f.write_str(error),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}
