//! The public delta between two snapshots.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::patch::Patch;
use super::{SnapshotError, Version};

/// The delta between two snapshots of a run. Like a snapshot it can be serialised. See
/// [`Snapshot::changes_since`](crate::snapshot::Snapshot::changes_since).
#[derive(Clone, Serialize, Deserialize)]
pub struct SnapshotDelta {
    version: Version,
    after: u64,
    step: u64,
    patch: Patch,
}

impl SnapshotDelta {
    pub(crate) fn new(after: u64, step: u64, patch: Patch) -> Self {
        Self { version: Version, after, step, patch }
    }

    /// The step of the snapshot that the delta applies to.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// The step of the snapshot that the delta leads to.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Applies the delta to the state `run` after `step`.
    pub(super) fn apply(self, step: &mut u64, run: &mut Json) -> Result<(), SnapshotError> {
        if self.after != *step || !self.patch.apply(run) {
            return Err(SnapshotError::NotFollowing { step: *step, source: None });
        }
        *step = self.step;
        Ok(())
    }
}

impl fmt::Debug for SnapshotDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnapshotDelta(after {}, to {}: {:?})", self.after, self.step, self.patch)
    }
}
