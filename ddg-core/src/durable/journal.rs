//! The journal of a run: what is written to a store, and when.

mod drive;
mod write;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub(crate) use drive::{Attempt, patiently};
use futures::FutureExt;
use futures::future::{Either, select};
use tokio_util::sync::CancellationToken;

use super::hold::{Acting, Hold, LONGEST_PAUSE};
use super::keeper::{self, Carried};
use super::last::{Last, replay};
use crate::checkpoint::{
    Checkpoint, CheckpointPolicy, CheckpointStore, Claim, Rest, RunId, RunStatus, SignalRecord,
    StoreError,
};
use crate::engine::RunCore;
use crate::key::Key;
use crate::machine::KickoffId;
use crate::run::{Outcome, RunError};
use crate::saved::{SavedResult, Snapshot, SnapshotError};

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
    /// Whether the run continues from a state that was written earlier.
    resumed: AtomicBool,
    /// Whether the run is left for another process when it is stopped.
    pub(crate) leaves: Arc<AtomicBool>,
    /// The workers after which alone no state is written.
    pub(crate) unwritten: Vec<Key>,
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
        let arrival = Some(claim.arrival());
        let claim = Claim { ttl: claim.ttl.max(SHORTEST_TTL), arrival, ..claim.clone() };
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
            resumed: AtomicBool::new(false),
            leaves: Arc::default(),
            unwritten: Vec::new(),
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

    /// Whether the run continues from a state that was written earlier.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed.load(Ordering::Relaxed)
    }

    /// Continues a journal that exists; returns the state that it leads to.
    ///
    /// # Errors
    /// If another program has written the journal, or the journal was changed.
    pub(crate) fn resume(&self, checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
        self.resumed.store(true, Ordering::Relaxed);
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
        let find = self.hold.leased().read(|| self.store().find(self.run()));
        let late = keeper::sleep(LONGEST_PAUSE);
        futures::pin_mut!(find, late);
        match select(find, late).await {
            Either::Left((Ok(record), _)) if record.status == RunStatus::Cancelled => {
                RunError::Cancelled { automa: automa.to_owned() }
            }
            _ => error,
        }
    }

    /// Whether the results of single workers are written.
    pub(crate) fn wants_results(&self) -> bool {
        self.checkpoints == CheckpointPolicy::EveryWorker
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
