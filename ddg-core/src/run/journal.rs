//! The journal of a run: what is written of it to a checkpoint store, and when.

mod hold;
mod last;

use std::collections::{BTreeMap, btree_map};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use self::hold::Hold;
use self::last::Last;
pub(crate) use self::last::replay;
use super::kickoff::{Ended, Job};
use super::result::SavedResult;
use super::{Outcome, RunCore, RunError, Saved};
use crate::checkpoint::{
    Checkpoint, CheckpointStore, Checkpoints, Entry, Lease, RunId, RunStatus, StoreError,
};
use crate::key::Key;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::values::Value;

/// The journal of one run, to be written to.
pub(crate) struct Journal {
    hold: Hold,
    checkpoints: Checkpoints,
    last: Mutex<Option<Last>>,
    /// Results of the step that was under way when the run was left, by kickoff.
    found: Mutex<BTreeMap<u64, SavedResult>>,
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
            last: Mutex::default(),
            found: Mutex::default(),
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
        let result =
            |(kickoff, body): (&u64, &Vec<u8>)| Ok((*kickoff, serde_json::from_slice(body)?));
        let found = checkpoint.results.iter().map(result).collect::<Result<_, SnapshotError>>();
        self.found = Mutex::new(found?);
        Ok(snapshot)
    }

    /// The run of `core` begins or goes on.
    ///
    /// # Errors
    /// Its state has no JSON form, the store fails, or somebody else has the run.
    pub(super) async fn begin(&self, core: &RunCore) -> Result<(), RunError> {
        let is_new = lock(&self.last).is_none();
        if is_new {
            let saved = core.machine().state()?;
            return self.write(saved, RunStatus::Running).await;
        }
        let is_idle = core.machine().is_idle();
        if is_idle { Ok(()) } else { self.mark(RunStatus::Running).await }
    }

    /// Lets those of `jobs` end of which there are results already: they are not run again.
    ///
    /// # Errors
    /// A result is not that of the job.
    pub(super) fn end_again(
        &self,
        core: &Arc<RunCore>,
        jobs: &mut Vec<Job>,
        ended: &mut Vec<Ended>,
    ) -> Result<(), SnapshotError> {
        let mut found = std::mem::take(&mut *lock(&self.found));
        if found.is_empty() {
            return Ok(());
        }
        for job in std::mem::take(jobs) {
            match found.entry(job.kickoff.id.0) {
                btree_map::Entry::Occupied(of) if of.get().worker() == job.kickoff.key() => {
                    ended.push(of.remove().into_ended(core, job)?);
                }
                _ => jobs.push(job),
            }
        }
        let Some((kickoff, stray)) = found.pop_first() else { return Ok(()) };
        let (automa, worker) = (core.automa().to_string(), stray.worker().clone());
        Err(SnapshotError::StrayResult { automa, worker, kickoff, step: self.step() })
    }

    /// A step of the run has settled, and nothing is running.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(super) async fn settled(&self, core: &RunCore) -> Result<(), RunError> {
        match self.checkpoints {
            Checkpoints::EveryStep | Checkpoints::EveryWorker => {
                let saved = core.machine().state()?;
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
                let written = async { self.write(outcome.state()?, status).await };
                written.await.map(|()| outcome)
            }
            // The last step that was written is what can be gone on from.
            Err(error) => {
                let written = match &error {
                    RunError::Cancelled { .. } | RunError::DeadlineExceeded { .. } => Ok(()),
                    RunError::Step(error) if !error.is_of_workers() => self.forget_results().await,
                    _ => self.mark(RunStatus::Failed).await,
                };
                if let Err(error) = written {
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
        let last = lock(&self.last).take();
        let (entry, last) = Last::next(last, Snapshot::new(saved))?;
        match entry {
            Some(entry) => self.hold.store().put(self.hold.lease(), status, &[entry]).await?,
            None => self.mark(status).await?,
        }
        *lock(&self.last) = Some(last);
        Ok(())
    }

    /// A step has failed because of what its workers gave and asked for: they are to run again.
    async fn forget_results(&self) -> Result<(), RunError> {
        let again = match &mut *lock(&self.last) {
            Some(last) if self.wants_results() => Some(last.again()?),
            _ => None,
        };
        Ok(self.hold.store().put(self.hold.lease(), RunStatus::Failed, again.as_slice()).await?)
    }

    /// Whether the results of single workers are written.
    pub(super) fn wants_results(&self) -> bool {
        self.checkpoints == Checkpoints::EveryWorker
    }

    /// Writes the results of some workers of the step that is under way.
    pub(super) fn write_results(
        &self,
        results: Vec<Entry>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (store, lease) = (Arc::clone(self.hold.store()), self.hold.lease().clone());
        async move { store.put(&lease, RunStatus::Running, &results).await }.boxed()
    }

    /// The step that was written last.
    pub(super) fn step(&self) -> u64 {
        lock(&self.last).as_ref().map_or(0, Last::step)
    }

    /// Whether the local space of `worker` was written with these very values.
    pub(super) fn has_local(&self, worker: &Key, values: &BTreeMap<String, Value>) -> bool {
        lock(&self.last).as_ref().is_some_and(|last| last.snapshot().has_local(worker, values))
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
