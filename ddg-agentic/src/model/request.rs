//! What a model is asked.

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
    /// Whether it may, or has to.
    pub tool_choice: ToolChoice,
    /// What its text has to be, if not free.
    pub output_schema: Option<OutputSchema>,
    /// How far it may stray, from 0; the provider's own default if `None`.
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
    /// As it likes.
    #[default]
    Auto,
    /// It calls none.
    None,
    /// It calls at least one.
    Required,
    /// It calls the one of this name.
    Named(String),
}

/// A JSON schema that a model's text has to follow.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutputSchema {
    /// The schema's name, of letters, digits, `_` and `-`.
    pub name: String,
    /// The schema.
    pub schema: Json,
}

impl OutputSchema {
    /// A schema called `name`.
    pub fn new(name: impl Into<String>, schema: Json) -> Self {
        Self { name: name.into(), schema }
    }
}

impl ChatRequest {
    /// A conversation without tools.
    pub fn new<M: Into<Message>>(messages: impl IntoIterator<Item = M>) -> Self {
        let messages = messages.into_iter().map(Into::into).collect();
        Self { messages, ..Self::default() }
    }

    /// Offers tools.
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
