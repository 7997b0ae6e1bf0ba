//! How riddles end.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::{AgentMessage, RiddleSolution};

/// Whether a riddle is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RiddleState {
    /// The riddle has not ended.
    Running,
    /// A solution was accepted, or everything that it requires is done.
    Solved,
    /// The riddle was given up.
    Unsolved,
}

impl fmt::Display for RiddleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Solved => "solved",
            Self::Unsolved => "unsolved",
        })
    }
}

/// A riddle as it is now: running, or how it has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RiddleOutcome {
    /// Its id.
    pub id: String,
    /// Whether it is solved.
    pub state: RiddleState,
    /// Why it is unsolved: a text with `trials`, `contacts`, `deadline`, `no solution`,
    /// `unreviewed` or `given up` in it.
    pub reason: Option<String>,
    /// Number of trials before the last.
    pub trial: u32,
    /// The accepted solution, or the first one if no review is required.
    pub solution: Option<RiddleSolution>,
    /// Answers that did not come, each in words.
    pub missing: Vec<String>,
    /// All of it as a message.
    pub message: AgentMessage,
}

impl RiddleOutcome {
    /// A riddle that has not ended.
    pub(super) fn running(message: AgentMessage) -> Self {
        Self {
            id: message.id.clone(),
            state: RiddleState::Running,
            reason: None,
            trial: message.status.trial,
            solution: None,
            missing: Vec::new(),
            message,
        }
    }

    /// The text of the accepted solution.
    pub fn answer(&self) -> Option<&str> {
        self.solution.as_ref().map(|solution| solution.solution.as_str())
    }
}
