//! Requests to models.

use std::sync::Arc;

use serde_json::Value as Json;

use super::settings::request_settings;
use super::{ExtraPairs, ReasoningEffort, ServiceTier};
use crate::message::Message;
use crate::tool::ToolSpec;

/// What a model is asked: a conversation, and what it may do to go on with it.
///
/// What is not set is left to the provider. A setting that the provider does not know is a
/// [`ModelError::Setup`](super::ModelError::Setup) that names it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The tools that it may call.
    pub tools: Arc<[ToolSpec]>,
    /// Whether the model may or must call tools.
    pub tool_choice: ToolChoice,
    /// The schema of the reply, if it is not free text.
    pub output_schema: Option<OutputSchema>,
    /// The temperature, from 0; `None` for the provider's default.
    pub temperature: Option<f64>,
    /// From how many of the likeliest tokens it chooses, by their probability together.
    pub top_p: Option<f64>,
    /// How many tokens its reply may have.
    pub max_output_tokens: Option<u64>,
    /// Texts at which it stops.
    pub stop: Vec<String>,
    /// From where it draws its choices.
    pub seed: Option<u64>,
    /// Whether it may call several tools in one reply.
    pub parallel_tool_calls: Option<bool>,
    /// How much it thinks before it answers.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// With which urgency the provider treats the request.
    pub service_tier: Option<ServiceTier>,
    /// Fields of the body of a request over HTTP that there is no setting for.
    pub extra_body: serde_json::Map<String, Json>,
    /// Headers of a request over HTTP.
    pub extra_headers: ExtraPairs,
    /// Parameters of the query of a request over HTTP.
    pub extra_query: ExtraPairs,
}

/// Whether a model calls tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// Sets what the text has to be.
    #[must_use]
    pub fn output_schema(mut self, schema: OutputSchema) -> Self {
        self.output_schema = Some(schema);
        self
    }

    request_settings!(this => this);
}
