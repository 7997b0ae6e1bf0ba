//! Results of tool calls.

use serde::{Deserialize, Serialize};

use super::{CallFiles, ToolOutput};
use crate::message::Usage;
use crate::message::{ToolCall, ToolMessage};

/// The result of a tool call: the message for the model, and the usage of models on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// The message for the model.
    pub message: ToolMessage,
    /// The usage of agents that were called on the way.
    #[serde(default)]
    pub usage: Usage,
    /// The files that the call was given, and those that it gave.
    #[serde(default, skip_serializing_if = "CallFiles::is_empty")]
    pub files: CallFiles,
}

impl ToolResult {
    /// Creates the result of `call` from the output of the tool.
    pub fn new(call: &ToolCall, output: ToolOutput) -> Self {
        let files = CallFiles { output: output.files, ..CallFiles::default() };
        let message = ToolMessage::new(call, output.content).with_images(output.images);
        let message = message.with_attachments(output.attachments);
        Self { message, usage: output.usage, files }
    }

    /// Creates the error of `call`.
    pub fn error(call: &ToolCall, why: impl Into<String>) -> Self {
        let message = ToolMessage::error(call, why);
        Self { message, usage: Usage::default(), files: CallFiles::default() }
    }
}
