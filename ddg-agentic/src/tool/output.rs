//! What a tool gives.

use serde::{Deserialize, Serialize};

use crate::model::Usage;

/// What a tool gives: what the model reads, and what it took of models to get it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolOutput {
    /// What the model reads.
    pub content: String,
    /// What agents that were asked on the way took.
    pub usage: Usage,
}

impl ToolOutput {
    /// A text.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), usage: Usage::default() }
    }

    /// Sets what agents that were asked on the way took.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }
}

impl From<String> for ToolOutput {
    fn from(content: String) -> Self {
        Self::text(content)
    }
}

impl From<&str> for ToolOutput {
    fn from(content: &str) -> Self {
        Self::text(content)
    }
}
