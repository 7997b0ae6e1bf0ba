//! Requests that create a thread.

use serde_json::Value as Json;

use super::message::MessageParams;
use super::settings::no_tool_resources;
use crate::assistants::AssistantsError;
use crate::assistants::fields::{Fields, missing};
use crate::assistants::object::Metadata;

/// A request that creates a thread.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ThreadParams {
    /// The first messages.
    pub messages: Vec<MessageParams>,
    /// Pairs of the client.
    pub metadata: Metadata,
    /// The thread to copy.
    pub copy: Option<ThreadCopy>,
}

/// A thread that is copied up to and including a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadCopy {
    /// The thread.
    pub thread_id: String,
    /// The last message that is copied; all are without one.
    pub end_message_id: Option<String>,
}

impl ThreadParams {
    pub(super) fn read(mut fields: Fields) -> Result<Self, AssistantsError> {
        no_tool_resources(&mut fields)?;
        let path = fields.path("messages");
        let messages = fields.list("messages")?.unwrap_or_default();
        let messages = MessageParams::read_all(&path, messages)?;
        let (thread, end) = (fields.text("thread_id")?, fields.text("end_message_id")?);
        let copy = match (thread, end) {
            (Some(thread_id), end_message_id) => Some(ThreadCopy { thread_id, end_message_id }),
            (None, None) => None,
            (None, Some(_)) => return Err(missing(&fields.path("thread_id"))),
        };
        let metadata = fields.metadata()?.unwrap_or_default();
        fields.finish()?;
        Ok(Self { messages, metadata, copy })
    }
}

impl TryFrom<Json> for ThreadParams {
    type Error = AssistantsError;

    fn try_from(body: Json) -> Result<Self, AssistantsError> {
        Self::read(Fields::of(body)?)
    }
}
