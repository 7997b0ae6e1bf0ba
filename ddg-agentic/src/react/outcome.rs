//! What a run of an agent leaves behind.

use std::any::type_name;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Limits;
use super::files::RunFiles;
use super::state::State;
use crate::memory::Conversation;
use crate::model::{ChatReply, FinishReason, ModelError, Usage};
use crate::subturn::ChildSummary;

/// What a run of an agent leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentOutcome {
    /// How it ended.
    pub end: AgentEnd,
    /// The conversation, with all that was said before and in this run; no call of a tool is left
    /// without a result. It can be gone on with, see [`Task::after`](crate::Task::after).
    pub conversation: Conversation,
    /// What this run took of models, that of agents among the tools and of child agents that have ended
    /// included.
    pub usage: Usage,
    /// How often the model was asked in this run.
    pub turns: u32,
    /// The files of the run; see [`steps`](Self::steps) and [`parts`](Self::parts).
    #[serde(default, skip_serializing_if = "RunFiles::is_nothing")]
    pub(super) files: RunFiles,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) children: Vec<ChildSummary>,
}

/// How a run of an agent ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentEnd {
    /// With an answer.
    Finished {
        /// The answer; if it [has to be a type](crate::ReActAutoma::answer), its JSON, whatever the
        /// model has put around it.
        text: String,
        /// Why the model stopped there; [`FinishReason::Length`] if the answer was cut off.
        finish: FinishReason,
    },
    /// The model asks the person back.
    ClarificationAsked {
        /// What it asks.
        question: String,
    },
    /// It was asked to finish, or the tokens of all turns together were used up, before it had an answer.
    EndedEarly {
        /// What it had said last; empty if it had said nothing.
        text: String,
    },
    /// The reply was cut off at the most tokens that it may have before there was an answer; only
    /// in an [`AgentFailed`](super::AgentFailed).
    CutOff,
    /// The provider held the answer back; only
    /// in an [`AgentFailed`](super::AgentFailed).
    Filtered,
    /// The model refused to answer; only
    /// in an [`AgentFailed`](super::AgentFailed).
    Refused {
        /// In what words; perhaps none.
        text: String,
    },
    /// The model has not given what was asked for, however often it was told; only
    /// in an [`AgentFailed`](super::AgentFailed).
    NoAnswer {
        /// What was wrong with its last reply, as the model was told.
        faults: Vec<String>,
    },
    /// The model had no answer within the [`Limits`]; only in an [`AgentFailed`](super::AgentFailed).
    StoppedByLimit {
        /// Which.
        limit: Limit,
    },
    /// The model failed, after all retries it has; only in an [`AgentFailed`](super::AgentFailed).
    Failed {
        /// Why.
        error: String,
        /// Whether asking again may help.
        retryable: bool,
    },
}

/// Which of the [`Limits`] an agent has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// The turns.
    Turns,
    /// The tokens.
    Tokens,
    /// The calls of tools.
    ToolCalls,
    /// The turns that made the very same calls.
    Repeats,
}

impl Limits {
    /// Which of them has been reached.
    pub(super) fn reached(&self, state: &State) -> Option<Limit> {
        let by = |limit: Option<u32>, n: u32| limit.is_some_and(|limit| n >= limit);
        if state.turns >= self.turns {
            return Some(Limit::Turns);
        }
        if self.tokens.is_some_and(|tokens| state.usage.total() >= tokens) {
            return Some(Limit::Tokens);
        }
        by(self.tool_calls, state.n_tool_calls).then_some(Limit::ToolCalls)
    }
}

impl AgentEnd {
    /// That of a reply which is no answer, where there are no more tries.
    pub(super) fn no_answer(reply: &ChatReply, faults: Vec<String>) -> Self {
        match reply.finish {
            FinishReason::Length => Self::CutOff,
            _ => Self::NoAnswer { faults },
        }
    }

    pub(super) fn failed(error: &ModelError) -> Self {
        Self::Failed { error: error.to_string(), retryable: error.is_retryable() }
    }
}

impl AgentOutcome {
    /// The child agents of this run, in the order in which they were begun, with what became of each.
    pub fn children(&self) -> &[ChildSummary] {
        &self.children
    }

    /// What to show a person: the answer, the question, or why there is neither.
    pub fn text(&self) -> String {
        match &self.end {
            AgentEnd::Finished { text, .. } | AgentEnd::EndedEarly { text } => text.clone(),
            AgentEnd::ClarificationAsked { question } => question.clone(),
            AgentEnd::CutOff => "the reply was cut off before there was an answer".to_owned(),
            AgentEnd::Filtered => "the provider held the answer back".to_owned(),
            AgentEnd::Refused { text } if text.is_empty() => "the model refused".to_owned(),
            AgentEnd::Refused { text } => text.clone(),
            AgentEnd::NoAnswer { faults } => {
                format!("the model did not give what was asked for: {}", faults.join("; "))
            }
            AgentEnd::StoppedByLimit { limit: Limit::ToolCalls } => {
                "stopped without an answer: too many calls of tools".to_owned()
            }
            AgentEnd::StoppedByLimit { limit: Limit::Repeats } => {
                "stopped without an answer: the same calls again and again".to_owned()
            }
            AgentEnd::StoppedByLimit { limit: Limit::Turns } => {
                let turns = if self.turns == 1 { "turn" } else { "turns" };
                format!("stopped without an answer after {} {turns}", self.turns)
            }
            AgentEnd::StoppedByLimit { limit: Limit::Tokens } => {
                format!("stopped without an answer after {} tokens", self.usage.total())
            }
            AgentEnd::Failed { error, .. } => error.clone(),
        }
    }

    /// The answer of an agent that [has to give a `T`](crate::ReActAutoma::answer).
    ///
    /// # Errors
    /// It ended without an answer, or the answer is no `T`.
    pub fn answer<T: DeserializeOwned>(&self) -> Result<T, NoAnswer> {
        match &self.end {
            AgentEnd::Finished { text, .. } => serde_json::from_str(text).map_err(|error| {
                let message = format!("what it said is no `{}`: {error}", type_name::<T>());
                NoAnswer { message }
            }),
            _ => Err(NoAnswer { message: self.text() }),
        }
    }
}

/// An agent's run has left no answer, or not the one that is asked for.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent gave no answer: {message}")]
pub struct NoAnswer {
    message: String,
}

ddg_core::__report::debug_is_display!(NoAnswer);
