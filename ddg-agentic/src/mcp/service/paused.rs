//! Calls that wait for an answer of the person at the client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ddg_core::snapshot::Snapshot;
use indexmap::IndexMap;
use tokio::time::Instant;
use uuid::Uuid;

/// Maximum number of calls that wait, and the time after which one is given up.
const MOST: usize = 256;
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The calls that wait, by an id that nobody can guess.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<IndexMap<String, Paused>>>);

/// A call that waits.
pub(super) struct Paused {
    pub(super) tool: String,
    pub(super) snapshot: Snapshot,
    since: Instant,
}

impl Waiting {
    /// Keeps a call, and returns its id. The oldest one is given up if there are too many.
    pub(super) fn keep(&self, tool: &str, snapshot: Snapshot) -> String {
        let id = Uuid::now_v7().to_string();
        let paused = Paused { tool: tool.to_owned(), snapshot, since: Instant::now() };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, paused| paused.since.elapsed() < LONGEST);
        if waiting.len() >= MOST {
            waiting.shift_remove_index(0);
        }
        waiting.insert(id.clone(), paused);
        id
    }

    /// The call with this id, which waits no longer: an answer counts once.
    pub(super) fn take(&self, id: &str) -> Option<Paused> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, paused| paused.since.elapsed() < LONGEST);
        waiting.shift_remove(id)
    }
}
