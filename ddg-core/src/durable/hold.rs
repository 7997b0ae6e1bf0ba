//! The hold of a process on a stored run: its lease, kept while anything acts for the run.
//!
//! A thread of its own renews the lease. Code that acts for the run watches the [`Standing`] of the
//! lease: it stops when the lease is lost, and pauses when the lease may have expired.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::FutureExt;
use futures::future;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::keeper::{self, Carried};
use crate::checkpoint::{CheckpointStore, Lease, Rest, RunId, StoreError};

/// How long a store may take to release a lease before the run ends without waiting any longer. The
/// lease then expires, or is released later.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);

const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The state of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Valid.
    Held,
    /// Possibly expired, because the store could not renew it in time.
    RunOut,
    /// Held by another process, or unconfirmed for too long because the store is unavailable.
    Lost,
}

/// The tasks and threads that act for a run.
#[derive(Debug, Default)]
pub(crate) struct Acting {
    /// Tasks, which end soon after they are aborted.
    pub(crate) tasks: TaskTracker,
    /// Threads of the blocking pool, which nobody can stop.
    pub(crate) threads: TaskTracker,
}

/// Drop guard of a lease. Renews the lease until it is dropped.
pub(super) struct Hold {
    leased: Arc<Leased>,
}

/// A lease and its state.
pub(super) struct Leased {
    store: Arc<dyn CheckpointStore>,
    lease: Lease,
    /// How long the store may be unavailable after the lease has expired.
    patience: Duration,
    standing: watch::Sender<Standing>,
    /// When the last successful renewal was requested. The store counts the time to live from a
    /// later moment, so counting from here is safe.
    renewed: Mutex<Instant>,
    /// The last error of the store.
    failed: Mutex<Option<StoreError>>,
    /// Why the lease is lost.
    lost: Mutex<Option<StoreError>>,
    acting: Acting,
    /// Whether a release of the lease has begun.
    released: AtomicBool,
    /// Cancelled before the lease is released: it is no longer renewed.
    over: CancellationToken,
    /// Makes the thread of the keeper renew the lease at once.
    recheck: Notify,
}

/// The leases that this process keeps, by run.
static KEPT: Mutex<BTreeMap<RunId, Vec<Weak<Leased>>>> = Mutex::new(BTreeMap::new());

/// Makes holders of the run in this process find out at once whether they have lost it. Holders in
/// other processes find out when they write or renew the lease next.
pub(crate) fn recheck(run: &RunId) {
    for leased in lock(&KEPT).get(run).into_iter().flatten().filter_map(Weak::upgrade) {
        leased.recheck.notify_one();
    }
}

impl Hold {
    /// Creates the hold of `lease`, which was requested at `asked`.
    pub(super) fn new(
        store: Arc<dyn CheckpointStore>,
        lease: Lease,
        patience: Duration,
        asked: Instant,
    ) -> Self {
        let leased = Arc::new(Leased {
            store,
            lease,
            patience,
            standing: watch::Sender::new(Standing::Held),
            renewed: Mutex::new(asked),
            failed: Mutex::default(),
            lost: Mutex::default(),
            acting: Acting::default(),
            released: AtomicBool::new(false),
            over: CancellationToken::new(),
            recheck: Notify::new(),
        });
        let run = leased.lease.run.clone();
        lock(&KEPT).entry(run).or_default().push(Arc::downgrade(&leased));
        let renewed = Arc::clone(&leased);
        keeper::spawn(async move { renewed.over.run_until_cancelled(renewed.keep()).await });
        Self { leased }
    }

    pub(super) fn leased(&self) -> &Arc<Leased> {
        &self.leased
    }

    pub(super) fn acting(&self) -> &Acting {
        &self.leased.acting
    }

    /// Subscribes to the state of the lease.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.leased.standing.subscribe()
    }

    /// Releases the lease when nothing acts for the run any more. If that fails, the lease expires.
    /// With `rest` it is stored before how the run stands.
    pub(super) async fn release(&self, rest: Option<Rest>) {
        if self.leased.released.swap(true, Ordering::Relaxed) {
            return;
        }
        // Made first: wherever this is dropped, the lease is released in the background.
        let mut release =
            Carried::new(Arc::clone(&self.leased).release(rest), |()| future::ready(()).boxed());
        self.acting().tasks_ended().await;
        let lost = *self.leased.standing.borrow() == Standing::Lost;
        if lost || !self.acting().threads.is_empty() {
            // A store that is unavailable need not answer, and a thread may run for any time.
            return;
        }
        if (&mut release).now_or_never().is_none() {
            let late = keeper::sleep(RELEASE_WITHIN);
            futures::pin_mut!(late);
            future::select(&mut release, late).await;
        }
    }

    /// Releases the lease in the background, for callers that cannot wait.
    pub(super) fn release_soon(&self) {
        if !self.leased.released.swap(true, Ordering::Relaxed) {
            keeper::spawn(Arc::clone(&self.leased).release(None));
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release_soon();
    }
}

impl Acting {
    /// Waits until all tasks have ended.
    pub(super) async fn tasks_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits until all tasks and threads have ended.
    async fn ended(&self) {
        self.tasks_ended().await;
        self.threads.close();
        self.threads.wait().await;
    }
}

