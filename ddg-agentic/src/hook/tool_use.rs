//! A tool call, as hooks see it.

use serde_json::Value as Json;

/// A tool call, as hooks see it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolUse {
    /// The id of the call; empty if no model has made it.
    pub id: String,
    /// The name of the tool.
    pub tool: String,
    /// The arguments, which fit the schema of the tool.
    pub arguments: Json,
    /// The [categories](crate::tool::ToolOptions::category) of the tool.
    pub categories: Vec<String>,
}

impl ToolUse {
    /// Creates a call without categories, for tests of hooks.
    pub fn new(tool: impl Into<String>, arguments: Json) -> Self {
        Self { id: String::new(), tool: tool.into(), arguments, categories: Vec::new() }
    }

    /// Whether the tool is of this category.
    pub fn is_of(&self, category: &str) -> bool {
        self.categories.iter().any(|of| of == category)
    }
}
