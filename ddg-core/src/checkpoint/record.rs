//! What a store knows of a run besides its journal.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Holder, RunId};

/// The record of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRecord {
    /// The id of the run.
    pub run: RunId,
    /// The name of its automa.
    pub automa: String,
    /// The run that it was forked from.
    pub origin: Option<ForkedFrom>,
    /// The status that was written last.
    pub status: RunStatus,
    /// When the run was added to the store.
    pub created: SystemTime,
    /// When its journal or status was last written.
    pub updated: SystemTime,
    /// The last step that has a state.
    pub step: Option<u64>,
    /// The holder of its lease.
    pub holder: Option<Holder>,
    /// When a paused run is to be continued, if it waits for a time or a signal has arrived.
    pub wake_at: Option<SystemTime>,
    /// The names of the signals that a paused run waits for.
    pub awaits: Vec<String>,
    /// Whether it is inside another run, which continues it.
    pub inner: bool,
    /// Number of signals that were sent to it.
    pub n_signals: u64,
    /// How many attempts in a row to continue the run have ended without releasing its lease, since
    /// a state was last written. Usually their process has died.
    pub attempts: u64,
    /// Why the run has failed, if that was written.
    pub reason: Option<String>,
}

/// The origin of a fork. That run may have been deleted since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForkedFrom {
    /// The run.
    pub run: RunId,
    /// The step after which it was forked.
    pub step: u64,
}

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RunStatus {
    /// Running; left, if its lease is free.
    Running,
    /// Waiting to be resumed, possibly with answers.
    Paused,
    /// Ended successfully.
    Finished,
    /// Ended with an error.
    Failed,
    /// Cancelled. It is continued only if it is run again.
    Cancelled,
}

/// A filter of runs, which passes all runs by default.
///
/// ```
/// use ddg_core::checkpoint::{RunFilter, RunStatus};
///
/// let waiting = RunFilter::default().status(RunStatus::Paused);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Only runs of the automa with this name.
    pub automa: Option<String>,
    /// Only runs with this status.
    pub status: Option<RunStatus>,
    /// Only runs whose lease is free.
    pub unheld: bool,
    /// Only runs that are to be continued now: left ones, and paused ones whose time has come.
    pub due: bool,
}

/// A page of a list of runs; by default the first hundred.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Maximum number of runs.
    pub limit: usize,
    /// Start after this place.
    pub after: Option<Cursor>,
    /// Whether the oldest runs come first.
    pub oldest_first: bool,
}

/// The place of a run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cursor {
    /// When the run was created.
    pub created: SystemTime,
    /// The id of the run. Among runs created at the same time, the greater id comes first.
    pub run: RunId,
}

impl RunRecord {
    /// A record with only what every run has. Set the fields to add the rest.
    pub fn new(
        run: RunId,
        automa: impl Into<String>,
        status: RunStatus,
        created: SystemTime,
    ) -> Self {
        let automa = automa.into();
        Self {
            run,
            automa,
            origin: None,
            status,
            created,
            updated: created,
            step: None,
            holder: None,
            wake_at: None,
            awaits: Vec::new(),
            inner: false,
            n_signals: 0,
            attempts: 0,
            reason: None,
        }
    }
}

impl ForkedFrom {
    /// A fork of `run` after `step`.
    pub fn new(run: RunId, step: u64) -> Self {
        Self { run, step }
    }
}

impl RunFilter {
    /// Restricts the filter to runs of the automa with this name.
    #[must_use]
    pub fn automa(mut self, name: impl Into<String>) -> Self {
        self.automa = Some(name.into());
        self
    }

    /// Restricts the filter to runs with this status.
    #[must_use]
    pub fn status(mut self, status: RunStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Restricts the filter to runs whose lease is free: it was released, it has expired, or its
    /// process is known to have ended.
    #[must_use]
    pub fn unheld(mut self) -> Self {
        self.unheld = true;
        self
    }

    /// Restricts the filter to runs that are to be continued now: those that were left, and paused
    /// ones whose [`wake_at`](RunRecord::wake_at) has passed.
    #[must_use]
    pub fn due(mut self) -> Self {
        self.due = true;
        self
    }

    /// The runs that were left: they are running, and their lease is free.
    ///
    /// ```
    /// use ddg_core::checkpoint::{MemoryStore, RunFilter, StoredRuns};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runs = StoredRuns::new(&MemoryStore::new());
    /// for run in runs.list(&RunFilter::left()).await? {
    ///     println!("{} was left after step {:?}", run.run, run.step);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn left() -> Self {
        Self::default().status(RunStatus::Running).unheld()
    }

    /// Whether a run passes that is `record` now.
    pub(super) fn passes(&self, record: &RunRecord, now: SystemTime) -> bool {
        let Self { automa, status, unheld, due } = self;
        let is_free = record.holder.is_none();
        let is_due = !record.inner
            && match record.status {
                RunStatus::Running => true,
                RunStatus::Paused => record.wake_at.is_some_and(|at| at <= now),
                RunStatus::Finished | RunStatus::Failed | RunStatus::Cancelled => false,
            };
        automa.as_ref().is_none_or(|automa| *automa == record.automa)
            && status.is_none_or(|status| status == record.status)
            && (is_free || !(*unheld || *due))
            && (is_due || !due)
    }
}

impl Cursor {
    /// The place of the run `run` that was created at `created`.
    pub fn new(created: SystemTime, run: RunId) -> Self {
        Self { created, run }
    }
}

impl Page {
    /// The first `limit` runs.
    pub fn first(limit: usize) -> Self {
        Self { limit, after: None, oldest_first: false }
    }

    /// Lists the oldest runs first, in the order in which they were created.
    #[must_use]
    pub fn oldest_first(self) -> Self {
        Self { oldest_first: true, ..self }
    }

    /// The page after this one; `last` is the last run of this page.
    #[must_use]
    pub fn next(&self, last: &RunRecord) -> Self {
        let place = Cursor { created: last.created, run: last.run.clone() };
        Self { after: Some(place), ..*self }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

impl RunStatus {
    const ALL: [Self; 5] =
        [Self::Running, Self::Paused, Self::Finished, Self::Failed, Self::Cancelled];

    /// The status as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a run of this status has not ended.
    pub(crate) fn may_be_cancelled(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is not a [`RunStatus`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the status of a run: write running, paused, finished, failed or cancelled")]
pub struct UnknownStatus(String);

impl FromStr for RunStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}
