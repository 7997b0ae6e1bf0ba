//! The standing of a run that is not active.

use std::time::SystemTime;

use super::RunStatus;

/// The standing of a run that is not active: what a paused run waits for, or why a run has failed.
/// Written with [`CheckpointStore::rest`](super::CheckpointStore::rest).
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use ddg_core::checkpoint::{CheckpointStore, Claim, Entry, MemoryStore, Rest, RunId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let run = RunId::new("reminder")?;
/// let lease = store.create(&run, "remind", &Claim::default()).await?;
/// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
/// store.rest(&lease, &Rest::paused().until(tomorrow), &[Entry::full(1, "{}")]).await?;
/// assert!(store.find(&run).await?.wake_at.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rest {
    /// The status.
    pub status: RunStatus,
    /// When the run is to be continued.
    pub wake_at: Option<SystemTime>,
    /// The names of the signals that it waits for. When one arrives, it is to be continued.
    pub awaits: Vec<String>,
    /// The number of the last signal that the run has seen. A later one that it waits for makes it
    /// due at once.
    pub seen: u64,
    /// Why it has failed.
    pub reason: Option<String>,
}

impl Rest {
    /// A run with this status that waits for nothing.
    pub fn new(status: RunStatus) -> Self {
        Self { status, wake_at: None, awaits: Vec::new(), seen: 0, reason: None }
    }

    /// A paused run.
    pub fn paused() -> Self {
        Self::new(RunStatus::Paused)
    }

    /// A run that has failed, and why.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(RunStatus::Failed) }
    }

    /// Sets when the run is to be continued.
    #[must_use]
    pub fn until(self, wake_at: SystemTime) -> Self {
        Self { wake_at: Some(wake_at), ..self }
    }

    /// Sets the names of the signals that the run waits for, after it has seen those up to the
    /// number `seen`.
    #[must_use]
    pub fn awaits(self, names: impl IntoIterator<Item = String>, seen: u64) -> Self {
        Self { awaits: names.into_iter().collect(), seen, ..self }
    }
}
