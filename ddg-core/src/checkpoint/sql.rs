//! Stores in SQL databases: the same statements for SQLite and PostgreSQL.
//!
//! **Invariant.** Every write locks the run's row first, decides by what it reads there, and writes
//! in the same transaction. So writes to one run are serialised, and an outdated lease is detected
//! before anything is written. Every read is a single statement, which sees one moment of the
//! database.

pub mod connection;
mod deleting;
pub mod dialect;
pub mod failed;
mod forking;
mod leasing;
#[cfg(feature = "postgres")]
mod postgres;
mod reading;
mod row;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod writing;

use std::sync::Arc;
use std::time::SystemTime;

use super::StoreError;
use super::clock::Clock;
use dialect::Dialect;
use failed::cause;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresServer, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteFile, SqliteStore};

/// A store in a database. A clone is the same store.
#[derive(Clone, Debug)]
struct SqlStore<D> {
    database: D,
    /// The name of the store in messages.
    name: Arc<str>,
    clock: Clock,
}

/// The reason why an operation was not completed.
type Failed = failed::Failed<StoreError>;

impl<D: Dialect> SqlStore<D> {
    fn new(database: D, name: String) -> Self {
        Self { database, name: name.into(), clock: Clock::default() }
    }

    fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), ..self }
    }

    /// Creates a function that converts failures of `action` into errors.
    fn explain(&self, action: &'static str) -> impl Fn(Failed) -> StoreError {
        move |failed| match failed {
            Failed::Refused(refused) => refused,
            Failed::Broken(error) => {
                StoreError::Backend { store: self.name.to_string(), action, source: cause(error) }
            }
        }
    }
}

impl From<StoreError> for Failed {
    fn from(refused: StoreError) -> Self {
        Self::Refused(refused)
    }
}

/// Whether a retry may succeed after an error of a database.
pub(super) fn is_transient(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    #[cfg(feature = "sqlite")]
    if let Some(error) = error.downcast_ref() {
        return sqlite::is_transient(error);
    }
    #[cfg(feature = "postgres")]
    if let Some(error) = error.downcast_ref() {
        return postgres::is_transient(error);
    }
    match error.downcast_ref::<sqlx::Error>() {
        Some(error) => matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed),
        // An error of the system, such as a connection that was cut.
        None => true,
    }
}

/// Implements [`CheckpointStore`](super::CheckpointStore) for a type with a field `sql`.
macro_rules! stores_by_sql {
    ($Store:ty) => {
        impl $crate::checkpoint::CheckpointStore for $Store {
            fn create<'a>(
                &'a self,
                run: &'a RunId,
                automa: &'a str,
                claim: &'a Claim,
            ) -> StoreFuture<'a, Lease> {
                let done = self.sql.create(run, automa, claim);
                done.map_err(self.sql.explain("create a run")).boxed()
            }

            fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease> {
                let done = self.sql.acquire(run, claim);
                done.map_err(self.sql.explain("acquire a lease")).boxed()
            }

            fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
                self.sql.renew(lease).map_err(self.sql.explain("renew a lease")).boxed()
            }

            fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
                self.sql.release(lease).map_err(self.sql.explain("release a lease")).boxed()
            }

            fn put<'a>(
                &'a self,
                lease: &'a Lease,
                status: RunStatus,
                entries: &'a [Entry],
            ) -> StoreFuture<'a, ()> {
                let done = self.sql.put(lease, status, entries);
                done.map_err(self.sql.explain("put entries")).boxed()
            }

            fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>> {
                self.sql.latest(run).map_err(self.sql.explain("read a run")).boxed()
            }

            fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint> {
                self.sql.at(run, step).map_err(self.sql.explain("read a run")).boxed()
            }

            fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>> {
                self.sql.steps(run).map_err(self.sql.explain("list steps")).boxed()
            }

            fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord> {
                self.sql.find(run).map_err(self.sql.explain("look up a run")).boxed()
            }

            fn list<'a>(
                &'a self,
                filter: &'a RunFilter,
                page: &'a Page,
            ) -> StoreFuture<'a, Vec<RunRecord>> {
                self.sql.list(filter, page).map_err(self.sql.explain("list runs")).boxed()
            }

            fn fork<'a>(
                &'a self,
                run: &'a RunId,
                step: u64,
                fork: &'a RunId,
            ) -> StoreFuture<'a, ()> {
                self.sql.fork(run, step, fork).map_err(self.sql.explain("fork a run")).boxed()
            }

            fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()> {
                self.sql.delete(run).map_err(self.sql.explain("delete a run")).boxed()
            }

            fn delete_older_than<'a>(
                &'a self,
                age: Duration,
                filter: &'a RunFilter,
            ) -> StoreFuture<'a, u64> {
                let done = self.sql.delete_older_than(age, filter);
                done.map_err(self.sql.explain("delete old runs")).boxed()
            }
        }
    };
}
use stores_by_sql;
