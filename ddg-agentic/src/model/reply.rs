//! What a model answers.

use serde::{Deserialize, Serialize};

use super::Usage;
use crate::message::{AssistantMessage, ToolCall};

/// What a model answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatReply {
    /// What it says.
    pub message: AssistantMessage,
    /// Why it stopped there.
    pub finish: FinishReason,
    /// What it took; zeros where the provider does not say.
    pub usage: Usage,
    /// Which of several models said it; `None` if there was only one to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// Why a model stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// It had said what it wanted to say, or a provider does not tell.
    #[default]
    Stop,
    /// It wants tools to be called.
    ToolCalls,
    /// The reply was cut off at the most tokens it may have.
    Length,
    /// The provider held something back.
    ContentFilter,
    /// The model refused to answer.
    Refusal,
    /// It called a tool in a form that the provider could not read.
    MalformedCall,
    /// Something else, in the provider's word.
    Other(String),
}

impl ChatReply {
    /// What it says, without a word on what it took.
    pub fn new(message: AssistantMessage) -> Self {
        let finish = match message.tool_calls[..] {
            [] => FinishReason::Stop,
            _ => FinishReason::ToolCalls,
        };
        Self { message, finish, usage: Usage::default(), model: None }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(AssistantMessage { text: text.into(), tool_calls: Vec::new() })
    }

    /// Calls of tools without a word.
    pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        let tool_calls = calls.into_iter().collect();
        Self::new(AssistantMessage { text: String::new(), tool_calls })
    }

    /// Sets what it took.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// Sets why it stopped.
    #[must_use]
    pub fn finish(mut self, finish: FinishReason) -> Self {
        self.finish = finish;
        self
    }
}
