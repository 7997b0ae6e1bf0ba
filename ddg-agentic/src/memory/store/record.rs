//! What a store knows of a conversation.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{ConversationId, OpenRun};
use crate::memory::Conversation;

/// The number of saves of a conversation. It differs from the loaded one if the conversation has
/// been saved since.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ConversationVersion(u64);

impl ConversationVersion {
    /// The version of a conversation that is not in the store.
    pub const NEW: Self = Self(0);

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn of(n: u64) -> Self {
        Self(n)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConversationVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("none"),
            n => write!(f, "version {n}"),
        }
    }
}

/// A conversation with its version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredConversation {
    /// The conversation; empty if it is not in the store.
    pub conversation: Conversation,
    /// The version that the next save must name.
    pub version: ConversationVersion,
    /// Its open run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<OpenRun>,
}

impl StoredConversation {
    /// Creates a conversation with this version.
    pub fn new(conversation: Conversation, version: ConversationVersion) -> Self {
        Self { conversation, version, run: None }
    }

    /// Sets the open run.
    #[must_use]
    pub fn with_run(mut self, run: Option<OpenRun>) -> Self {
        self.run = run;
        self
    }
}

/// The record of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationRecord {
    /// The id of the conversation.
    pub id: ConversationId,
    /// Number of saves.
    pub version: ConversationVersion,
    /// Number of messages.
    pub n_messages: usize,
    /// When the conversation was first saved.
    pub created: SystemTime,
    /// When the conversation was last saved.
    pub updated: SystemTime,
    /// Whether it has an open run.
    pub has_open_run: bool,
}

impl ConversationRecord {
    /// Creates a record of a conversation that was first and last saved at these times.
    pub fn new(
        id: ConversationId,
        version: ConversationVersion,
        n_messages: usize,
        [created, updated]: [SystemTime; 2],
    ) -> Self {
        Self { id, version, n_messages, created, updated, has_open_run: false }
    }

    /// Sets whether it has an open run.
    #[must_use]
    pub fn open_run(mut self, has_open_run: bool) -> Self {
        self.has_open_run = has_open_run;
        self
    }
}

/// A page of a list of conversations; by default the first hundred.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationPage {
    /// Maximum number of conversations.
    pub limit: usize,
    /// Start after this place: the time of the last save, and the id.
    pub after: Option<(SystemTime, ConversationId)>,
}

impl ConversationPage {
    /// The first `limit` conversations.
    pub fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    /// The page after this one; `last` is the last conversation of this page.
    #[must_use]
    pub fn next(&self, last: &ConversationRecord) -> Self {
        Self { limit: self.limit, after: Some((last.updated, last.id.clone())) }
    }
}

impl Default for ConversationPage {
    fn default() -> Self {
        Self::first(100)
    }
}
