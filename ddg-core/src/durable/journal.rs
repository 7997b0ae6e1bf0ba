//! The journal of a run: what is written to a store, and when.

use std::collections::{BTreeMap, btree_map};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use tokio_util::sync::CancellationToken;

use super::hold::{Acting, Hold, LONGEST_PAUSE, Standing, pauses};
use super::keeper::{self, Carried};
use super::last::{Last, replay};
use crate::checkpoint::{
    Checkpoint, CheckpointPolicy, CheckpointStore, Claim, Entry, RunId, RunStatus, StoreError,
};
use crate::engine::{Ended, Job, RunCore};
use crate::key::Key;
use crate::run::{Outcome, RunError};
use crate::saved::{Saved, SavedResult, Snapshot, SnapshotError};
use crate::values::Value;

/// The journal of one run, for writing.
pub(crate) struct Journal {
    hold: Hold,
    claim: Claim,
    checkpoints: CheckpointPolicy,
    last: Mutex<Option<Last>>,
    /// Results of the step that was interrupted when the run was left, by kickoff.
    found: Mutex<BTreeMap<u64, SavedResult>>,
    /// Whether the run only waits for the store. Nothing is running then, so its lease may expire.
    waiting: AtomicBool,
    cancelled: CancellationToken,
}

/// Minimum time to live of a lease. A shorter lease could not be renewed in time.
const SHORTEST_TTL: Duration = Duration::from_millis(50);

/// The way a stored run is claimed.
pub(crate) enum Beginning {
    /// Adds the run to the store, as a run of the automa of this name.
    Create(Arc<str>),
    /// Acquires a run that the store has.
    Acquire,
}

/// The result of driving a stored run.
pub(crate) enum Attempt<T> {
    Ended(Result<T, RunError>),
    /// The run was interrupted because its lease may have expired. If the lease is regained, the
    /// run continues from its last written state.
    Interrupted,
}

impl Journal {
    /// Claims the run `id`.
    ///
    /// # Errors
    /// If the run exists and is to be added, or does not exist and is to be acquired; if its lease
    /// is held; if the store fails.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is done, a lease that it has acquired is released.
    pub(crate) async fn claim(
        store: &Arc<dyn CheckpointStore>,
        id: &RunId,
        claim: &Claim,
        beginning: Beginning,
        checkpoints: CheckpointPolicy,
        cancelled: &CancellationToken,
    ) -> Result<Self, StoreError> {
        let asked = Instant::now();
        let claim = Claim { ttl: claim.ttl.max(SHORTEST_TTL), ..claim.clone() };
        let claiming = {
            let (store, id, claim) = (Arc::clone(store), id.clone(), claim.clone());
            async move {
                match beginning {
                    Beginning::Create(automa) => store.create(&id, &automa, &claim).await,
                    Beginning::Acquire => store.acquire(&id, &claim).await,
                }
            }
        };
        let unclaimed = Arc::clone(store);
        let lease = Carried::new(claiming, move |claimed| {
            let release = async move {
                if let Ok(lease) = claimed {
                    _ = unclaimed.release(&lease).await;
                }
            };
            release.boxed()
        });
        let lease = lease.await?;
        Ok(Self {
            hold: Hold::new(Arc::clone(store), lease, claim.patience, asked),
            claim,
            checkpoints,
            last: Mutex::default(),
            found: Mutex::default(),
            waiting: AtomicBool::new(false),
            cancelled: cancelled.clone(),
        })
    }

    /// The id of the run.
    pub(crate) fn run(&self) -> &RunId {
        &self.hold.leased().lease().run
    }

    /// Where it is written to.
    pub(crate) fn store(&self) -> &Arc<dyn CheckpointStore> {
        self.hold.leased().store()
    }

    /// When it is written.
    pub(crate) fn checkpoints(&self) -> CheckpointPolicy {
        self.checkpoints
    }

    /// How it was claimed.
    pub(crate) fn claimed(&self) -> &Claim {
        &self.claim
    }

    /// Continues a journal that exists; returns the state that it leads to.
    ///
    /// If another program has written the journal, or the journal was changed.
    pub(crate) fn resume(&self, checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
        let snapshot = replay(checkpoint)?;
        *lock(&self.last) = Some(Last::of(checkpoint, snapshot.clone()));
        let result =
            |(kickoff, body): (&u64, &Vec<u8>)| Ok((*kickoff, serde_json::from_slice(body)?));
        let found = checkpoint.results.iter().map(result).collect::<Result<_, SnapshotError>>();
        *lock(&self.found) = found?;
        Ok(snapshot)
    }