impl Leased {
    /// Renews the lease until it is lost, and publishes its state.
    async fn keep(&self) {
        let ttl = self.lease.ttl;
        // A third of the time to live: two renewals may fail before the lease expires.
        let pause = ttl / 3;
        loop {
            let due = self.renewed() + pause;
            let rechecks = {
                let asleep = tokio::time::sleep_until(due.max(Instant::now()).into());
                let rechecked = self.recheck.notified();
                futures::pin_mut!(asleep, rechecked);
                matches!(future::select(asleep, rechecked).await, future::Either::Right(_))
            };
            if !rechecks && self.renewed() + pause > Instant::now() {
                // A write has renewed the lease in the meantime.
                continue;
            }
            let renewed = self.renew();
            futures::pin_mut!(renewed);
            let end = self.renewed() + ttl;
            let done = match tokio::time::timeout_at(end.into(), &mut renewed).await {
                Ok(done) => done,
                // A write has renewed the lease.
                Err(_) if !self.may_have_expired() => continue,
                Err(_) => {
                    self.standing.send_replace(Standing::RunOut);
                    tracing::warn!(run = %self.lease.run, "the lease of a run may have expired");
                    let left = (self.renewed() + ttl + self.patience)
                        .saturating_duration_since(Instant::now());
                    match tokio::time::timeout(left, renewed).await {
                        Ok(done) => done,
                        Err(_) if !self.may_have_expired() => continue,
                        Err(_) => Err(self.away()),
                    }
                }
            };
            if let Err(error) = done {
                tracing::warn!(%error, "the lease of a run is lost");
                *lock(&self.lost) = Some(error);
                self.standing.send_replace(Standing::Lost);
                return;
            }
        }
    }

    pub(super) fn store(&self) -> &Arc<dyn CheckpointStore> {
        &self.store
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whether the store has not renewed the lease in time.
    pub(super) fn may_have_expired(&self) -> bool {
        self.renewed().elapsed() >= self.lease.ttl
    }

    /// Takes the reason why the lease is lost. Only the first caller gets the original error.
    pub(super) fn why_lost(&self) -> StoreError {
        lock(&self.lost).take().unwrap_or_else(|| self.away())
    }

    /// Waits until a lease that may have expired has been renewed.
    ///
    /// # Errors
    /// If another process has acquired the run, or the store is unavailable for too long.
    pub(super) async fn regain(self: &Arc<Self>) -> Result<(), StoreError> {
        let leased = Arc::clone(self);
        match keeper::spawn(async move { leased.renew().await }) {
            Some(renewed) => renewed.await.unwrap_or_else(|_| Err(self.away())),
            None => self.renew().await,
        }
    }

    /// Renews the lease as [`write`](Self::write) does. Runs on the thread of the keeper, because a
    /// store may have connections of its own for renewals.
    async fn renew(&self) -> Result<(), StoreError> {
        self.write(|| self.store.renew(&self.lease)).await
    }

    /// Executes an operation that renews the lease, and retries it while the store is unavailable.
    ///
    /// # Errors
    /// If the store refuses, or is unavailable for too long.
    pub(super) async fn write<T, F>(&self, action: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let (done, asked) = self.persist(action).await?;
        self.has_renewed(asked);
        Ok(done)
    }

    /// Reads from the store, and retries while the store is unavailable.
    ///
    /// # Errors
    /// If the store refuses, or is unavailable for too long.
    pub(super) async fn read<T, F>(&self, action: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.persist(action).await.map(|(found, _)| found)
    }

    /// Returns the result of an operation, and when it was requested.
    async fn persist<T, F>(&self, mut action: impl FnMut() -> F) -> Result<(T, Instant), StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pauses = pauses();
        loop {
            let asked = Instant::now();
            match action().await {
                Ok(done) => return Ok((done, asked)),
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a store is unavailable");
                    *lock(&self.failed) = Some(error);
                    if asked > self.renewed() + self.lease.ttl + self.patience {
                        return Err(self.away());
                    }
                    keeper::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
                }
            }
        }
    }

    /// Records that a request made at `asked` has renewed the lease.
    fn has_renewed(&self, asked: Instant) {
        let mut renewed = lock(&self.renewed);
        *renewed = asked.max(*renewed);
        if *renewed + self.lease.ttl > Instant::now() {
            self.standing.send_if_modified(|standing| {
                let was_out = matches!(standing, Standing::RunOut);
                if was_out {
                    *standing = Standing::Held;
                }
                was_out
            });
        }
    }

    fn renewed(&self) -> Instant {
        *lock(&self.renewed)
    }

    /// The error of a store that is unavailable for too long.
    fn away(&self) -> StoreError {
        let (run, waited) = (self.lease.run.clone(), self.renewed().elapsed());
        StoreError::Away { run, waited, last: lock(&self.failed).take().map(Box::new) }
    }

    /// Releases the lease when nothing acts for the run any more.
    async fn release(self: Arc<Self>, rest: Option<Rest>) {
        self.acting.ended().await;
        // A lease that cannot be released has to expire.
        self.over.cancel();
        if let Some(rest) = rest
            && let Err(error) = self.store.rest(&self.lease, &rest, &[]).await
        {
            tracing::warn!(%error, "how a run stands was not written");
        }
        if let Err(error) = self.store.release(&self.lease).await {
            tracing::warn!(%error, "the lease of a run was not released: it will expire");
        }
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let mut kept = lock(&KEPT);
        if let Some(of_run) = kept.get_mut(&self.lease.run) {
            of_run.retain(|leased| leased.strong_count() > 0);
            if of_run.is_empty() {
                kept.remove(&self.lease.run);
            }
        }
    }
}

/// The pauses between retries. The first are short, because most faults are; the longest is short
/// enough for a run to notice soon that its store is available again.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    let pauses =
        ExponentialBuilder::new().with_min_delay(SHORTEST_PAUSE).with_max_delay(LONGEST_PAUSE);
    pauses.with_jitter().without_max_times().build()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
