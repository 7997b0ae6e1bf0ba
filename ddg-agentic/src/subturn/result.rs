//! Results of child agents.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SubTurnError;
use crate::model::Usage;

/// Status of a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildStatus {
    /// The child has not ended.
    Running,
    /// The child asks a person, or a child below it does.
    Waiting,
    /// The child ended with an answer, or with its result so far when it was asked to finish.
    Finished,
    /// The child failed.
    Failed {
        /// The cause.
        why: String,
    },
    /// The child did not end within its timeout.
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The child panicked.
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The child was stopped.
    Stopped,
}

/// Result of a child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildResult {
    /// The id of the child.
    pub id: String,
    /// The name of its agent.
    pub agent: String,
    /// How the child ended.
    pub status: ChildStatus,
    /// The text of the child; may be empty.
    #[serde(default)]
    pub text: String,
    /// The usage of models, including the child's own children.
    #[serde(default)]
    pub usage: Usage,
    /// How long the child took.
    #[serde(default)]
    pub duration: Duration,
}

/// What became of the result of a spawned child. Each child gets exactly one disposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disposition {
    /// The parent has read the result, or the user has got it.
    Consumed,
    /// The result is unread.
    Orphaned(OrphanReason),
}

/// Why a result is unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrphanReason {
    /// The parent's turn was over, so the result was not delivered.
    ParentFinished,
    /// The inbox of the parent was full, so the result was not delivered.
    QueueFull,
    /// The result was delivered, and the parent ended without reading it.
    Undrained,
    /// The child was stopped with the turn around it, so the result was not delivered.
    Stopped,
}

/// A child of a turn, in the [outcome](crate::AgentOutcome::children) of the turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildSummary {
    /// The id of the child.
    pub id: String,
    /// The name of its agent.
    pub agent: String,
    /// The name of its model.
    pub model: String,
    /// How the child ended, or that it continues after its parent's turn.
    pub status: ChildStatus,
    /// What became of the result; `None` for a called child, whose result was returned.
    pub disposition: Option<Disposition>,
    /// The usage of models by the child.
    pub usage: Usage,
    /// How long the child took, or has taken so far.
    pub duration: Duration,
}

impl ChildResult {
    /// The text of the child, or why there is none.
    pub fn text(&self) -> String {
        match self.status.error() {
            None => self.text.clone(),
            Some(error) => error.to_string(),
        }
    }

    /// Whether the child ended with an answer.
    pub fn is_ok(&self) -> bool {
        self.status == ChildStatus::Finished
    }

    /// Converts a result without an answer into an error.
    ///
    /// # Errors
    /// If the child did not end with an answer.
    pub fn into_result(self) -> Result<Self, SubTurnError> {
        self.status.error().map_or(Ok(self), Err)
    }
}

impl ChildStatus {
    /// The status in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting for a person",
            Self::Finished => "finished",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed out",
            Self::Panicked { .. } => "panicked",
            Self::Stopped => "stopped",
        }
    }

    /// Whether the child has ended.
    pub fn has_ended(&self) -> bool {
        !matches!(self, Self::Running | Self::Waiting)
    }

    /// The error of a child that ended without an answer.
    pub(super) fn error(&self) -> Option<SubTurnError> {
        match self {
            Self::Running | Self::Waiting | Self::Finished => None,
            Self::Failed { why } => Some(SubTurnError::Failed { why: why.clone() }),
            Self::TimedOut { after } => Some(SubTurnError::TimedOut { after: *after }),
            Self::Panicked { message } => Some(SubTurnError::Panicked { message: message.clone() }),
            Self::Stopped => Some(SubTurnError::Cancelled),
        }
    }
}