    /// Writes that the run of `core` begins or continues.
    ///
    /// # Errors
    /// If the state has no JSON form, the store fails, or the lease is held by somebody else.
    pub(crate) async fn begin(&self, core: &RunCore) -> Result<(), RunError> {
        let is_new = lock(&self.last).is_none();
        if is_new {
            let saved = core.state()?;
            return self.write(saved, RunStatus::Running).await;
        }
        // A run that has ended is only read; marking it as running would be wrong.
        let is_idle = core.machine().is_idle();
        if is_idle { Ok(()) } else { self.mark(RunStatus::Running).await }
    }

    /// Replays stored results: jobs whose result is in the journal go to `ended` without being run.
    ///
    /// # Errors
    /// If a result belongs to none of the jobs.
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

    /// Writes the state after a step that has settled, when nothing is running.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) async fn settled(&self, core: &RunCore) -> Result<(), RunError> {
        match self.checkpoints {
            CheckpointPolicy::EveryStep | CheckpointPolicy::EveryWorker => {
                let saved = core.state()?;
                self.write(saved, RunStatus::Running).await
            }
            CheckpointPolicy::OnPause if self.hold.leased().may_have_expired() => {
                Ok(self.waiting_for(self.hold.leased().regain()).await?)
            }
            CheckpointPolicy::OnPause => Ok(()),
        }
    }

    /// Writes how the run has ended, and releases the lease.
    ///
    /// # Errors
    /// Those of the run, or if its end cannot be written.
    pub(crate) async fn end(&self, ended: Result<Outcome, RunError>) -> Result<Outcome, RunError> {
        let ended = match ended {
            Ok(outcome) => {
                let paused = outcome.is_paused() || outcome.stopped();
                let status = if paused { RunStatus::Paused } else { RunStatus::Finished };
                let written = async { self.write(outcome.state()?, status).await };
                self.until_lost(written).await.map(|()| outcome)
            }
            // A failed run writes no state: it can be resumed from the last step that was written.
            Err(error) => {
                let written = match &error {
                    // Nothing is written for these: the run stays as it was after its last step, to
                    // be resumed.
                    RunError::Cancelled { .. } | RunError::DeadlineExceeded { .. } => Ok(()),
                    RunError::Step(error) if !error.is_of_workers() => {
                        self.until_lost(self.forget_results()).await
                    }
                    _ => self.until_lost(self.mark(RunStatus::Failed)).await,
                };
                if let Err(error) = written {
                    tracing::warn!(%error, "the failure of a run was not written");
                }
                Err(error)
            }
        };
        self.hold.release().await;
        ended
    }

    /// Writes a state as a whole, or as the delta since the last one.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(crate) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        // Put back only after a successful write. After a failure it is unknown what the store has,
        // so the next write is a whole state.
        let last = lock(&self.last).take();
        let (entry, last) = Last::next(last, Snapshot::new(saved))?;
        match entry {
            Some(entry) => self.put(status, &[entry]).await?,
            None => self.mark(status).await?,
        }
        *lock(&self.last) = Some(last);
        Ok(())
    }

    /// Drops the results of a step that failed as a whole: its workers must run again.
    async fn forget_results(&self) -> Result<(), RunError> {
        let again = match &mut *lock(&self.last) {
            Some(last) if self.wants_results() => Some(last.again()?),
            _ => None,
        };
        self.put(RunStatus::Failed, again.as_slice()).await
    }

    /// Whether the results of single workers are written.
    pub(crate) fn wants_results(&self) -> bool {
        self.checkpoints == CheckpointPolicy::EveryWorker
    }

    /// Writes the results of some workers of the current step.
    pub(crate) fn write_results(
        &self,
        results: Vec<Entry>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let leased = Arc::clone(self.hold.leased());
        async move {
            let put = || leased.store().put(leased.lease(), RunStatus::Running, &results);
            leased.write(put).await
        }
        .boxed()
    }

    /// The step that was written last.
    pub(crate) fn step(&self) -> u64 {
        lock(&self.last).as_ref().map_or(0, Last::step)
    }

    /// Whether the last written local space of `worker` has the same values.
    pub(crate) fn has_local(&self, worker: &Key, values: &BTreeMap<String, Value>) -> bool {
        lock(&self.last).as_ref().is_some_and(|last| last.snapshot().has_local(worker, values))
    }

    /// Writes the status of the run.
    async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        self.put(status, &[]).await
    }

    /// Writes to the journal while nothing of the run is running.
    async fn put(&self, status: RunStatus, entries: &[Entry]) -> Result<(), RunError> {
        let leased = self.hold.leased();
        let put = async {
            leased.write(|| leased.store().put(leased.lease(), status, entries)).await?;
            // The write may have taken so long that the lease has expired again.
            if leased.may_have_expired() { leased.regain().await } else { Ok(()) }
        };
        Ok(self.waiting_for(put).await?)
    }

    /// Awaits `store` while nothing else of the run is running.
    async fn waiting_for<T>(&self, store: impl Future<Output = T>) -> T {
        self.waiting.store(true, Ordering::Relaxed);
        let done = store.await;
        self.waiting.store(false, Ordering::Relaxed);
        done
    }

    /// Drives the run of `automa` until it ends, is cancelled, or stops because of its lease.
    pub(crate) async fn drive<T>(
        &self,
        automa: &str,
        run: impl Future<Output = Result<T, RunError>>,
    ) -> Attempt<T> {
        let mut standing = self.hold.standing();
        let run_out = async {
            // While the run waits for the store nothing is running, so its lease may expire.
            let stops = |now: &Standing| match now {
                Standing::Held => false,
                Standing::RunOut => !self.waiting.load(Ordering::Relaxed),
                Standing::Lost => true,
            };
            match standing.wait_for(stops).await.map(|now| *now) {
                Ok(Standing::Lost) => Attempt::Ended(Err(self.hold.leased().why_lost().into())),
                _ => Attempt::Interrupted,
            }
        };
        let attempt = async {
            futures::pin_mut!(run_out, run);
            match select(run_out, run).await {
                Either::Left((stopped, _)) => stopped,
                Either::Right((ended, _)) => Attempt::Ended(ended),
            }
        };
        match self.cancelled.run_until_cancelled(attempt).await {
            Some(attempt) => attempt,
            None => Attempt::Ended(Err(RunError::Cancelled { automa: automa.to_owned() })),
        }
    }

    /// Awaits `store` until the lease is lost.
    async fn until_lost<T>(
        &self,
        store: impl Future<Output = Result<T, RunError>>,
    ) -> Result<T, RunError> {
        let mut standing = self.hold.standing();
        let lost = standing.wait_for(|now| *now == Standing::Lost).map(|_| ());
        futures::pin_mut!(lost, store);
        match select(lost, store).await {
            Either::Left(_) => Err(self.hold.leased().why_lost().into()),
            Either::Right((done, _)) => done,
        }
    }

    /// Waits until a lease that may have expired is renewed, and nothing of the interrupted run is
    /// running. Returns the last written state of the run.
    ///
    /// # Errors
    /// If another process has acquired the run, or the store is unavailable for too long.
    pub(crate) async fn regain(&self) -> Result<Option<Checkpoint>, RunError> {
        let regained = async {
            self.hold.acting().tasks_ended().await;
            let leased = self.hold.leased();
            leased.regain().await?;
            Ok(leased.read(|| leased.store().latest(self.run())).await?)
        };
        self.until_lost(regained).await
    }

    /// The tasks and threads that act for the run.
    pub(crate) fn acting(&self) -> &Acting {
        self.hold.acting()
    }

    /// Releases the lease after everything has been written.
    pub(crate) async fn release(&self) {
        self.hold.release().await;
    }

    /// Releases the lease in the background, because the run is dropped.
    pub(crate) fn release_soon(&self) {
        self.hold.release_soon();
    }
}

/// Executes `action`, and retries it for up to `patience` while the store is unavailable. The
/// argument of `action` is whether an earlier try may have taken effect.
///
/// # Errors
/// The errors of `action`; the last one if the store is unavailable for too long.
pub(crate) async fn patiently<T, F>(
    patience: Duration,
    mut action: impl FnMut(bool) -> F,
) -> Result<T, RunError>
where
    F: Future<Output = Result<T, RunError>>,
{
    let began = Instant::now();
    let mut pauses = pauses();
    let mut again = false;
    loop {
        match action(again).await {
            Err(RunError::Store(error)) if error.is_transient() && began.elapsed() < patience => {
                tracing::warn!(%error, "a store is unavailable");
                again = true;
                keeper::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
            }
            done => return done,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
