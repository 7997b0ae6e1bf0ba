//! Items of conversations and responses.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Role;

/// An item of a conversation or response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Item {
    /// A message.
    Message {
        /// The id, `msg_…`.
        id: String,
        /// The state.
        status: ItemStatus,
        /// The author.
        role: Role,
        /// The parts in order.
        content: Vec<ItemContent>,
    },
    /// A call of a client's function.
    FunctionCall {
        /// The id, `fc_…`.
        id: String,
        /// The id of the call, which its output names.
        call_id: String,
        /// The name of the function.
        name: String,
        /// The arguments, as the model wrote them.
        arguments: String,
        /// The state.
        status: ItemStatus,
    },
    /// The output of a call.
    FunctionCallOutput {
        /// The id, `fco_…`.
        id: String,
        /// The id of the call.
        call_id: String,
        /// The output: a text, or parts.
        output: Json,
        /// The state.
        status: ItemStatus,
    },
    /// A call of a tool of the server, with its output.
    McpCall {
        /// The id, `mcp_…`.
        id: String,
        /// The name of the tool.
        name: String,
        /// The arguments, as the model wrote them.
        arguments: String,
        /// The name of the server.
        server_label: String,
        /// The output, once there is one.
        output: Option<String>,
        /// Always `None`: a failure is an output that the model sees.
        error: Option<String>,
        /// The state.
        status: ItemStatus,
    },
}

/// The state of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemStatus {
    /// Under way.
    InProgress,
    /// Whole.
    Completed,
    /// Ended before it was whole.
    Incomplete,
}

/// A part of a message item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemContent {
    /// A text of a person.
    InputText {
        /// The text.
        text: String,
    },
    /// An image of a person.
    InputImage {
        /// Its URL.
        #[serde(default)]
        image_url: Option<String>,
        /// The id of a file.
        #[serde(default)]
        file_id: Option<String>,
        /// `auto`, `low` or `high`.
        #[serde(default)]
        detail: Option<String>,
    },
    /// A file of a person.
    InputFile {
        /// The id of the file.
        #[serde(default)]
        file_id: Option<String>,
        /// Its name.
        #[serde(default)]
        filename: Option<String>,
    },
    /// A text of the model.
    OutputText {
        /// The text.
        text: String,
        /// Annotations; there are none.
        #[serde(default)]
        annotations: Vec<Json>,
        /// Probabilities of tokens; there are none.
        #[serde(default)]
        logprobs: Vec<Json>,
    },
}

impl Item {
    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Self::Message { id, .. }
            | Self::FunctionCall { id, .. }
            | Self::FunctionCallOutput { id, .. }
            | Self::McpCall { id, .. } => id,
        }
    }
}

impl ItemContent {
    pub(in crate::assistants) fn output(text: impl Into<String>) -> Self {
        Self::OutputText { text: text.into(), annotations: Vec::new(), logprobs: Vec::new() }
    }
}
