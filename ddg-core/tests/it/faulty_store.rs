//! A store in memory that can be unavailable: it fails or does not answer until it is set back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use ddg_core::checkpoint::{
    Checkpoint, CheckpointStore, Claim, Entry, Lease, MemoryStore, Page, Rest, RunFilter, RunId,
    RunRecord, RunStatus, SignalRecord, StepRecord, StoreError, StoreFuture,
};
use futures::FutureExt;
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Every call fails.
    Failing,
    /// No call is answered.
    Hanging,
}

#[derive(Clone, Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<MemoryStore>,
    mood: watch::Sender<Mood>,
    n_failed: watch::Sender<u64>,
    n_renewed: Arc<AtomicU64>,
    /// Whether a call is answered at its second poll.
    slow: bool,
}

impl FaultyStore {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::new(MemoryStore::new()),
            mood: watch::Sender::new(Mood::Well),
            n_failed: watch::Sender::new(0),
            n_renewed: Arc::default(),
            slow: false,
        }
    }

    /// Answers each call at its second poll.
    pub(crate) fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Waits until `n` calls have failed or hang.
    pub(crate) async fn failed(&self, n: u64) {
        self.n_failed.subscribe().wait_for(|failed| *failed >= n).await.unwrap();
    }

    pub(crate) fn n_renewed(&self) -> u64 {
        self.n_renewed.load(Ordering::SeqCst)
    }

    /// The store without its faults.
    pub(crate) fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    /// Waits until the lease of the run is free.
    pub(crate) async fn freed(&self, run: &str) {
        let run = RunId::new(run).unwrap();
        let freed = async {
            while self.inner.find(&run).await.unwrap().holder.is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), freed).await.expect("it is given back");
    }

    fn call<'a, T: Send + 'a>(&'a self, call: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        async move {
            if self.slow {
                tokio::task::yield_now().await;
            }
            loop {
                let mut mood = self.mood.subscribe();
                let now = *mood.borrow_and_update();
                match now {
                    Mood::Well => return call.await,
                    Mood::Failing => {
                        self.n_failed.send_modify(|n| *n += 1);
                        let (store, action) = ("the store".to_owned(), "do it");
                        let source = "it is away".into();
                        return Err(StoreError::Backend { store, action, source });
                    }
                    Mood::Hanging => self.n_failed.send_modify(|n| *n += 1),
                }
                mood.changed().await.unwrap();
            }
        }
        .boxed()
    }
}

impl CheckpointStore for FaultyStore {
    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease> {
        self.call(self.inner.create(run, automa, claim))
    }

    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease> {
        self.call(self.inner.acquire(run, claim))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.n_renewed.fetch_add(1, Ordering::SeqCst);
        self.call(self.inner.renew(lease))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.call(self.inner.release(lease))
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        self.call(self.inner.put(lease, status, entries))
    }

    fn rest<'a>(
        &'a self,
        lease: &'a Lease,
        rest: &'a Rest,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        self.call(self.inner.rest(lease, rest, entries))
    }

    fn signal<'a>(&'a self, run: &'a RunId, name: &'a str, body: &'a [u8]) -> StoreFuture<'a, ()> {
        self.call(self.inner.signal(run, name, body))
    }

    fn signals<'a>(&'a self, run: &'a RunId, after: u64) -> StoreFuture<'a, Vec<SignalRecord>> {
        self.call(self.inner.signals(run, after))
    }

    fn now(&self) -> StoreFuture<'_, SystemTime> {
        self.call(self.inner.now())
    }

    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>> {
        self.call(self.inner.latest(run))
    }

    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint> {
        self.call(self.inner.at(run, step))
    }

    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>> {
        self.call(self.inner.steps(run))
    }

    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord> {
        self.call(self.inner.find(run))
    }

    fn list<'a>(
        &'a self,
        filter: &'a RunFilter,
        page: &'a Page,
    ) -> StoreFuture<'a, Vec<RunRecord>> {
        self.call(self.inner.list(filter, page))
    }

    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()> {
        self.call(self.inner.fork(run, step, fork))
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()> {
        self.call(self.inner.delete(run))
    }

    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64> {
        self.call(self.inner.delete_older_than(age, filter))
    }
}
