//! Messages and other data as a database keeps them: as JSON.

use serde::Serialize;

use super::{Conversation, ConversationError, ConversationId};
use crate::message::Message;

/// The reason why a transaction was not committed.
pub(super) type Failed = ddg_core::__store::Failed<ConversationError>;

impl From<ConversationError> for Failed {
    fn from(refused: ConversationError) -> Self {
        Self::Refused(refused)
    }
}

/// Whether a message is the stored one. If the texts differ, the parsed messages are compared,
/// because a number may have another text.
pub(super) fn is_written(message: &Message, body: &str) -> bool {
    let same_text = serde_json::to_string(message).is_ok_and(|text| text == body);
    same_text || serde_json::from_str::<Message>(body).is_ok_and(|found| found == *message)
}

/// The text of a message, after checking that it can be read again.
///
/// # Errors
/// [`ConversationError::Message`] if it cannot.
pub(super) fn body(id: &ConversationId, place: usize, message: &Message) -> Result<String, Failed> {
    let text = json(message)?;
    match serde_json::from_str::<Message>(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            let (id, source) = (id.clone(), error.into());
            Err(ConversationError::Message { id, place, source }.into())
        }
    }
}

/// What holds in a conversation; `None` if nothing does.
pub(super) fn standing(conversation: &Conversation) -> Result<Option<String>, sqlx::Error> {
    let standing = Some(&conversation.standing).filter(|standing| !standing.is_nothing());
    standing.map(json).transpose()
}

pub(super) fn json(data: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(data).map_err(|error| sqlx::Error::Encode(error.into()))
}
