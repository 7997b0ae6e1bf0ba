//! Ids of conversations.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a conversation: a name of the user's choice. Cheap to clone.
///
/// ```
/// use ddg_agentic::memory::ConversationId;
///
/// let id = ConversationId::new("ada/trip to Tokyo")?;
/// assert_eq!(id.as_str(), "ada/trip to Tokyo");
/// # Ok::<(), ddg_agentic::memory::InvalidConversationId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConversationId(Arc<str>);

/// A text that is not a valid conversation id.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{:?} cannot be the id of a conversation: an id has 1 to {} bytes and no control characters",
    beginning(.id), ConversationId::MAX_BYTES
)]
#[non_exhaustive]
pub struct InvalidConversationId {
    /// The text.
    pub id: String,
}

impl ConversationId {
    /// Maximum length of an id in bytes.
    pub const MAX_BYTES: usize = 200;

    /// Creates an id.
    ///
    /// # Errors
    /// If it is empty, longer than [`MAX_BYTES`](Self::MAX_BYTES), or contains control characters.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidConversationId> {
        let id = id.into();
        let fits = (1..=Self::MAX_BYTES).contains(&id.len()) && !id.contains(char::is_control);
        if fits { Ok(Self(id.into())) } else { Err(InvalidConversationId { id }) }
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The start of a text, as long as an error shows it.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(ConversationId::MAX_BYTES) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ConversationId {
    type Err = InvalidConversationId;

    fn from_str(id: &str) -> Result<Self, InvalidConversationId> {
        Self::new(id)
    }
}

impl TryFrom<String> for ConversationId {
    type Error = InvalidConversationId;

    fn try_from(id: String) -> Result<Self, InvalidConversationId> {
        Self::new(id)
    }
}

impl From<ConversationId> for String {
    fn from(id: ConversationId) -> Self {
        id.as_str().to_owned()
    }
}

ddg_core::__report::debug_is_display!(InvalidConversationId);
