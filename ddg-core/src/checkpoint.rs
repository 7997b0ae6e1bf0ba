//! Stores that keep runs so that they survive their process: durable, ordered journals.
//!
//! A [`CheckpointStore`] holds runs. Each run has a journal of [`Entry`]s: whole states, changes
//! between states, and results of single workers of the current step. The writer decides what is in
//! an entry. The store keeps the bytes in order, and returns what is needed to restore the run
//! after a step.
//!
//! A writer holds a [`Lease`]. Its token grows each time the run changes hands, and an entry with
//! an older token is refused. So two processes can never both continue one run, even if one of them
//! was thought dead and was only slow.
//!
//! [`MemoryStore`] is for tests and for runs that need not outlive the process;
#![cfg_attr(feature = "sqlite", doc = "[`SqliteStore`] keeps runs in a file;")]
#![cfg_attr(
    not(feature = "sqlite"),
    doc = "`SqliteStore` (feature `sqlite`) keeps runs in a file;"
)]
#![cfg_attr(feature = "postgres", doc = "[`PostgresStore`] keeps them on a server.")]
#![cfg_attr(
    not(feature = "postgres"),
    doc = "`PostgresStore` (feature `postgres`) keeps them on a server."
)]
//!
//! ```
//! use ddg_core::checkpoint::{CheckpointStore, Claim, Entry, MemoryStore, RunId, RunStatus};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let run = RunId::new("nightly")?;
//! let lease = store.create(&run, "report", &Claim::default()).await?;
//! store.put(&lease, RunStatus::Running, &[Entry::full(0, "{}")]).await?;
//! store.put(&lease, RunStatus::Paused, &[Entry::change(1, r#"{"sum":1}"#)]).await?;
//! store.release(&lease).await?;
//!
//! let lease = store.acquire(&run, &Claim::default()).await?;      // in another process, say
//! let found = store.latest(&run).await?.expect("it has a state");
//! assert_eq!((found.step, found.changes.len()), (1, 1));
//! store.put(&lease, RunStatus::Finished, &[Entry::change(2, r#"{"sum":3}"#)]).await?;
//! # Ok(())
//! # }
//! ```

mod arrival;
pub(crate) mod background;
mod error;
mod journal;
mod lease;
mod memory;
mod mode;
mod owner;
mod record;
mod rest;
mod run_id;
mod shared;
mod signal;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;

use std::fmt;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;

#[doc(hidden)]
pub use arrival::Arrival;
pub use error::StoreError;
pub use journal::{Checkpoint, Entry, EntryKind, StepRecord};
pub use lease::{Claim, Holder, Lease};
pub use memory::MemoryStore;
pub use mode::CheckpointPolicy;
pub use owner::Owner;
pub use record::{Cursor, ForkedFrom, Page, RunFilter, RunRecord, RunStatus, UnknownStatus};
pub use rest::Rest;
pub use run_id::{InvalidRunId, RunId};
pub use signal::SignalRecord;
#[cfg(feature = "postgres")]
#[doc(hidden)]
pub use sql::PostgresServer;
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(feature = "sqlite")]
#[doc(hidden)]
pub use sql::SqliteFile;
#[cfg(feature = "postgres")]
#[doc(hidden)]
pub use sql::nul;
#[cfg(feature = "sqlite")]
pub use sql::{Durability, SqliteStore};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[doc(hidden)]
pub use sql::{connection, dialect, failed, migrate};

pub use crate::run::{RunService, RunServiceHandle, StoredRuns};

/// The future that a method of a [`CheckpointStore`] returns.
pub type StoreFuture<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// A store of runs.
///
/// An `Arc` of a store is a store, and so is `Arc<dyn CheckpointStore>`. A store can be used from
/// any number of tasks and, if it is outside the process, from any number of processes. Every
/// method is one transaction: it is done as a whole or not at all, and later calls see what it has
/// confirmed.
///
/// # Errors
/// Every method that takes a run or a lease fails with [`StoreError::UnknownRun`] if the run does
/// not exist (any more), and every method fails with [`StoreError::Backend`] if the store itself
/// fails. After a `Backend` error it is unknown whether the change was made. Every method can be
/// called again: [`put`](Self::put) of the same entries changes nothing the second time.
///
/// # Cancel safety
/// If a future is dropped before it is done, the call has either taken effect as a whole or not at
/// all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store of runs",
    label = "not a store",
    note = "open one: `SqliteStore::open(\"runs.db\").await?` (feature `sqlite`), or `MemoryStore::new()`"
)]
pub trait CheckpointStore: fmt::Debug + Send + Sync {
    /// Adds a run with an empty journal and acquires its lease.
    ///
    /// # Errors
    /// [`StoreError::RunExists`] if there is a run with this id.
    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease>;

