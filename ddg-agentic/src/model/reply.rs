//! Replies of models.

use serde::{Deserialize, Serialize};

use super::Usage;
use crate::message::{AssistantMessage, ToolCall};

/// A reply of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatReply {
    /// The message.
    pub message: AssistantMessage,
    /// The reason why it ended.
    pub finish: FinishReason,
    /// The usage; zeros if the provider does not report it.
    pub usage: Usage,
    /// The name of the model, if one of several models replied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// The reason why a reply ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// The model was done, or the provider does not report a reason.
    #[default]
    Stop,
    /// The model waits for tool calls.
    ToolCalls,
    /// The reply was cut off at its maximum number of tokens.
    Length,
    /// The provider withheld content.
    ContentFilter,
    /// The model refused to answer.
    Refusal,
    /// The model called a tool in a form that the provider could not read.
    MalformedCall,
    /// Something else, in the provider's word.
    Other(String),
}

impl ChatReply {
    /// Creates a reply without usage.
    pub fn new(message: AssistantMessage) -> Self {
        let finish = match message.tool_calls[..] {
            [] => FinishReason::Stop,
            _ => FinishReason::ToolCalls,
        };
        Self { message, finish, usage: Usage::default(), model: None }
    }

    /// Creates a reply that is only text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(AssistantMessage::new(text, []))
    }

    /// Creates a reply that is only tool calls.
    pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        Self::new(AssistantMessage::new("", calls))
    }

    /// Sets the usage.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// Sets the reason why it ended.
    #[must_use]
    pub fn finish(mut self, finish: FinishReason) -> Self {
        self.finish = finish;
        self
    }
}
