//! The journal of a run: what is written of it to a checkpoint store, and when.

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

/// The journal of one run, to be written to.
pub(crate) struct Journal {
    hold: Hold,
    claim: Claim,
    checkpoints: CheckpointPolicy,
    last: Mutex<Option<Last>>,
    /// Results of the step that was under way when the run was left, by kickoff.
    found: Mutex<BTreeMap<u64, SavedResult>>,
    /// Whether the run does nothing but wait for the store, so that its lease may run out.
    waiting: AtomicBool,
    cancelled: CancellationToken,
}

/// A lease that is shorter could not be renewed in time.
const SHORTEST_TTL: Duration = Duration::from_millis(50);

/// How a stored run is claimed.
pub(crate) enum Beginning {
    /// It is added to the store, as a run of the automa of this name.
    Create(Arc<str>),
    /// The store has it.
    Acquire,
}

/// What comes of driving a stored run.
pub(crate) enum Attempt<T> {
    Ended(Result<T, RunError>),
    /// Its lease may have run out, so it was interrupted: if the lease can be regained, the run goes on
    /// from where it was written last.
    Interrupted,
}

impl Journal {
    /// Claims the run `id`.
    ///
    /// # Errors
    /// There is such a run, or none, as the `beginning` says; somebody else has it; the store fails.
    ///
    /// # Cancel safety
    /// Dropped before it is done, whatever it has claimed is released.
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

    /// Whose it is.
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

    /// Goes on with what is written already; gives the state that it leads to.
    ///
    /// # Errors
    /// The journal was not written by this, or has been tampered with.
    pub(crate) fn resume(&self, checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
        let snapshot = replay(checkpoint)?;
        *lock(&self.last) = Some(Last::of(checkpoint, snapshot.clone()));
        let result =
            |(kickoff, body): (&u64, &Vec<u8>)| Ok((*kickoff, serde_json::from_slice(body)?));
        let found = checkpoint.results.iter().map(result).collect::<Result<_, SnapshotError>>();
        *lock(&self.found) = found?;
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
            CheckpointPolicy::OnPause if self.hold.leased().may_have_run_out() => {
                Ok(self.waiting_for(self.hold.leased().regain()).await?)
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
                self.until_lost(written).await.map(|()| outcome)
            }
            // The last step that was written is what can be gone on from.
            Err(error) => {
                let written = match &error {
                    RunError::Cancelled { .. } | RunError::DeadlineExceeded { .. } => Ok(()),
                    RunError::Step(error) if !error.is_of_workers() => {
                        self.until_lost(self.forget_results()).await
                    }
                    _ => self.until_lost(self.mark(RunStatus::Failed)).await,
                };
                if let Err(error) = written {
                    tracing::warn!(%error, "that a run has failed was not written");
                }
                Err(error)
            }
        };
        self.hold.release().await;
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
            Some(entry) => self.put(status, &[entry]).await?,
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
        self.put(RunStatus::Failed, again.as_slice()).await
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

    /// Whether the local space of `worker` was written with these very values.
    pub(crate) fn has_local(&self, worker: &Key, values: &BTreeMap<String, Value>) -> bool {
        lock(&self.last).as_ref().is_some_and(|last| last.snapshot().has_local(worker, values))
    }

    /// Writes how the run stands.
    async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        self.put(status, &[]).await
    }

    /// Writes to the journal while nothing of the run is running.
    async fn put(&self, status: RunStatus, entries: &[Entry]) -> Result<(), RunError> {
        let leased = self.hold.leased();
        let put = async {
            leased.write(|| leased.store().put(leased.lease(), status, entries)).await?;
            // It may have taken so long that the lease has run out again.
            if leased.may_have_run_out() { leased.regain().await } else { Ok(()) }
        };
        Ok(self.waiting_for(put).await?)
    }

    /// The run does nothing but wait for its store.
    async fn waiting_for<T>(&self, store: impl Future<Output = T>) -> T {
        self.waiting.store(true, Ordering::Relaxed);
        let done = store.await;
        self.waiting.store(false, Ordering::Relaxed);
        done
    }

    /// Drives the run of `automa` until it ends, is cancelled, or has to stop because of its lease.
    pub(crate) async fn drive<T>(
        &self,
        automa: &str,
        run: impl Future<Output = Result<T, RunError>>,
    ) -> Attempt<T> {
        let mut standing = self.hold.standing();
        let run_out = async {
            // While the run waits for the store nothing is running, and the lease may run out.
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

    /// Waits for the store for as long as the lease is not lost.
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

    /// Waits until the lease, which may have run out, is valid again, and nothing acts for the run as it
    /// was. Gives what the store has of the run.
    ///
    /// # Errors
    /// Somebody else has taken the run, or the store has been away for too long.
    pub(crate) async fn regain(&self) -> Result<Option<Checkpoint>, RunError> {
        let regained = async {
            self.hold.acting().tasks_ended().await;
            let leased = self.hold.leased();
            leased.regain().await?;
            Ok(leased.read(|| leased.store().latest(self.run())).await?)
        };
        self.until_lost(regained).await
    }

    /// What acts for the run.
    pub(crate) fn acting(&self) -> &Acting {
        self.hold.acting()
    }

    /// Gives the lease back, for who has written all there was.
    pub(crate) async fn release(&self) {
        self.hold.release().await;
    }

    /// The run is dropped: gives the lease back, soon.
    pub(crate) fn release_soon(&self) {
        self.hold.release_soon();
    }
}

/// Does something again and again for as long as a store is away, up to `patience`. It is told whether
/// an earlier try may have done what it does.
///
/// # Errors
/// Those of `action`; its last one if the store is away for too long.
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
                tracing::warn!(%error, "a store is away");
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
