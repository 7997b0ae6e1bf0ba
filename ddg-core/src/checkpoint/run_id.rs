//! The id of a run.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a run: a random one that sorts by time, or a name of the user's choice. Cheap to
/// clone.
///
/// ```
/// use ddg_core::checkpoint::RunId;
///
/// let nightly = RunId::new("report/2026-11-20")?;
/// assert_eq!(nightly.as_str(), "report/2026-11-20");
/// assert_ne!(RunId::random(), RunId::random());
/// # Ok::<(), ddg_core::checkpoint::InvalidRunId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(Arc<str>);

/// A text that is not a valid run id.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{id:?} cannot be the id of a run: an id has 1 to {} bytes and no control characters",
    RunId::MAX_BYTES
)]
#[non_exhaustive]
pub struct InvalidRunId {
    /// The text.
    pub id: String,
}

impl RunId {
    /// Maximum length of an id in bytes.
    pub const MAX_BYTES: usize = 200;

    /// An id of the user's choice.
    ///
    /// # Errors
    /// If it is empty, longer than [`MAX_BYTES`](Self::MAX_BYTES), or contains control characters.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidRunId> {
        let id = id.into();
        let fits = (1..=Self::MAX_BYTES).contains(&id.len()) && !id.contains(char::is_control);
        if fits { Ok(Self(id.into())) } else { Err(InvalidRunId { id }) }
    }

    /// A unique id: a UUID of version 7, which begins with the time.
    pub fn random() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(id: &str) -> Result<Self, InvalidRunId> {
        Self::new(id)
    }
}

impl TryFrom<String> for RunId {
    type Error = InvalidRunId;

    fn try_from(id: String) -> Result<Self, InvalidRunId> {
        Self::new(id)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.as_str().to_owned()
    }
}

crate::__debug_is_display!(InvalidRunId);
