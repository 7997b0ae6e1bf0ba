//! What has become of a call.

use serde::{Deserialize, Serialize};

use super::{CallFiles, ToolOutput};
use crate::message::Usage;
use crate::message::{ToolCall, ToolMessage};

/// What has become of a call: what the model is told, and what it took of models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// What the model is told.
    pub message: ToolMessage,
    /// What agents that were asked on the way took.
    #[serde(default)]
    pub usage: Usage,
    /// The files that the call was given, and those that it gave.
    #[serde(default, skip_serializing_if = "CallFiles::is_empty")]
    pub files: CallFiles,
}

impl ToolResult {
    /// What the tool gave for `call`.
    pub fn new(call: &ToolCall, output: ToolOutput) -> Self {
        let files = CallFiles { output: output.files, ..CallFiles::default() };
        Self { message: ToolMessage::new(call, output.content), usage: output.usage, files }
    }

    /// Why it gave nothing for `call`.
    pub fn error(call: &ToolCall, why: impl Into<String>) -> Self {
        let message = ToolMessage::error(call, why);
        Self { message, usage: Usage::default(), files: CallFiles::default() }
    }
}
