//! What a store knows of a conversation.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{ConversationId, OpenRun};
use crate::memory::Conversation;

/// How often a conversation has been saved; what tells that somebody else has saved it since.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ConversationVersion(u64);

impl ConversationVersion {
    /// That of a conversation that is not in the store.
    pub const NEW: Self = Self(0);

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    #[cfg(feature = "sqlite")]
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

/// A conversation as it came from a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredConversation {
    /// The conversation; empty if it is not in the store.
    pub conversation: Conversation,
    /// What the next save has to name.
    pub version: ConversationVersion,
    /// A run of it that is not at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<OpenRun>,
}

impl StoredConversation {
    /// A conversation of this version.
    pub fn new(conversation: Conversation, version: ConversationVersion) -> Self {
        Self { conversation, version, run: None }
    }

    /// Sets the run of it that is not at its end.
    #[must_use]
    pub fn with_run(mut self, run: Option<OpenRun>) -> Self {
        self.run = run;
        self
    }
}

/// A conversation as a store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationRecord {
    /// Its id.
    pub id: ConversationId,
    /// How often it has been saved.
    pub version: ConversationVersion,
    /// How many messages it has.
    pub n_messages: usize,
    /// When it was saved first.
    pub created: SystemTime,
    /// When it was saved last.
    pub updated: SystemTime,
    /// Whether a run of it is not at its end.
    pub has_open_run: bool,
}

impl ConversationRecord {
    /// A conversation that was saved first and last at these times.
    pub fn new(
        id: ConversationId,
        version: ConversationVersion,
        n_messages: usize,
        [created, updated]: [SystemTime; 2],
    ) -> Self {
        Self { id, version, n_messages, created, updated, has_open_run: false }
    }

    /// Sets whether a run of it is not at its end.
    #[must_use]
    pub fn open_run(mut self, has_open_run: bool) -> Self {
        self.has_open_run = has_open_run;
        self
    }
}

/// How many conversations of a long list, and from where; the first hundred by default.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationPage {
    /// At most so many.
    pub limit: usize,
    /// Those that come after this one in the list: when it was saved last, and its id.
    pub after: Option<(SystemTime, ConversationId)>,
}

impl ConversationPage {
    /// The first `limit` conversations.
    pub fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    /// As many as in this page, after `last`, the last of this page.
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
