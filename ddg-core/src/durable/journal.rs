//! The journal of a run: what is written of it to a checkpoint store, and when.

use std::collections::{BTreeMap, btree_map};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::last::{Last, replay};
use super::lease_guard::LeaseGuard;
use crate::checkpoint::{
    Checkpoint, CheckpointPolicy, CheckpointStore, Entry, Lease, RunId, RunStatus, StoreError,
};
use crate::engine::{Ended, Job, RunCore};
use crate::key::Key;
use crate::run::{Outcome, RunError};
use crate::saved::{Saved, SavedResult, Snapshot, SnapshotError};
use crate::values::Value;

/// The journal of one run, to be written to.
pub(crate) struct Journal {
    lease: LeaseGuard,
    checkpoints: CheckpointPolicy,
    last: Mutex<Option<Last>>,
    /// Results of the step that was under way when the run was left, by kickoff.
    found: Mutex<BTreeMap<u64, SavedResult>>,
    cancelled: CancellationToken,
}

impl Journal {
    pub(crate) fn new(
        store: Arc<dyn CheckpointStore>,
        lease: Lease,
        checkpoints: CheckpointPolicy,
    ) -> Self {
        Self {
            lease: LeaseGuard::new(store, lease),
            checkpoints,
            last: Mutex::default(),
            found: Mutex::default(),
            cancelled: CancellationToken::new(),
        }
    }

    /// Whose it is.
    pub(crate) fn run(&self) -> &RunId {
        &self.lease.lease().run
    }

    /// Where it is written to.
    pub(crate) fn store(&self) -> &Arc<dyn CheckpointStore> {
        self.lease.store()
    }

    /// When it is written.
    pub(crate) fn checkpoints(&self) -> CheckpointPolicy {
        self.checkpoints
    }

    /// For how long at a time the run is claimed.
    pub(crate) fn ttl(&self) -> Duration {
        self.lease.lease().ttl
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
    pub(crate) async fn begin(&self, core: &RunCore) -> Result<(), RunError> {
        let is_new = lock(&self.last).is_none();
        if is_new {
            let saved = core.state()?;
            return self.write(saved, RunStatus::Running).await;
        }
        let is_idle = core.machine().is_idle();
        if is_idle { Ok(()) } else { self.mark(RunStatus::Running).await }
    }

    /// Replays stored results: jobs whose result is in the journal go to `ended` unrun.
    ///
    /// # Errors
    /// A result is not that of the job.
    pub(crate) fn replay(
        &self,
        core: &RunCore,
        jobs: &mut Vec<Job>,
        ended: &mut Vec<Ended>,
    ) -> Result<(), SnapshotError> {
        let mut found = std::mem::take(&mut *lock(&self.found));
        if found.is_empty() {
            return Ok(());
        }
        let machine = core.machine();
        for job in std::mem::take(jobs) {
            match found.entry(job.id.0) {
                btree_map::Entry::Occupied(of) if *of.get().worker() == job.payload.role.key => {
                    let result = of.remove();
                    let (end, local) =
                        result.into_ended(&core.program, machine.view(), job.id, job.worker)?;
                    if let Some(values) = local {
                        core.local(job.worker).replace(values);
                    }
                    ended.push(end);
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
    pub(crate) async fn settled(&self, core: &RunCore) -> Result<(), RunError> {
        match self.checkpoints {
            CheckpointPolicy::EveryStep | CheckpointPolicy::EveryWorker => {
                let saved = core.state()?;
                self.write(saved, RunStatus::Running).await
            }
            CheckpointPolicy::OnPause => Ok(()),
        }
    }

    /// The run has ended: writes how, and gives the lease back.
    ///
    /// # Errors
    /// Those of the run, or what it has ended with cannot be written.
    pub(crate) async fn end(&self, ended: Result<Outcome, RunError>) -> Result<Outcome, RunError> {
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
        self.lease.release().await;
        ended
    }

    /// Writes a state: all of it, or what has changed since the last.
    ///
    /// # Errors
    /// The store fails, or somebody else has the run.
    pub(crate) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        let last = lock(&self.last).take();
        let (entry, last) = Last::next(last, Snapshot::new(saved))?;
        match entry {
            Some(entry) => self.lease.store().put(self.lease.lease(), status, &[entry]).await?,
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
        Ok(self.lease.store().put(self.lease.lease(), RunStatus::Failed, again.as_slice()).await?)
    }

    /// Whether the results of single workers are written.
    pub(crate) fn wants_results(&self) -> bool {
        self.checkpoints == CheckpointPolicy::EveryWorker
    }

    /// Writes the results of some workers of the step that is under way.
    pub(crate) fn write_results(
        &self,
        results: Vec<Entry>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (store, lease) = (Arc::clone(self.lease.store()), self.lease.lease().clone());
        async move { store.put(&lease, RunStatus::Running, &results).await }.boxed()
    }

    /// The step that was written last.
    pub(crate) fn step(&self) -> u64 {
        lock(&self.last).as_ref().map_or(0, Last::step)
    }

    /// Whether the local space of `worker` was written with these very values.
    pub(crate) fn has_local(&self, worker: &Key, values: &BTreeMap<String, Value>) -> bool {
        lock(&self.last).as_ref().is_some_and(|last| last.snapshot().has_local(worker, values))
    }

    /// Writes how the run stands.
    async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        Ok(self.lease.store().put(self.lease.lease(), status, &[]).await?)
    }

    /// Gives the lease back, for who has written all there was.
    pub(crate) async fn release(&self) {
        self.lease.release().await;
    }

    /// The run is dropped: gives the lease back, soon.
    pub(crate) fn release_soon(&self) {
        self.lease.release_soon();
    }

    /// Cancels the run, which then gives the lease back before it ends.
    pub(crate) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Resolves when the run is to be cancelled.
    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
