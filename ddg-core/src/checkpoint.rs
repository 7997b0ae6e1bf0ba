//! Where runs are kept so that they survive their process: durable, ordered journals.
//!
//! A [`CheckpointStore`] holds runs. Each has a journal of [`Entry`]s: whole states, changes, and
//! the results of single workers of the step that is under way. What is in an entry is the
//! writer's business; the store keeps bytes, in order, and gives back all that is needed to
//! restore a run as it was after a step.
//!
//! Whoever writes holds a [`Lease`]. Its token grows each time that the run changes hands, and an
//! entry that comes with an older token is refused, so that two processes cannot both go on with
//! one run, not even if one of them was thought dead and was only slow.
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

pub(crate) mod clock;
mod error;
mod journal;
mod lease;
mod memory;
mod mode;
mod owner;
mod record;
mod run_id;
mod shared;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;

pub use error::StoreError;
pub use journal::{Checkpoint, Entry, EntryKind, StepRecord};
pub use lease::{Claim, Holder, Lease};
pub use memory::MemoryStore;
pub use mode::CheckpointPolicy;
pub use owner::Owner;
pub use record::{Cursor, ForkedFrom, Page, RunFilter, RunRecord, RunStatus, UnknownStatus};
pub use run_id::{InvalidRunId, RunId};
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(feature = "sqlite")]
#[doc(hidden)]
pub use sql::SqliteFile;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[doc(hidden)]
pub use sql::connection;
#[cfg(feature = "sqlite")]
pub use sql::{Durability, SqliteStore};

pub use crate::run::StoredRuns;

/// What a method of a [`CheckpointStore`] returns.
pub type StoreFuture<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// A place that keeps runs.
///
/// An `Arc` of a store is a store, `Arc<dyn CheckpointStore>` too. It can be used from any number of tasks and, where the store lives
/// outside the process, from any number of processes. Every method is one transaction: it is done
/// as a whole or not at all, and what it has confirmed is seen by whatever comes after it.
///
/// # Errors
/// Every method that takes a run or a lease fails with [`StoreError::UnknownRun`] if there is no
/// such run (any more), and every method with [`StoreError::Backend`] if the store itself fails;
/// after the latter nobody knows whether the change was made. Each method can simply be called
/// again: [`put`](Self::put) of the same entries changes nothing the second time.
///
/// # Cancel safety
/// Dropping a future before it is done leaves the store as it was or as it should become.
pub trait CheckpointStore: fmt::Debug + Send + Sync {
    /// Adds a run with an empty journal, and takes its lease at once.
    ///
    /// # Errors
    /// [`StoreError::RunExists`].
    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease>;

    /// Takes the lease of a run whose lease is free, has run out, or is held by a process that is
    /// known to have ended.
    ///
    /// # Errors
    /// [`StoreError::Held`] if somebody has it; a second claim of one process counts as somebody
    /// else's.
    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease>;

    /// Makes the lease last for its [`ttl`](Lease::ttl) from now; so does [`put`](Self::put).
    ///
    /// A lease that has run out can be renewed for as long as nobody else has taken the run.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if somebody has.
    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()>;

    /// Gives the lease up; nothing happens if it is no longer the run's.
    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()>;

    /// Appends to the journal of the lease's run, sets the run's status, renews the lease.
    ///
    /// The rules of a journal:
    /// - Its first entry is [`Full`](EntryKind::Full).
    /// - Steps go up. A `Full` of the last step replaces what that step had; a
    ///   [`Change`](EntryKind::Change) of the last step replaces its change.
    /// - A [`Result`](EntryKind::Result) belongs to the last step that has a state; one of the
    ///   same kickoff replaces it; the next `Full` or `Change` drops all results.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if the lease is no longer the run's; [`StoreError::OutOfOrder`] if
    /// an entry breaks a rule. Nothing is written then.
    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()>;

    /// What is needed to restore the run as it was last; `None` if its journal is empty.
    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>>;

    /// What is needed to restore the run as it was after `step`; at the last step that is
    /// [`latest`](Self::latest).
    ///
    /// # Errors
    /// [`StoreError::UnknownStep`] if the journal has no state of that step.
    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint>;

    /// The steps of which the journal has a state, first to last.
    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>>;

    /// What is known of a run.
    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord>;

    /// The runs that pass the filter, the one created last first.
    fn list<'a>(&'a self, filter: &'a RunFilter, page: &'a Page)
    -> StoreFuture<'a, Vec<RunRecord>>;

    /// Adds a run `fork` that starts as `run` was after `step`, paused and held by nobody.
    ///
    /// Its journal begins with the last whole state at or before `step`. It does not change when
    /// `run` goes on or is deleted.
    ///
    /// # Errors
    /// [`StoreError::UnknownStep`] as [`at`](Self::at); [`StoreError::RunExists`] for `fork`.
    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()>;

    /// Deletes a run with its journal.
    ///
    /// # Errors
    /// [`StoreError::Held`] if somebody holds it.
    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()>;

    /// Deletes the runs that pass the filter and have not changed for `age`, but none whose lease
    /// has not run out; says how many.
    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64>;
}
