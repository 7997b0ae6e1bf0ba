//! Writes the states of a run to a checkpoint store, as it goes.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::{RunError, Saved};
use crate::checkpoint::{
    Checkpoint, CheckpointStore, Checkpoints, Entry, Lease, RunId, RunStatus, StoreError,
};
use crate::snapshot::{Changes, Snapshot, SnapshotError};

/// A whole state is written again when the changes since the last are so many bytes, and twice
/// those of that state: a journal is never much longer than what it has to say, and read in time.
const MANY_BYTES: usize = 64 << 10;

/// The journal of one run, to be written to.
pub(crate) struct Journal {
    store: Arc<dyn CheckpointStore>,
    lease: Lease,
    checkpoints: Checkpoints,
    last: Mutex<Option<Last>>,
    /// Renews the lease for as long as a step takes.
    renewal: Option<AbortOnDropHandle<()>>,
}

/// What was written last.
struct Last {
    snapshot: Snapshot,
    /// How many bytes the last whole state has.
    whole: usize,
    /// How many bytes the changes since have.
    changes: usize,
}

impl Journal {
    pub(crate) fn new(
        store: Arc<dyn CheckpointStore>,
        lease: Lease,
        checkpoints: Checkpoints,
    ) -> Self {
        let renewal = Handle::try_current().ok().map(|runtime| {
            let (store, lease) = (Arc::clone(&store), lease.clone());
            AbortOnDropHandle::new(runtime.spawn(async move {
                loop {
                    tokio::time::sleep(lease.ttl / 3).await;
                    if let Err(error @ StoreError::Fenced { .. }) = store.renew(&lease).await {
                        tracing::warn!(%error, "the lease of a run is lost");
                        return;
                    }
                }
            }))
        });
        Self { store, lease, checkpoints, last: Mutex::new(None), renewal }
    }

    /// Whose it is.
    pub(crate) fn run(&self) -> &RunId {
        &self.lease.run
    }

    /// Whether a run that goes on is written after this step.
    pub(crate) fn wants_every_step(&self) -> bool {
        self.checkpoints == Checkpoints::EveryStep
    }

    /// Writes a state: all of it, or what has changed since the last.
    ///
    /// # Errors
    /// The store fails, or somebody else has the run.
    pub(crate) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        let snapshot = Snapshot::new(saved);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (entry, last) = entry(snapshot, last)?;
        match entry {
            Some(entry) => self.store.put(&self.lease, status, &[entry]).await?,
            None => self.mark(status).await?,
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        Ok(())
    }

    /// Writes how the run stands.
    ///
    /// # Errors
    /// The store fails, or somebody else has the run.
    pub(crate) async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        Ok(self.store.put(&self.lease, status, &[]).await?)
    }

    /// Lets others have the run. What is not released so is free when the lease has run out.
    pub(crate) async fn release(&self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
        if let Err(error) = self.store.release(&self.lease).await {
            tracing::warn!(%error, "the lease of a run was not given up");
        }
    }
}

/// What is to be written of `snapshot`, if anything, and what is known of it when the next is.
fn entry(snapshot: Snapshot, last: Option<Last>) -> Result<(Option<Entry>, Last), SnapshotError> {
    let step = snapshot.step();
    if let Some(last) = &last
        && last.snapshot.step() < step
        && last.changes <= MANY_BYTES.max(2 * last.whole)
    {
        let change = serde_json::to_vec(&snapshot.changes_since(&last.snapshot)?)?;
        let changes = last.changes + change.len();
        let last = Last { snapshot, whole: last.whole, changes };
        return Ok((Some(Entry::change(step, change)), last));
    }
    let whole = serde_json::to_vec(&snapshot)?;
    if let Some(last) = last
        && last.snapshot.step() == step
        && serde_json::to_vec(&last.snapshot)? == whole
    {
        return Ok((None, last));
    }
    let last = Last { snapshot, whole: whole.len(), changes: 0 };
    Ok((Some(Entry::full(step, whole)), last))
}

/// The state that a journal leads to.
///
/// # Errors
/// The journal was not written by this, or has been tampered with.
pub(crate) fn replay(checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
    let whole: Snapshot = serde_json::from_slice(&checkpoint.full)?;
    let changes = checkpoint.changes.iter().map(|change| serde_json::from_slice(change));
    whole.with_changes(changes.collect::<Result<Vec<Changes>, _>>()?)
}
