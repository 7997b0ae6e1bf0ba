//! The outcome of an agent's run.

use ddg_core::__report::shown_lines;
use std::any::type_name;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::files::RunFiles;
use crate::hook::HookStop;
use crate::memory::Conversation;
use crate::model::{ChatReply, FinishReason, ModelError, Usage};
use crate::subturn::ChildSummary;

/// The outcome of an agent's run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentOutcome {
    /// How the run ended.
    pub end: AgentEnd,
    /// The name of the agent that has answered: the agent of the run, or one that the conversation
    /// was [handed over](super::Handoff) to.
    #[serde(default)]
    pub agent: String,
    /// The conversation, with the earlier messages and those of this run. Every tool call has a
    /// result. The conversation can be continued, see [`Task::after`](crate::Task::after).
    pub conversation: Conversation,
    /// The usage of models in this run, including agents among the tools and child agents that have
    /// ended.
    pub usage: Usage,
    /// Number of requests to the model in this run.
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
    /// The agent gave an answer.
    Finished {
        /// The answer. If the agent has [a type of answer](crate::ReActAutoma::answer), this is its
        /// JSON, without text around it.
        text: String,
        /// Why the model stopped; [`FinishReason::Length`] if the answer was cut off.
        finish: FinishReason,
    },
    /// The model asks the person a question.
    ClarificationAsked {
        /// The question.
        question: String,
    },
    /// The run was asked to finish, or all turns together had used their tokens, before there was
    /// an answer.
    EndedEarly {
        /// The last text of the model; empty if there was none.
        text: String,
    },
    /// The reply was cut off at its maximum number of tokens before there was an answer. Only in an
    /// [`AgentFailed`](super::AgentFailed).
    CutOff,
    /// The provider withheld the answer. Only in an [`AgentFailed`](super::AgentFailed).
    Filtered,
    /// The model refused to answer. Only in an [`AgentFailed`](super::AgentFailed).
    Refused {
        /// The text of the refusal; may be empty.
        text: String,
    },
    /// The model gave no valid answer in all of its tries. Only in an
    /// [`AgentFailed`](super::AgentFailed).
    NoAnswer {
        /// Faults of the last reply, as the model was told.
        faults: Vec<String>,
    },
    /// The model gave no answer within the [`Limits`](super::Limits). Only in an
    /// [`AgentFailed`](super::AgentFailed).
    StoppedByLimit {
        /// The limit that was reached.
        limit: Limit,
        /// What was reached, in words such as `25 turns`.
        #[serde(default)]
        reached: String,
    },
    /// The agent has handed the conversation over to another. Only in the outcome of an agent of a
    /// team inside the run of its host, which then continues with the other agent.
    HandedOver {
        /// The name of the other agent.
        to: String,
        /// The index of the message that asked for it.
        #[serde(default)]
        place: usize,
    },
    /// A [hook](crate::hook::Hook) stopped the run. Only in an
    /// [`AgentFailed`](super::AgentFailed).
    StoppedByHook {
        /// Why, with a name, and which hook.
        stop: HookStop,
    },
    /// The model failed after all of its retries. Only in an [`AgentFailed`](super::AgentFailed).
    Failed {
        /// The message of the model's error.
        error: String,
        /// Whether a retry may succeed.
        retryable: bool,
    },
}

/// One of the [`Limits`](super::Limits) of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// The number of turns.
    Turns,
    /// The number of tokens.
    Tokens,
    /// The number of tool calls.
    ToolCalls,
    /// The number of consecutive turns with the same calls.
    Repeats,
    /// The cost.
    Cost,
    /// The time.
    Time,
    /// The number of handoffs.
    Handoffs,
}

impl AgentEnd {
    /// The end of a run whose last reply is not an answer, when there are no more tries.
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
    /// The child agents of this run, in the order in which they began, each with its result.
    pub fn children(&self) -> &[ChildSummary] {
        &self.children
    }

    /// A text to show to a person: the answer, the question, or why there is neither.
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
            AgentEnd::StoppedByLimit { reached, .. } => {
                format!("stopped without an answer after {reached}")
            }
            AgentEnd::HandedOver { to, .. } => format!("handed over to {to}"),
            AgentEnd::StoppedByHook { stop } => stop.to_string(),
            AgentEnd::Failed { error, .. } => error.clone(),
        }
    }

    /// The answer as a `T`, the [type of answer](crate::ReActAutoma::answer) of the agent.
    ///
    /// # Errors
    /// If the run ended without an answer, or if the answer is not a `T`.
    pub fn answer<T: DeserializeOwned>(&self) -> Result<T, NoAnswer> {
        match &self.end {
            AgentEnd::Finished { text, .. } => serde_json::from_str(text).map_err(|error| {
                let message = format!("its answer is not a `{}`: {error}", type_name::<T>());
                NoAnswer { message }
            }),
            _ => Err(NoAnswer { message: self.text() }),
        }
    }
}

/// The run of an agent ended without an answer, or with an answer of another type.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent gave no answer: {message}", message = shown_lines(.message))]
pub struct NoAnswer {
    message: String,
}

ddg_core::__report::debug_is_display!(NoAnswer);
