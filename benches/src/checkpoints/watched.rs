//! A store that notes what is written to it, and how long that takes.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use ddg_core::checkpoint::{
    Checkpoint, CheckpointStore, Claim, Entry, Lease, Page, Rest, RunFilter, RunId, RunRecord,
    RunStatus, SignalRecord, SqliteStore, StepRecord, StoreFuture,
};

/// An SQLite store, watched.
#[derive(Debug)]
pub struct Watched {
    store: SqliteStore,
    writes: Mutex<Writes>,
}

/// What has been written of runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Writes {
    /// How often: transactions.
    pub count: usize,
    /// The bytes of all entries.
    pub bytes: usize,
    /// From handing over to being confirmed.
    pub time: Duration,
}

impl Watched {
    /// Watches `store`.
    pub fn new(store: SqliteStore) -> Self {
        Self { store, writes: Mutex::default() }
    }

    fn note(&self, entries: &[Entry], began: Instant) {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.count += 1;
        writes.bytes += entries.iter().map(|entry| entry.body.len()).sum::<usize>();
        writes.time += began.elapsed();
    }

    /// What has been written so far.
    pub fn writes(&self) -> Writes {
        *self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CheckpointStore for Watched {
    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let began = Instant::now();
            self.store.put(lease, status, entries).await?;
            self.note(entries, began);
            Ok(())
        })
    }

    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease> {
        self.store.create(run, automa, claim)
    }

    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease> {
        self.store.acquire(run, claim)
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.store.renew(lease)
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.store.release(lease)
    }

    fn rest<'a>(
        &'a self,
        lease: &'a Lease,
        rest: &'a Rest,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let began = Instant::now();
            self.store.rest(lease, rest, entries).await?;
            self.note(entries, began);
            Ok(())
        })
    }

    fn signal<'a>(&'a self, run: &'a RunId, name: &'a str, body: &'a [u8]) -> StoreFuture<'a, ()> {
        self.store.signal(run, name, body)
    }

    fn signals<'a>(&'a self, run: &'a RunId, after: u64) -> StoreFuture<'a, Vec<SignalRecord>> {
        self.store.signals(run, after)
    }

    fn now(&self) -> StoreFuture<'_, SystemTime> {
        self.store.now()
    }

    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>> {
        self.store.latest(run)
    }

    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint> {
        self.store.at(run, step)
    }

    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>> {
        self.store.steps(run)
    }

    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord> {
        self.store.find(run)
    }

    fn list<'a>(
        &'a self,
        filter: &'a RunFilter,
        page: &'a Page,
    ) -> StoreFuture<'a, Vec<RunRecord>> {
        self.store.list(filter, page)
    }

    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()> {
        self.store.fork(run, step, fork)
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()> {
        self.store.delete(run)
    }

    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64> {
        self.store.delete_older_than(age, filter)
    }
}
