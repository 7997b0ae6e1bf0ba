//! Writes the states of a run to a checkpoint store, as it goes.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::{RunError, Saved};
use crate::checkpoint::{
    Checkpoint, CheckpointStore, Checkpoints, Entry, Lease, RunStatus, StoreError,
};
use crate::snapshot::{Snapshot, SnapshotError};

/// So many changes are written after a whole state before the next whole state.
const MOST_CHANGES: usize = 64;

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
    step: u64,
    state: Json,
    n_changes: usize,
    /// How many bytes the changes since the last whole state have.
    n_bytes: usize,
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

    /// Whether a run that goes on is written after this step.
    pub(crate) fn wants_every_step(&self) -> bool {
        self.checkpoints == Checkpoints::EveryStep
    }

    /// Writes a state: all of it, or what has changed since the last.
    ///
    /// # Errors
    /// The store fails, or somebody else has the run.
    pub(crate) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        let step = saved.step();
        let state = serde_json::to_value(Snapshot::new(saved)).map_err(SnapshotError::from)?;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(last) = &last
            && last.step == step
            && last.state == state
        {
            return self.mark(status).await;
        }
        let (entry, last) = entry(step, state, last)?;
        self.store.put(&self.lease, status, &[entry]).await?;
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

/// What is written of `state`, and what is known of it when the next is.
fn entry(step: u64, state: Json, last: Option<Last>) -> Result<(Entry, Last), SnapshotError> {
    if let Some(last) = last
        && last.step < step
        && last.n_changes < MOST_CHANGES
    {
        let change = serde_json::to_vec(&json_patch::diff(&last.state, &state))?;
        let n_bytes = last.n_bytes + change.len();
        let whole = serde_json::to_vec(&state)?;
        // Once the changes are longer than the state, the state is what is read faster.
        if n_bytes <= whole.len().max(4096) {
            let n_changes = last.n_changes + 1;
            return Ok((Entry::change(step, change), Last { step, state, n_changes, n_bytes }));
        }
        return Ok((Entry::full(step, whole), Last { step, state, n_changes: 0, n_bytes: 0 }));
    }
    let whole = serde_json::to_vec(&state)?;
    Ok((Entry::full(step, whole), Last { step, state, n_changes: 0, n_bytes: 0 }))
}

/// The state that a journal leads to.
///
/// # Errors
/// The journal was not written by this, or has been tampered with.
pub(crate) fn replay(checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
    let mut state: Json = serde_json::from_slice(&checkpoint.full)?;
    for change in &checkpoint.changes {
        let patch: json_patch::Patch = serde_json::from_slice(change)?;
        json_patch::patch(&mut state, &patch)
            .map_err(|error| SnapshotError::Unreadable(serde::de::Error::custom(error)))?;
    }
    Ok(serde_json::from_value(state)?)
}