    /// Acquires the lease of a run if the lease is free, has expired, or is held by a process that
    /// is known to have ended. A claim that [cancels](Claim::cancelling) also sets the status of a
    /// run that has not ended.
    ///
    /// # Errors
    /// [`StoreError::Held`] if the lease is held, also if the same process holds it.
    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease>;

    /// Extends the lease to its [`ttl`](Lease::ttl) from now. [`put`](Self::put) does the same.
    ///
    /// An expired lease can be renewed as long as nobody else has acquired the run.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if somebody else has acquired it.
    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()>;

    /// Releases the lease. Does nothing if the lease is not the run's current one.
    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()>;

    /// Appends entries to the journal of the lease's run, sets the run's status and renews the
    /// lease. The run waits for nothing then, and if there are entries, its
    /// [failed attempts](RunRecord::attempts) are forgotten.
    ///
    /// The rules of a journal:
    /// - The first entry is [`Full`](EntryKind::Full).
    /// - Steps increase. A `Full` of the last step replaces the state of that step, a
    ///   [`Change`](EntryKind::Change) of the last step replaces its change.
    /// - A [`Result`](EntryKind::Result) belongs to the last step that has a state and replaces an
    ///   earlier result of the same kickoff. The next `Full` or `Change` drops all results.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if the lease is not the run's current one, and
    /// [`StoreError::OutOfOrder`] if an entry breaks a rule. Nothing is written then.
    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()>;

    /// Appends entries as [`put`](Self::put) does, and stores how the run stands: what a paused run
    /// waits for, or why a run has failed. Its failed attempts are forgotten.
    ///
    /// If a signal has arrived that the run waits for and has not [seen](Rest::seen), the run is to
    /// be continued at once.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn rest<'a>(
        &'a self,
        lease: &'a Lease,
        rest: &'a Rest,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()>;

    /// Adds a signal to those of the run, which may be held by another process. If the run is
    /// paused and waits for a signal of this name, it is to be continued at once.
    fn signal<'a>(&'a self, run: &'a RunId, name: &'a str, body: &'a [u8]) -> StoreFuture<'a, ()>;

    /// Lists the signals of the run with a number greater than `after`, in their order.
    fn signals<'a>(&'a self, run: &'a RunId, after: u64) -> StoreFuture<'a, Vec<SignalRecord>>;

    /// The time by the clock of the store, by which its leases expire and its runs wake.
    fn now(&self) -> StoreFuture<'_, SystemTime>;

    /// Returns what is needed to restore the last state of the run; `None` if its journal is empty.
    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>>;

    /// Returns what is needed to restore the run after `step`. For the last step this is
    /// [`latest`](Self::latest).
    ///
    /// # Errors
    /// [`StoreError::UnknownStep`] if the journal has no state of that step.
    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint>;

    /// Lists the steps that the journal has a state of, first to last.
    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>>;

    /// Returns the record of a run.
    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord>;

    /// Lists the runs that pass the filter, newest first unless the page says otherwise.
    fn list<'a>(&'a self, filter: &'a RunFilter, page: &'a Page)
    -> StoreFuture<'a, Vec<RunRecord>>;

    /// Adds a run `fork` that starts with the state of `run` after `step`. It is paused and its
    /// lease is free.
    ///
    /// Its journal begins with the last whole state at or before `step`, and it has the signals of
    /// `run`. It does not change when `run` continues or is deleted.
    ///
    /// # Errors
    /// [`StoreError::UnknownStep`] as [`at`](Self::at), and [`StoreError::RunExists`] if there is a
    /// run `fork`.
    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()>;

    /// Deletes a run and its journal.
    ///
    /// # Errors
    /// [`StoreError::Held`] if its lease is held.
    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()>;

    /// Deletes the runs that pass the filter and have not changed for `age`, except those whose
    /// lease has not expired. Returns their number.
    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64>;
}
