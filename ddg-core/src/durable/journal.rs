//! The journal of a run: what is written to a store, and when.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures::FutureExt;
use futures::future::{Either, select};
use tokio_util::sync::CancellationToken;

use super::hold::{Acting, Hold, LONGEST_PAUSE, Standing, pauses};
use super::keeper::{self, Carried};
use super::last::{Last, replay};
use crate::checkpoint::{
    Checkpoint, CheckpointPolicy, CheckpointStore, Claim, Entry, Rest, RunId, RunStatus,
    SignalRecord, StoreError,
};
use crate::clock::from_ms;
use crate::engine::RunCore;
use crate::machine::KickoffId;
use crate::run::{Outcome, RunError};
use crate::saved::{KickoffPath, Saved, SavedResult, Snapshot, SnapshotError};

/// The journal of one run, for writing.
pub(crate) struct Journal {
    hold: Hold,
    claim: Claim,
    checkpoints: CheckpointPolicy,
    last: Mutex<Option<Last>>,
    /// Held during a write, because the entries of a journal are written one after another.
    writing: tokio::sync::Mutex<()>,
    /// Why a state of a nested automa could not be written. It ends the run.
    broken: Mutex<Option<RunError>>,
    is_broken: CancellationToken,
    /// Whether the run only waits for the store. Nothing is running then, so its lease may expire.
    waiting: AtomicBool,
    cancelled: CancellationToken,
    /// Whether the run is left for another process when it is stopped.
    pub(crate) leaves: Arc<AtomicBool>,
}

