//! Messages of threads.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Metadata;

/// A message of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// The id, `msg_…`.
    pub id: String,
    /// Always `thread.message`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// The thread.
    pub thread_id: String,
    /// Whether it is whole.
    pub status: MessageStatus,
    /// Why it is not whole.
    pub incomplete_details: Option<IncompleteDetails>,
    /// When it became whole.
    pub completed_at: Option<i64>,
    /// When it ended without being whole.
    pub incomplete_at: Option<i64>,
    /// The author.
    pub role: Role,
    /// The parts in order.
    pub content: Vec<ContentPart>,
    /// The assistant that wrote it.
    pub assistant_id: Option<String>,
    /// The run that wrote it, or that it came with.
    pub run_id: Option<String>,
    /// Files of the message.
    pub attachments: Vec<Attachment>,
    /// Pairs of the client.
    pub metadata: Metadata,
}

/// Whether a message is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageStatus {
    /// Being written by the model.
    InProgress,
    /// Whole.
    Completed,
    /// Ended before it was whole.
    Incomplete,
}

/// Why a message or run ended before it was whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IncompleteDetails {
    /// The reason, such as `run_cancelled` or `max_completion_tokens`.
    pub reason: String,
}

impl IncompleteDetails {
    pub(in crate::assistants) fn new(reason: &str) -> Self {
        Self { reason: reason.to_owned() }
    }
}

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// A person.
    User,
    /// The model.
    Assistant,
    /// Instructions within a conversation.
    System,
    /// Instructions within a conversation, in newer words.
    Developer,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentPart {
    /// A text.
    Text {
        /// The text.
        text: TextContent,
    },
    /// An image by its URL.
    ImageUrl {
        /// The image.
        image_url: ImageUrl,
    },
    /// An image that was uploaded.
    ImageFile {
        /// The file.
        image_file: FileRef,
    },
}

/// A text of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TextContent {
    /// The text.
    pub value: String,
    /// Annotations; there are none.
    #[serde(default)]
    pub annotations: Vec<Json>,
}

/// An image by its URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageUrl {
    /// The URL.
    pub url: String,
    /// `auto`, `low` or `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A file by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileRef {
    /// The id of the file.
    pub file_id: String,
    /// `auto`, `low` or `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// The id of the file.
    pub file_id: String,
    /// The tools that the client names for it. They have no effect.
    #[serde(default)]
    pub tools: Vec<Json>,
}

impl ContentPart {
    /// Creates a text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text { text: TextContent { value: value.into(), annotations: Vec::new() } }
    }
}

impl Message {
    /// The text of all parts, without a separator.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|part| match part {
            ContentPart::Text { text } => Some(text.value.as_str()),
            ContentPart::ImageUrl { .. } | ContentPart::ImageFile { .. } => None,
        });
        texts.collect()
    }
}
