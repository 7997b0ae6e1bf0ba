//! The hold that a process has on a stored run: its lease, kept for as long as the run acts.
//!
//! The lease is renewed by a thread of its own. Whoever acts for the run watches how the lease
//! [stands](Standing): it stops when the lease is lost, and pauses when it may have run out.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::FutureExt;
use futures::future;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::keeper::{self, Carried};
use crate::checkpoint::{CheckpointStore, Lease, StoreError};

/// How long a store may take to release a lease before the run ends without waiting any longer. The
/// lease runs out then, or is released later.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);

const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is valid.
    Held,
    /// It may have run out, since the store could not be asked to renew it.
    RunOut,
    /// It is somebody else's, or the store has been away for too long.
    Lost,
}

/// What acts for the run.
#[derive(Debug, Default)]
pub(crate) struct Acting {
    /// Tasks, which end soon after they are aborted.
    pub(crate) tasks: TaskTracker,
    /// Threads of the blocking pool, which nobody can stop.
    pub(crate) threads: TaskTracker,
}

/// Drop guard of a lease, which it renews in the meantime.
pub(super) struct Hold {
    leased: Arc<Leased>,
    renewal: Option<JoinHandle<()>>,
}

/// A lease, and what is known of it.
pub(super) struct Leased {
    store: Arc<dyn CheckpointStore>,
    lease: Lease,
    /// For how long a store may be away after the lease has run out.
    patience: Duration,
    standing: watch::Sender<Standing>,
    /// When the store was asked for the last time of those when it renewed the lease.
    renewed: Mutex<Instant>,
    /// How the store failed last.
    failed: Mutex<Option<StoreError>>,
    /// Why the lease is lost.
    lost: Mutex<Option<StoreError>>,
    acting: Acting,
    /// Whether somebody gives it back, or has.
    released: AtomicBool,
}

impl Hold {
    /// The hold of `lease`, which was asked for at `asked`.
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
        });
        let renewal = keeper::spawn(Arc::clone(&leased).keep());
        Self { leased, renewal }
    }

    pub(super) fn leased(&self) -> &Arc<Leased> {
        &self.leased
    }

    pub(super) fn acting(&self) -> &Acting {
        &self.leased.acting
    }

    /// How the lease stands, now and later.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.leased.standing.subscribe()
    }

    /// Gives the lease back when nothing acts for the run any more. If that fails, it runs out.
    pub(super) async fn release(&self) {
        if self.leased.released.swap(true, Ordering::Relaxed) {
            return;
        }
        self.acting().tasks_ended().await;
        let lost = *self.leased.standing.borrow() == Standing::Lost;
        if lost || !self.acting().threads.is_empty() {
            // A store that is away need not answer, and a thread may go on for as long as it likes.
            return self.release_in_background();
        }
        let mut release =
            Carried::new(Arc::clone(&self.leased).release(), |()| future::ready(()).boxed());
        if (&mut release).now_or_never().is_none() {
            let late = keeper::sleep(RELEASE_WITHIN);
            futures::pin_mut!(late);
            future::select(&mut release, late).await;
        }
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
    }

    /// The same, for who cannot wait.
    pub(super) fn release_soon(&self) {
        if !self.leased.released.swap(true, Ordering::Relaxed) {
            self.release_in_background();
        }
    }

    fn release_in_background(&self) {
        let renewal = self.renewal.as_ref().map(JoinHandle::abort_handle);
        let leased = Arc::clone(&self.leased);
        keeper::spawn(async move {
            leased.release().await;
            if let Some(renewal) = renewal {
                renewal.abort();
            }
        });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release_soon();
    }
}

impl Acting {
    /// Waits until no task acts any more.
    pub(super) async fn tasks_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits until nothing acts any more.
    async fn ended(&self) {
        self.tasks_ended().await;
        self.threads.close();
        self.threads.wait().await;
    }
}

