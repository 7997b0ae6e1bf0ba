//! What a store knows of a run besides its journal.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Holder, RunId};

/// A run as a store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRecord {
    /// Its id.
    pub run: RunId,
    /// The automa that it is a run of.
    pub automa: String,
    /// The run that it was forked from.
    pub origin: Option<ForkedFrom>,
    /// How it stands, by the last that was written.
    pub status: RunStatus,
    /// When it was added to the store.
    pub created: SystemTime,
    /// When its journal or status was written last.
    pub updated: SystemTime,
    /// The last step that has a state.
    pub step: Option<u64>,
    /// Who holds its lease.
    pub holder: Option<Holder>,
}

/// Where a fork was made. That run may have been deleted since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForkedFrom {
    /// The run.
    pub run: RunId,
    /// The step after which.
    pub step: u64,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RunStatus {
    /// It goes on; if nobody holds its lease, it has been interrupted.
    Running,
    /// It waits to be resumed, with an answer perhaps.
    Paused,
    /// It has come to its end.
    Finished,
    /// It has ended with an error.
    Failed,
}

/// Which runs; all of them by default.
///
/// ```
/// use ddg_core::checkpoint::{RunFilter, RunStatus};
///
/// let waiting = RunFilter::default().status(RunStatus::Paused);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Those of the automa of this name.
    pub automa: Option<String>,
    /// Those that stand so.
    pub status: Option<RunStatus>,
}

/// How many runs of a long list, and from where; the first hundred by default.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// At most so many.
    pub limit: usize,
    /// Those that come after this place.
    pub after: Option<Cursor>,
}

/// A run's place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cursor {
    /// When it was created.
    pub created: SystemTime,
    /// The run; of those created at once, the greater id comes first.
    pub run: RunId,
}

impl RunRecord {
    /// A run that was added at `created`, and of which nothing else is known: the rest is put into the
    /// fields.
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
        }
    }
}

impl ForkedFrom {
    /// That a fork was made of `run` after `step`.
    pub fn new(run: RunId, step: u64) -> Self {
        Self { run, step }
    }
}

impl RunFilter {
    /// Only runs of the automa of this name.
    #[must_use]
    pub fn automa(mut self, name: impl Into<String>) -> Self {
        self.automa = Some(name.into());
        self
    }

    /// Only runs that stand so.
    #[must_use]
    pub fn status(mut self, status: RunStatus) -> Self {
        self.status = Some(status);
        self
    }
}

impl Cursor {
    /// The place of a run that was created then.
    pub fn new(created: SystemTime, run: RunId) -> Self {
        Self { created, run }
    }
}

impl Page {
    /// The first `limit` runs.
    pub fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    /// As many runs as in this page, after `last`, the last run of this page.
    #[must_use]
    pub fn next(&self, last: &RunRecord) -> Self {
        let place = Cursor { created: last.created, run: last.run.clone() };
        Self { limit: self.limit, after: Some(place) }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

impl RunStatus {
    const ALL: [Self; 4] = [Self::Running, Self::Paused, Self::Finished, Self::Failed];

    /// The status as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no [`RunStatus`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no status of a run: it is running, paused, finished or failed")]
pub struct UnknownStatus(String);

impl FromStr for RunStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}
