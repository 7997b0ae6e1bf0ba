//! What children leave behind.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SubTurnError;
use crate::model::Usage;

/// How a child ended, or that it has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildStatus {
    /// It has not ended.
    Running,
    /// With an answer, or with what it had when it was asked to finish.
    Finished,
    /// It failed.
    Failed {
        /// Why.
        why: String,
    },
    /// It did not end in its time.
    TimedOut {
        /// Its time.
        after: Duration,
    },
    /// It panicked.
    Panicked {
        /// With what.
        message: String,
    },
    /// It was stopped.
    Stopped,
}

/// What a child gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildResult {
    /// The child.
    pub id: String,
    /// The name of its agent.
    pub agent: String,
    /// How it ended.
    pub status: ChildStatus,
    /// What it said; empty if it said nothing.
    #[serde(default)]
    pub text: String,
    /// What it took of models, its own children included.
    #[serde(default)]
    pub usage: Usage,
    /// How long it took.
    #[serde(default)]
    pub duration: Duration,
}

/// What became of the result of a spawned child; of each exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disposition {
    /// Its parent, or the user for whom it was, has it.
    Consumed,
    /// Nobody has read it.
    Orphaned(OrphanReason),
}

/// Why nobody has read a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrphanReason {
    /// The parent's turn was over: refused.
    ParentFinished,
    /// Too many results waited for the parent: refused.
    QueueFull,
    /// It was delivered, and the parent ended without reading it.
    Undrained,
    /// It was stopped with the turn around it: never sent.
    Stopped,
}

/// A child of a turn, as the [outcome](crate::AgentOutcome::children) lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildSummary {
    /// The child.
    pub id: String,
    /// The name of its agent.
    pub agent: String,
    /// The name of its model.
    pub model: String,
    /// How it ended, or that it goes on after its parent's turn.
    pub status: ChildStatus,
    /// What became of its result; `None` of a child that was called, whose result was returned.
    pub disposition: Option<Disposition>,
    /// What it took of models.
    pub usage: Usage,
    /// How long it took, or has taken.
    pub duration: Duration,
}

impl ChildResult {
    /// What it said; why there is nothing, if it failed.
    pub fn text(&self) -> String {
        match self.status.error() {
            None => self.text.clone(),
            Some(error) => error.to_string(),
        }
    }

    /// Whether it ended with an answer.
    pub fn is_ok(&self) -> bool {
        self.status == ChildStatus::Finished
    }

    /// The result, or why there is none.
    ///
    /// # Errors
    /// It did not end with an answer.
    pub fn into_result(self) -> Result<Self, SubTurnError> {
        self.status.error().map_or(Ok(self), Err)
    }
}

impl ChildStatus {
    /// The status in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed out",
            Self::Panicked { .. } => "panicked",
            Self::Stopped => "stopped",
        }
    }

    /// Why there is no answer.
    pub(super) fn error(&self) -> Option<SubTurnError> {
        match self {
            Self::Running | Self::Finished => None,
            Self::Failed { why } => Some(SubTurnError::Failed { why: why.clone() }),
            Self::TimedOut { after } => Some(SubTurnError::TimedOut { after: *after }),
            Self::Panicked { message } => Some(SubTurnError::Panicked { message: message.clone() }),
            Self::Stopped => Some(SubTurnError::Cancelled),
        }
    }
}
