//! The journal of a run: what is written of it to a checkpoint store, and when.

mod hold;
mod last;

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use self::hold::Hold;
use self::last::Last;
pub(crate) use self::last::replay;
use super::{Outcome, RunCore, RunError, Saved};
use crate::checkpoint::{Checkpoint, CheckpointStore, Checkpoints, Lease, RunId, RunStatus};
use crate::snapshot::{Snapshot, SnapshotError};

/// The journal of one run, to be written to.
pub(crate) struct Journal {
    hold: Hold,
    checkpoints: Checkpoints,
    last: Mutex<Option<Last>>,
    cancelled: CancellationToken,
}

impl Journal {
    pub(crate) fn new(
        store: Arc<dyn CheckpointStore>,
        lease: Lease,
        checkpoints: Checkpoints,
    ) -> Self {
        Self {
            hold: Hold::new(store, lease),
            checkpoints,
            last: Mutex::new(None),
            cancelled: CancellationToken::new(),
        }
    }

    /// Whose it is.
    pub(super) fn run(&self) -> &RunId {
        &self.hold.lease().run
    }

    /// Goes on with what is written already; gives the state that it leads to.
    ///
    /// # Errors
    /// The journal was not written by this, or has been tampered with.
    pub(crate) fn resume(&mut self, checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
        let snapshot = replay(checkpoint)?;
        self.last = Mutex::new(Some(Last::of(checkpoint, snapshot.clone())));
        Ok(snapshot)
    }

    /// The run of `core` begins or goes on.
    ///
    /// # Errors
    /// Its state has no JSON form, the store fails, or somebody else has the run.
    pub(super) async fn begin(&self, core: &RunCore) -> Result<(), RunError> {
        let is_new = self.last().is_none();
        if is_new {
            let saved = core.machine().save()?;
            return self.write(saved, RunStatus::Running).await;
        }
        let is_idle = core.machine().is_idle();
        if is_idle { Ok(()) } else { self.mark(RunStatus::Running).await }
    }

    /// A step of the run has settled, and nothing is running.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(super) async fn settled(&self, core: &RunCore) -> Result<(), RunError> {
        match self.checkpoints {
            Checkpoints::EveryStep => {
                let saved = core.machine().save()?;
                self.write(saved, RunStatus::Running).await
            }
            Checkpoints::OnPause => Ok(()),
        }
    }

    /// The run has ended: writes how, and gives the lease back.
    ///
    /// # Errors
    /// Those of the run, or what it has ended with cannot be written.
    pub(super) async fn end(&self, ended: Result<Outcome, RunError>) -> Result<Outcome, RunError> {
        let ended = match ended {
            Ok(outcome) => {
                let paused = outcome.is_paused() || outcome.stopped();
                let status = if paused { RunStatus::Paused } else { RunStatus::Finished };
                let written = async { self.write(outcome.save()?, status).await };
                written.await.map(|()| outcome)
            }
            // The last step that was written is what can be gone on from.
            Err(error) => {
                if !matches!(error, RunError::Cancelled { .. })
                    && let Err(error) = self.mark(RunStatus::Failed).await
                {
                    tracing::warn!(%error, "that a run has failed was not written");
                }
                Err(error)
            }
        };
        self.hold.give_back().await;
        ended
    }

    /// Writes a state: all of it, or what has changed since the last.
    ///
    /// # Errors
    /// The store fails, or somebody else has the run.
    pub(super) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        let last = self.last().take();
        let (entry, last) = Last::next(last, Snapshot::new(saved))?;
        match entry {
            Some(entry) => self.hold.store().put(self.hold.lease(), status, &[entry]).await?,
            None => self.mark(status).await?,
        }
        *self.last() = Some(last);
        Ok(())
    }

    /// Writes how the run stands.
    async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        Ok(self.hold.store().put(self.hold.lease(), status, &[]).await?)
    }

    /// Gives the lease back, for who has written all there was.
    pub(super) async fn give_back(&self) {
        self.hold.give_back().await;
    }

    /// The run is dropped: gives the lease back, soon.
    pub(super) fn let_go(&self) {
        self.hold.let_go();
    }

    /// Cancels the run, which then gives the lease back before it ends.
    pub(super) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Resolves when the run is to be cancelled.
    pub(super) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
