//! The last written state of a run, which decides what is written next.

use crate::checkpoint::{Checkpoint, Entry};
use crate::saved::{Snapshot, SnapshotDelta, SnapshotError};

/// A full state is written once the deltas since the last one exceed both this many bytes and twice
/// the size of that state. This bounds the time of a replay, and the journal to a multiple of its
/// states.
const MANY_BYTES: usize = 64 << 10;

/// The last written state.
pub(super) struct Last {
    snapshot: Snapshot,
    /// Size of the last full state in bytes.
    whole: usize,
    /// Size of the deltas since then in bytes.
    changes: usize,
}

impl Last {
    /// Continues a journal that replays to `snapshot`.
    pub(super) fn of(checkpoint: &Checkpoint, snapshot: Snapshot) -> Self {
        let changes = checkpoint.changes.iter().map(Vec::len).sum();
        Self { snapshot, whole: checkpoint.full.len(), changes }
    }

    /// Writes the same state again, as a full one.
    ///
    /// # Errors
    /// If a value has no JSON form.
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

    /// Returns the entry to write for `snapshot`, if any, and the state that is last then. Only
    /// values that are written are serialised.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(super) fn next(
        last: Option<Self>,
        snapshot: Snapshot,
    ) -> Result<(Option<Entry>, Self), SnapshotError> {
        let step = snapshot.step();
        if let Some(last) = &last
            // A delta must follow an earlier step. The same step is written as a whole.
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

/// Replays a journal.
///
/// # Errors
/// If another program has written the journal, or it was changed.
pub(crate) fn replay(checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
    let whole: Snapshot = serde_json::from_slice(&checkpoint.full)?;
    let changes = checkpoint.changes.iter().map(|change| serde_json::from_slice(change));
    whole.with_changes(changes.collect::<Result<Vec<SnapshotDelta>, _>>()?)
}
