//! Conversations.

use serde::{Deserialize, Serialize};

use super::{Metadata, Thread};

/// A conversation of items: a thread with the calls of functions in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conversation {
    /// The id, `conv_…` or `thread_…`.
    pub id: String,
    /// Always `conversation`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// Pairs of the client.
    pub metadata: Metadata,
}

impl From<Thread> for Conversation {
    fn from(thread: Thread) -> Self {
        let Thread { id, created_at, metadata, .. } = thread;
        Self { id, object: "conversation".to_owned(), created_at, metadata }
    }
}
