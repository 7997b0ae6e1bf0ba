//! Runs of threads.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{AssistantTool, IncompleteDetails, Metadata, StepCall};

/// A run of an assistant on a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// The id, `run_…`.
    pub id: String,
    /// Always `thread.run`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// The thread.
    pub thread_id: String,
    /// The assistant.
    pub assistant_id: String,
    /// The state.
    pub status: RunStatus,
    /// What the run waits for.
    pub required_action: Option<RequiredAction>,
    /// Why it has failed.
    pub last_error: Option<LastError>,
    /// When it expires; `None` once it has ended.
    pub expires_at: Option<i64>,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it was cancelled.
    pub cancelled_at: Option<i64>,
    /// When it failed.
    pub failed_at: Option<i64>,
    /// When it was completed.
    pub completed_at: Option<i64>,
    /// Why it is incomplete.
    pub incomplete_details: Option<IncompleteDetails>,
    /// The model.
    pub model: String,
    /// The instructions; empty without any.
    pub instructions: String,
    /// The tools.
    pub tools: Vec<AssistantTool>,
    /// Pairs of the client.
    pub metadata: Metadata,
    /// The usage, once it has ended.
    pub usage: Option<Usage>,
    /// The temperature, from 0.
    pub temperature: Option<f64>,
    /// The probability mass of the tokens from which the model samples.
    pub top_p: Option<f64>,
    /// Maximum number of tokens that the model reads in the run.
    pub max_prompt_tokens: Option<u64>,
    /// Maximum number of tokens that the model writes in the run.
    pub max_completion_tokens: Option<u64>,
    /// What the model sees of a long thread.
    pub truncation_strategy: TruncationStrategy,
    /// The form of the answer.
    pub response_format: Json,
    /// Whether the model calls tools.
    pub tool_choice: Json,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: bool,
    /// The effort of reasoning.
    pub reasoning_effort: Option<String>,
    /// Fields for the body of requests to the model's provider.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra_body: serde_json::Map<String, Json>,
    /// Options of the stream, as the client gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<Json>,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// Waiting for its turn.
    Queued,
    /// The model or tools are at work.
    InProgress,
    /// Waiting for the outputs of the client's functions.
    RequiresAction,
    /// Being cancelled.
    Cancelling,
    /// Cancelled.
    Cancelled,
    /// Failed.
    Failed,
    /// Ended well.
    Completed,
    /// Ended at a limit.
    Incomplete,
    /// Not done in time.
    Expired,
}

impl RunStatus {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::RequiresAction => "requires_action",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Expired => "expired",
        }
    }

    /// Whether a run in this state has ended.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::InProgress | Self::RequiresAction | Self::Cancelling => false,
            Self::Cancelled | Self::Failed | Self::Completed | Self::Incomplete | Self::Expired => {
                true
            }
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequiredAction {
    /// Always `submit_tool_outputs`.
    pub r#type: String,
    /// The calls.
    pub submit_tool_outputs: SubmitToolOutputs,
}

/// Calls whose outputs a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubmitToolOutputs {
    /// The calls, in the order in which the model asked for them.
    pub tool_calls: Vec<StepCall>,
}

impl RequiredAction {
    pub(in crate::assistants) fn new(tool_calls: Vec<StepCall>) -> Self {
        let submit_tool_outputs = SubmitToolOutputs { tool_calls };
        Self { r#type: "submit_tool_outputs".to_owned(), submit_tool_outputs }
    }
}

/// Why a run has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastError {
    /// `server_error`, `rate_limit_exceeded` or `invalid_prompt`.
    pub code: String,
    /// The cause.
    pub message: String,
}

impl LastError {
    pub(in crate::assistants) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// What the model sees of a long thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TruncationStrategy {
    /// `auto` or `last_messages`.
    pub r#type: String,
    /// Number of messages, for `last_messages`.
    #[serde(default)]
    pub last_messages: Option<u64>,
}

impl Default for TruncationStrategy {
    fn default() -> Self {
        Self { r#type: "auto".to_owned(), last_messages: None }
    }
}

/// Tokens that a run or step used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens that the model read.
    pub prompt_tokens: u64,
    /// Tokens that the model wrote.
    pub completion_tokens: u64,
    /// Both.
    pub total_tokens: u64,
    /// Tokens of the prompt that were in the provider's cache.
    #[serde(default)]
    pub cached_tokens: u64,
}

impl Usage {
    pub(in crate::assistants) fn add(&mut self, more: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(more.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(more.completion_tokens);
        self.total_tokens = self.total_tokens.saturating_add(more.total_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(more.cached_tokens);
    }
}

impl From<crate::message::Usage> for Usage {
    fn from(usage: crate::message::Usage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.total(),
            cached_tokens: usage.cached_input_tokens,
        }
    }
}
