//! What a model is asked.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::message::Message;
use crate::tool::ToolSpec;

/// What a model is asked: a conversation, and what it may do to go on with it.
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
    /// How many tokens its reply may have.
    pub max_output_tokens: Option<u64>,
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

    /// Sets whether tools are called.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = choice;
        self
    }

    /// Sets what the text has to be.
    #[must_use]
    pub fn output_schema(mut self, schema: OutputSchema) -> Self {
        self.output_schema = Some(schema);
        self
    }

    /// Sets how far the model may stray, from 0.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets how many tokens the reply may have.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u64) -> Self {
        self.max_output_tokens = Some(tokens);
        self
    }
}
