//! Threads.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Metadata;

/// A thread of messages. A conversation is the same object under its own id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Thread {
    /// The id, `thread_…` or `conv_…`.
    pub id: String,
    /// Always `thread`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// Pairs of the client.
    pub metadata: Metadata,
    /// Resources of tools; there are none.
    #[serde(default)]
    pub tool_resources: Option<Json>,
}
