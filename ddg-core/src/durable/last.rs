//! What was written last of a run, and so what is to be written next.

use crate::checkpoint::{Checkpoint, Entry};
use crate::saved::{Snapshot, SnapshotDelta, SnapshotError};

/// A whole state is written again when the changes since the last are so many bytes, and twice
/// those of that state: a journal is never much longer than what it has to say, and read in time.
const MANY_BYTES: usize = 64 << 10;

/// What was written last.
pub(super) struct Last {
    snapshot: Snapshot,
    /// How many bytes the last whole state has.
    whole: usize,
    /// How many bytes the changes since have.
    changes: usize,
}

impl Last {
    /// What a journal has, of which `snapshot` is the state that it leads to.
    pub(super) fn of(checkpoint: &Checkpoint, snapshot: Snapshot) -> Self {
        let changes = checkpoint.changes.iter().map(Vec::len).sum();
        Self { snapshot, whole: checkpoint.full.len(), changes }
    }

    /// The same state once more, as a whole.
    ///
    /// # Errors
    /// A value has no JSON form.
    pub(super) fn again(&mut self) -> Result<Entry, SnapshotError> {
        let whole = serde_json::to_vec(&self.snapshot)?;
        (self.whole, self.changes) = (whole.len(), 0);
        Ok(Entry::full(self.step(), whole))
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(super) fn step(&self) -> u64 {
        self.snapshot.step()
    }

    /// What is to be written of `snapshot`, if anything, and what was written last then. Of the
    /// values only those are looked at that are written.
    ///
    /// # Errors
    /// A value has no JSON form.
    pub(super) fn next(
        last: Option<Self>,
        snapshot: Snapshot,
    ) -> Result<(Option<Entry>, Self), SnapshotError> {
        let step = snapshot.step();
        if let Some(last) = &last
            && last.step() < step
            && last.changes <= MANY_BYTES.max(2 * last.whole)
        {
            let change = serde_json::to_vec(&snapshot.changes_since(&last.snapshot)?)?;
            let changes = last.changes + change.len();
            let last = Self { snapshot, whole: last.whole, changes };
            return Ok((Some(Entry::change(step, change)), last));
        }
        snapshot.check()?;
        let whole = serde_json::to_vec(&snapshot)?;
        if let Some(last) = last
            && last.step() == step
            && serde_json::to_vec(&last.snapshot)? == whole
        {
            return Ok((None, last));
        }
        let last = Self { snapshot, whole: whole.len(), changes: 0 };
        Ok((Some(Entry::full(step, whole)), last))
    }
}

/// The state that a journal leads to.
///
/// # Errors
/// The journal was not written by this, or has been tampered with.
pub(crate) fn replay(checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
    let whole: Snapshot = serde_json::from_slice(&checkpoint.full)?;
    let changes = checkpoint.changes.iter().map(|change| serde_json::from_slice(change));
    whole.with_changes(changes.collect::<Result<Vec<SnapshotDelta>, _>>()?)
}
