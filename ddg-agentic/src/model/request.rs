//! Requests to models.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::settings::request_settings;
use super::{ExtraPairs, PromptCache, ReasoningEffort, ServiceTier};
use crate::message::{Message, Messages};
use crate::tool::ToolSpec;

/// A request to a model: a conversation, and how the model may continue it.
///
/// The provider decides about settings that are `None`. A setting that the provider does not
/// support is a [`ModelError::Setup`](super::ModelError::Setup) that names it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The conversation so far.
    pub messages: Messages,
    /// The tools that it may call.
    pub tools: Arc<[ToolSpec]>,
    /// Whether the model may or must call tools.
    pub tool_choice: ToolChoice,
    /// The schema of the reply, if it is not free text.
    pub output_schema: Option<OutputSchema>,
    /// The temperature, from 0; `None` for the provider's default.
    pub temperature: Option<f64>,
    /// The probability mass of the tokens from which the model samples, up to 1.
    pub top_p: Option<f64>,
    /// Maximum number of tokens of the reply.
    pub max_output_tokens: Option<u64>,
    /// Texts that end the reply.
    pub stop: Vec<String>,
    /// The seed of the sampling.
    pub seed: Option<u64>,
    /// Whether the model may call several tools in one reply.
    pub parallel_tool_calls: Option<bool>,
    /// The effort of reasoning before the reply.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The service tier of the request.
    pub service_tier: Option<ServiceTier>,
    /// How long the provider caches the prompt.
    pub prompt_cache: Option<PromptCache>,
    /// Fields of the body of an HTTP request, for parameters without a setting.
    pub extra_body: serde_json::Map<String, Json>,
    /// Headers of an HTTP request.
    pub extra_headers: ExtraPairs,
    /// Query parameters of an HTTP request.
    pub extra_query: ExtraPairs,
}

/// Whether a model calls tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// The model calls no tool.
    None,
    /// The model calls at least one tool.
    Required,
    /// The model calls the tool with this name.
    Named(String),
}

/// A JSON schema for a model's reply.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutputSchema {
    /// The name of the schema: letters, digits, `_` and `-`.
    pub name: String,
    /// The schema.
    pub schema: Json,
}

impl OutputSchema {
    /// Creates a schema with the name `name`.
    pub fn new(name: impl Into<String>, schema: Json) -> Self {
        Self { name: name.into(), schema }
    }
}

impl ChatRequest {
    /// Creates a request without tools.
    pub fn new<M: Into<Message>>(messages: impl IntoIterator<Item = M>) -> Self {
        let messages = messages.into_iter().map(Into::into).collect();
        Self { messages, ..Self::default() }
    }

    /// Sets the tools.
    #[must_use]
    pub fn tools(mut self, tools: impl Into<Arc<[ToolSpec]>>) -> Self {
        self.tools = tools.into();
        self
    }

    /// Sets the schema of the reply.
    #[must_use]
    pub fn output_schema(mut self, schema: OutputSchema) -> Self {
        self.output_schema = Some(schema);
        self
    }

    request_settings!(this => this);
}
