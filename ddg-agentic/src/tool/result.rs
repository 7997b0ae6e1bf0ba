//! What has become of a call.

use serde::{Deserialize, Serialize};

use super::ToolOutput;
use crate::message::{ToolCall, ToolMessage};
use crate::message::Usage;

/// What has become of a call: what the model is told, and what it took of models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// What the model is told.
    pub message: ToolMessage,
    /// What agents that were asked on the way took.
    #[serde(default)]
    pub usage: Usage,
}

impl ToolResult {
    /// What the tool gave for `call`.
    pub fn new(call: &ToolCall, output: ToolOutput) -> Self {
        Self { message: ToolMessage::new(call, output.content), usage: output.usage }
    }

    /// Why it gave nothing for `call`.
    pub fn error(call: &ToolCall, why: impl Into<String>) -> Self {
        Self { message: ToolMessage::error(call, why), usage: Usage::default() }
    }
}
