//! Responses.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{IncompleteDetails, Item, LastError, Metadata, Usage};

/// A response: a run that is seen as its input and output items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Response {
    /// The id, `resp_…`.
    pub id: String,
    /// Always `response`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// The state.
    pub status: ResponseStatus,
    /// Whether the client does not wait for its end.
    pub background: bool,
    /// Why it has failed.
    pub error: Option<LastError>,
    /// Why it is incomplete.
    pub incomplete_details: Option<IncompleteDetails>,
    /// The instructions of this response.
    pub instructions: Option<String>,
    /// Maximum number of tokens that the model writes.
    pub max_output_tokens: Option<u64>,
    /// The model.
    pub model: String,
    /// What the model and the tools of the server gave.
    pub output: Vec<Item>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: bool,
    /// The response that it continues.
    pub previous_response_id: Option<String>,
    /// The conversation that it belongs to, as `{"id": …}`.
    pub conversation: Option<Json>,
    /// The reasoning, as `{"effort": …}`.
    pub reasoning: Json,
    /// Whether it is kept after its end.
    pub store: bool,
    /// The temperature, from 0.
    pub temperature: Option<f64>,
    /// The form of the text, as `{"format": …}`.
    pub text: Json,
    /// Whether the model calls tools.
    pub tool_choice: Json,
    /// The tools.
    pub tools: Vec<Json>,
    /// The probability mass of the tokens from which the model samples.
    pub top_p: Option<f64>,
    /// What the model sees of a long input; always `disabled`.
    pub truncation: String,
    /// The usage, once it has ended.
    pub usage: Option<ResponseUsage>,
    /// Pairs of the client.
    pub metadata: Metadata,
}

/// The state of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseStatus {
    /// Waiting for its turn.
    Queued,
    /// The model or tools are at work.
    InProgress,
    /// Ended well.
    Completed,
    /// Ended at a limit.
    Incomplete,
    /// Failed.
    Failed,
    /// Cancelled.
    Cancelled,
}

impl ResponseStatus {
    /// Whether a response in this state has ended.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Queued | Self::InProgress)
    }
}

/// Tokens that a response used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResponseUsage {
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// `{"cached_tokens": …}`.
    pub input_tokens_details: Json,
    /// Tokens that the model wrote.
    pub output_tokens: u64,
    /// `{"reasoning_tokens": 0}`, because models do not report them apart.
    pub output_tokens_details: Json,
    /// Both.
    pub total_tokens: u64,
}

impl From<Usage> for ResponseUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: json!({ "cached_tokens": usage.cached_tokens, "cache_write_tokens": 0 }),
            output_tokens: usage.completion_tokens,
            output_tokens_details: json!({ "reasoning_tokens": 0 }),
            total_tokens: usage.total_tokens,
        }
    }
}
