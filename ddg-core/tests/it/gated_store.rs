//! A store in memory that holds its writes until the test lets them through, and logs them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use ddg_core::checkpoint::{
    Checkpoint, CheckpointStore, Claim, Entry, EntryKind, Lease, MemoryStore, Page, Rest,
    RunFilter, RunId, RunRecord, RunStatus, SignalRecord, StepRecord, StoreFuture,
};
use futures::FutureExt;
use tokio::sync::Semaphore;

#[derive(Clone, Debug)]
pub(crate) struct GatedStore {
    inner: Arc<MemoryStore>,
    /// Its clock is an hour ahead.
    late: Arc<AtomicBool>,
    /// One permit for each write.
    gate: Arc<Semaphore>,
    puts: Arc<Mutex<Vec<String>>>,
}

impl GatedStore {
    /// A store whose gate is open for `writes` writes.
    pub(crate) fn open_for(writes: usize) -> Self {
        let gate = Arc::new(Semaphore::new(writes));
        let late = Arc::new(AtomicBool::new(false));
        let is_late = Arc::clone(&late);
        let now = move || {
            let an_hour = Duration::from_secs(3600);
            SystemTime::now()
                + if is_late.load(Ordering::Relaxed) { an_hour } else { Duration::ZERO }
        };
        let inner = Arc::new(MemoryStore::new().with_clock(now));
        Self { inner, late, gate, puts: Arc::default() }
    }

    /// Lets `writes` more writes through.
    pub(crate) fn let_through(&self, writes: usize) {
        self.gate.add_permits(writes);
    }

    /// Lets no further write through.
    pub(crate) fn close(&self) {
        self.gate.forget_permits(self.gate.available_permits());
    }

    /// The writes that have begun, each with what it was to write, and forgets them.
    pub(crate) fn puts(&self) -> Vec<String> {
        std::mem::take(&mut self.puts.lock().unwrap())
    }

    /// Waits until the lease of a run that was dropped is free.
    pub(crate) async fn freed(&self, run: &str) {
        while self.record(run).await.holder.is_some() {
            tokio::task::yield_now().await;
        }
    }

    /// Takes a run from its holder, as if the lease had expired.
    pub(crate) async fn steal(&self, run: &str) {
        let run = RunId::new(run).unwrap();
        self.late.store(true, Ordering::Relaxed);
        self.inner.acquire(&run, &Claim::default()).await.unwrap();
    }

    pub(crate) async fn record(&self, run: &str) -> RunRecord {
        self.find(&RunId::new(run).unwrap()).await.unwrap()
    }
}

fn describe(status: RunStatus, entries: &[Entry]) -> String {
    let entry = |entry: &Entry| match entry.kind {
        EntryKind::Full | EntryKind::Change => format!("state of step {}", entry.step),
        EntryKind::Result { kickoff } if entry.body == b"null" => format!("no result of {kickoff}"),
        EntryKind::Result { kickoff } => format!("result of {kickoff}"),
        other => format!("{other:?}"),
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    format!("{status}: {}", entries.join(", "))
}

impl CheckpointStore for GatedStore {
    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        async move {
            self.puts.lock().unwrap().push(describe(status, entries));
            self.gate.acquire().await.unwrap().forget();
            self.inner.put(lease, status, entries).await
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease> {
        self.inner.create(run, automa, claim)
    }

    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease> {
        self.inner.acquire(run, claim)
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.inner.renew(lease)
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.inner.release(lease)
    }

    fn rest<'a>(
        &'a self,
        lease: &'a Lease,
        rest: &'a Rest,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        async move {
            self.puts.lock().unwrap().push(describe(rest.status, entries));
            self.gate.acquire().await.unwrap().forget();
            self.inner.rest(lease, rest, entries).await
        }
        .boxed()
    }

    fn signal<'a>(&'a self, run: &'a RunId, name: &'a str, body: &'a [u8]) -> StoreFuture<'a, ()> {
        self.inner.signal(run, name, body)
    }

    fn signals<'a>(&'a self, run: &'a RunId, after: u64) -> StoreFuture<'a, Vec<SignalRecord>> {
        self.inner.signals(run, after)
    }

    fn now(&self) -> StoreFuture<'_, SystemTime> {
        self.inner.now()
    }

    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>> {
        self.inner.latest(run)
    }

    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint> {
        self.inner.at(run, step)
    }

    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>> {
        self.inner.steps(run)
    }

    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord> {
        self.inner.find(run)
    }

    fn list<'a>(
        &'a self,
        filter: &'a RunFilter,
        page: &'a Page,
    ) -> StoreFuture<'a, Vec<RunRecord>> {
        self.inner.list(filter, page)
    }

    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()> {
        self.inner.fork(run, step, fork)
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()> {
        self.inner.delete(run)
    }

    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64> {
        self.inner.delete_older_than(age, filter)
    }
}