impl Leased {
    /// Renews the lease for as long as it is not lost, and tells how it stands.
    async fn keep(self: Arc<Self>) {
        let ttl = self.lease.ttl;
        // Two may fail before the lease runs out.
        let pause = ttl / 3;
        loop {
            let due = self.renewed() + pause;
            tokio::time::sleep_until(due.max(Instant::now()).into()).await;
            if self.renewed() + pause > Instant::now() {
                // Something was written in the meantime.
                continue;
            }
            let renewed = self.renew();
            futures::pin_mut!(renewed);
            let end = self.renewed() + ttl;
            let done = match tokio::time::timeout_at(end.into(), &mut renewed).await {
                Ok(done) => done,
                // A write has renewed it.
                Err(_) if !self.may_have_run_out() => continue,
                Err(_) => {
                    self.standing.send_replace(Standing::RunOut);
                    tracing::warn!(run = %self.lease.run, "the lease of a run may have run out");
                    let left = (self.renewed() + ttl + self.patience)
                        .saturating_duration_since(Instant::now());
                    match tokio::time::timeout(left, renewed).await {
                        Ok(done) => done,
                        Err(_) if !self.may_have_run_out() => continue,
                        Err(_) => Err(self.away()),
                    }
                }
            };
            if let Err(error) = done {
                if self.released.load(Ordering::Relaxed) {
                    return;
                }
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

    /// Whether the store could not be asked in time to renew the lease.
    pub(super) fn may_have_run_out(&self) -> bool {
        self.renewed().elapsed() >= self.lease.ttl
    }

    /// Why the lease is lost, for the first who asks.
    pub(super) fn why_lost(&self) -> StoreError {
        lock(&self.lost).take().unwrap_or_else(|| self.away())
    }

    /// Waits until a lease that may have run out has been renewed.
    ///
    /// # Errors
    /// Somebody else has taken the run, or the store has been away for too long.
    pub(super) async fn regain(self: &Arc<Self>) -> Result<(), StoreError> {
        let leased = Arc::clone(self);
        match keeper::spawn(async move { leased.renew().await }) {
            Some(renewed) => renewed.await.unwrap_or_else(|_| Err(self.away())),
            None => self.renew().await,
        }
    }

    /// Renews the lease, as [`write`](Self::write) does; within the thread that keeps leases, since a
    /// store may have connections of its own for that.
    async fn renew(&self) -> Result<(), StoreError> {
        self.write(|| self.store.renew(&self.lease)).await
    }

    /// Does something in the store that renews the lease, again and again for as long as the store is
    /// away.
    ///
    /// # Errors
    /// The store refuses, or has been away for too long.
    pub(super) async fn write<T, F>(&self, action: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let (done, asked) = self.persist(action).await?;
        self.has_renewed(asked);
        Ok(done)
    }

    /// Reads something from the store, again and again for as long as the store is away.
    ///
    /// # Errors
    /// The store refuses, or has been away for too long.
    pub(super) async fn read<T, F>(&self, action: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.persist(action).await.map(|(found, _)| found)
    }

    /// What the store has done, and when it was asked to.
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
                    tracing::warn!(%error, "a store is away");
                    *lock(&self.failed) = Some(error);
                    if asked > self.renewed() + self.lease.ttl + self.patience {
                        return Err(self.away());
                    }
                    keeper::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
                }
            }
        }
    }

    /// The store was asked at `asked`, and has renewed the lease.
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

    /// That the store has been away for too long.
    fn away(&self) -> StoreError {
        let (run, waited) = (self.lease.run.clone(), self.renewed().elapsed());
        StoreError::Away { run, waited, last: lock(&self.failed).take().map(Box::new) }
    }

    /// Gives the lease back when nothing acts any more.
    async fn release(self: Arc<Self>) {
        self.acting.ended().await;
        if let Err(error) = self.store.release(&self.lease).await {
            tracing::warn!(%error, "the lease of a run was not given back: it runs out");
        }
    }
}

/// The pauses between tries: at first short, since most faults are, and never so long that a run notices
/// late that its store is back.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    let pauses =
        ExponentialBuilder::new().with_min_delay(SHORTEST_PAUSE).with_max_delay(LONGEST_PAUSE);
    pauses.with_jitter().without_max_times().build()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