/// The reason of a failed run is cut to this many bytes.
const LONGEST_REASON: usize = 4096;

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
            writing: tokio::sync::Mutex::default(),
            broken: Mutex::default(),
            is_broken: CancellationToken::new(),
            waiting: AtomicBool::new(false),
            cancelled: cancelled.clone(),
            leaves: Arc::default(),
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

    /// Fails if the attempts before this one have failed too often. That the run has failed is then
    /// written, and its lease released.
    ///
    /// # Errors
    /// If they have.
    pub(crate) async fn may_try_again(&self) -> Result<(), StoreError> {
        let attempts = self.hold.leased().lease().attempts;
        if self.claim.max_attempts.is_none_or(|most| attempts < most) {
            return Ok(());
        }
        let error = StoreError::Attempts { run: self.run().clone(), attempts };
        self.hold.release(Some(failed(&error))).await;
        Err(error)
    }

    /// Writes that the run has failed with `error`, and releases the lease.
    pub(crate) async fn fail(&self, error: &RunError) {
        self.hold.release(Some(failed(error))).await;
    }

    /// The time by the clock of the store.
    ///
    /// # Errors
    /// If the store is unavailable for too long.
    pub(crate) async fn now(&self) -> Result<SystemTime, StoreError> {
        let leased = self.hold.leased();
        self.waiting_for(leased.read(|| leased.store().now())).await
    }

    /// The signals to the run with a number greater than `after`.
    ///
    /// # Errors
    /// If the store is unavailable for too long.
    pub(crate) async fn signals(&self, after: u64) -> Result<Vec<SignalRecord>, StoreError> {
        let leased = self.hold.leased();
        self.waiting_for(leased.read(|| leased.store().signals(self.run(), after))).await
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
    /// # Errors
    /// If another program has written the journal, or the journal was changed.
    pub(crate) fn resume(&self, checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
        let mut saved = replay(checkpoint)?.into_run();
        let result = |(id, body): (&u64, &Vec<u8>)| {
            Ok((KickoffId(*id), serde_json::from_slice::<SavedResult>(body)?))
        };
        let results = checkpoint.results.iter().map(result);
        let results: Vec<_> = results.collect::<Result<_, SnapshotError>>()?;
        *lock(&self.last) = Some(Last::of(checkpoint, saved.clone(), results.clone()));
        saved.add_results(results);
        Ok(Snapshot::new(saved))
    }

    /// The last state.
    pub(super) fn last(&self) -> MutexGuard<'_, Option<Last>> {
        lock(&self.last)
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

    /// Writes the state after a step that has settled. `is_idle` says whether nothing of the run is
    /// running, `is_extra` whether the state is one of its own even if the step is that of the last
    /// one.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(super) async fn settled(
        &self,
        saved: Saved,
        is_idle: bool,
        is_extra: bool,
    ) -> Result<(), RunError> {
        self.take(saved, is_extra)?;
        self.flush(&Rest::new(RunStatus::Running), is_idle).await
    }

    /// Renews a lease that may have expired, after a step whose state is not written.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(super) async fn rest(&self) -> Result<(), RunError> {
        match self.hold.leased().may_have_expired() {
            true => Ok(self.waiting_for(self.hold.leased().regain()).await?),
            false => Ok(()),
        }
    }

    /// Writes what nested automata have reached. If that is not possible the run ends, and this
    /// waits for its end.
    pub(super) async fn write_inside(&self) {
        if let Err(error) = self.flush_changes().await {
            *lock(&self.broken) = Some(error);
            self.is_broken.cancel();
            std::future::pending::<()>().await;
        }
    }

    async fn flush_changes(&self) -> Result<(), RunError> {
        let turn = self.writing.lock().await;
        if self.last().as_ref().is_some_and(Last::has_changed) {
            self.write_changes(&Rest::new(RunStatus::Running), false).await?;
        }
        drop(turn);
        let leased = self.hold.leased();
        // The write may have taken so long that the lease has expired again.
        if leased.may_have_expired() { Ok(leased.regain().await?) } else { Ok(()) }
    }

    /// Writes how the run has ended, and releases the lease.
    ///
    /// # Errors
    /// Those of the run, or if its end cannot be written.
    pub(crate) async fn end(
        &self,
        automa: &str,
        ended: Result<Outcome, RunError>,
    ) -> Result<Outcome, RunError> {
        let ended = match ended {
            Ok(outcome) => {
                let leaves = self.leaves.load(Ordering::Relaxed);
                let status = match (outcome.is_paused(), outcome.stopped()) {
                    (false, true) if leaves => RunStatus::Running,
                    (false, false) => RunStatus::Finished,
                    _ => RunStatus::Paused,
                };
                let written = async { self.write(outcome.state()?, status).await };
                self.until_lost(written).await.map(|()| outcome)
            }
            // A failed run writes no state: it can be resumed from the last step that was written.
            Err(error) => {
                let error = self.cancelled_elsewhere(error, automa).await;
                let written = match &error {
                    RunError::Cancelled { .. } => {
                        // A store that hangs must not keep a cancelled run from ending.
                        self.hold.release(Some(Rest::new(RunStatus::Cancelled))).await;
                        Ok(())
                    }
                    RunError::Step(failure) if !failure.is_of_workers() => {
                        self.until_lost(self.forget_results(&error)).await
                    }
                    // What has been reached in nested automata may not be written yet.
                    _ => self.until_lost(self.flush(&failed(&error), true)).await,
                };
                if let Err(error) = written {
                    tracing::warn!(%error, "the failure of a run was not written");
                }
                Err(error)
            }
        };
        self.hold.release(None).await;
        ended
    }

    /// The error of a run that has lost its lease, if that is because somebody has cancelled it.
    async fn cancelled_elsewhere(&self, error: RunError, automa: &str) -> RunError {
        if !matches!(error, RunError::Store(StoreError::Fenced { .. })) {
            return error;
        }
        let find = self.store().find(self.run());
        let late = keeper::sleep(LONGEST_PAUSE);
        futures::pin_mut!(find, late);
        match select(find, late).await {
            Either::Left((Ok(record), _)) if record.status == RunStatus::Cancelled => {
                RunError::Cancelled { automa: automa.to_owned() }
            }
            _ => error,
        }
    }

    /// Writes a state as a whole, or as the delta since the last one.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(crate) async fn write(&self, saved: Saved, status: RunStatus) -> Result<(), RunError> {
        let rest = self.rest_of(&saved, status).await?;
        self.take(saved, false)?;
        self.flush(&rest, true).await
    }

    /// Takes a state that is written with the next [`flush`](Self::flush).
    fn take(&self, saved: Saved, is_extra: bool) -> Result<(), SnapshotError> {
        let mut last = self.last();
        match &mut *last {
            Some(last) => last.settle(saved, is_extra),
            none => {
                *none = Some(Last::new(saved)?);
                Ok(())
            }
        }
    }

    /// Writes what has changed, and the status of the run.
    async fn flush(&self, rest: &Rest, is_idle: bool) -> Result<(), RunError> {
        let _turn = self.writing.lock().await;
        self.write_changes(rest, is_idle).await
    }

    /// Writes what has changed, in the caller's turn.
    async fn write_changes(&self, rest: &Rest, is_idle: bool) -> Result<(), RunError> {
        let entry = match &mut *self.last() {
            Some(last) => last.entry()?,
            None => None,
        };
        self.put(rest, entry.as_slice(), is_idle).await?;
        if let (Some(entry), Some(last)) = (entry, &mut *self.last()) {
            last.is_written(entry.step);
        }
        Ok(())
    }

    /// Drops the results of a step that failed as a whole: its workers must run again.
    async fn forget_results(&self, error: &RunError) -> Result<(), RunError> {
        if let Some(last) = &mut *self.last()
            && (self.wants_results() || !last.state().progress().is_empty())
        {
            last.again();
        }
        self.flush(&failed(error), true).await
    }

    /// How a run in this state stands: if it is paused, what it waits for.
    async fn rest_of(&self, saved: &Saved, status: RunStatus) -> Result<Rest, RunError> {
        let rest = Rest::new(status);
        if status != RunStatus::Paused {
            return Ok(rest);
        }
        let awaited = saved.awaits();
        let wake_at = match awaited.wake_ms.map(from_ms) {
            // An answer was given, for example, and a worker can run again.
            _ if awaited.has_come => Some(self.now().await?),
            wake_at => wake_at,
        };
        let rest = rest.awaits(awaited.signals, saved.seen());
        Ok(Rest { wake_at, ..rest })
    }

    /// Whether the results of single workers are written.
    pub(crate) fn wants_results(&self) -> bool {
        self.checkpoints == CheckpointPolicy::EveryWorker
    }

    /// Writes the results of some workers of the current step.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(super) async fn write_results(
        &self,
        results: Vec<(KickoffId, SavedResult)>,
    ) -> Result<(), RunError> {
        let _turn = self.writing.lock().await;
        let mut entries = Vec::new();
        let mut state = None;
        if let Some(last) = &mut *self.last() {
            if last.is_in_doubt() {
                entries.extend(last.entry()?);
                state = entries.first().map(|entry| entry.step);
            }
            let number = state.unwrap_or_else(|| last.number());
            for (id, result) in &results {
                let body = serde_json::to_vec(result).map_err(SnapshotError::from)?;
                entries.push(Entry::result(number, id.0, body));
            }
            last.ended(&KickoffPath::default(), results)?;
        }
        let leased = self.hold.leased();
        let put = || leased.store().put(leased.lease(), RunStatus::Running, &entries);
        leased.write(put).await?;
        if let (Some(number), Some(last)) = (state, &mut *self.last()) {
            last.is_written(number);
        }
        Ok(())
    }

    /// Writes the status of the run.
    async fn mark(&self, status: RunStatus) -> Result<(), RunError> {
        self.put(&Rest::new(status), &[], true).await
    }

    /// Writes that somebody has cancelled the run.
    ///
    /// # Errors
    /// If the store fails, or somebody else has acquired the run.
    pub(crate) async fn cancel(&self) -> Result<(), RunError> {
        self.mark(RunStatus::Cancelled).await
    }

    /// Writes to the journal. `is_idle` says whether nothing of the run is running.
    async fn put(&self, rest: &Rest, entries: &[Entry], is_idle: bool) -> Result<(), RunError> {
        let leased = self.hold.leased();
        let put = async {
            let (store, lease) = (leased.store(), leased.lease());
            let is_plain = *rest == Rest::new(rest.status);
            let put = || match is_plain {
                true => store.put(lease, rest.status, entries),
                false => store.rest(lease, rest, entries),
            };
            leased.write(put).await?;
            // The write may have taken so long that the lease has expired again.
            if leased.may_have_expired() { leased.regain().await } else { Ok(()) }
        };
        match is_idle {
            true => Ok(self.waiting_for(put).await?),
            false => Ok(put.await?),
        }
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
            let broken = self.is_broken.cancelled();
            futures::pin_mut!(run_out, broken, run);
            match select(run_out, select(broken, run)).await {
                Either::Left((stopped, _)) => stopped,
                Either::Right((Either::Left(_), _)) => {
                    let error = lock(&self.broken).take();
                    Attempt::Ended(Err(
                        error.unwrap_or_else(|| self.hold.leased().why_lost().into())
                    ))
                }
                Either::Right((Either::Right((ended, _)), _)) => Attempt::Ended(ended),
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
        self.hold.release(None).await;
    }

    /// Releases the lease in the background, because the run is dropped.
    pub(crate) fn release_soon(&self) {
        self.hold.release_soon();
    }
}

/// How a run stands that has failed with `error`.
fn failed(error: &impl std::fmt::Display) -> Rest {
    let mut reason = error.to_string();
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    Rest::failed(reason)
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
