//! Stores in SQL databases: the same statements for SQLite and PostgreSQL.
//!
//! **Invariants.** Every write locks the run's row first, decides by what it reads there, and
//! writes in the same transaction. So writes to one run are serialised, and an outdated lease is
//! detected before anything is written. A write that is refused has written nothing, because
//! several writes may share a transaction. Every read is a single statement, which sees one moment
//! of the database.
//!
//! Time is that of the server, if the database has one; else it is that of this process.

pub mod connection;
mod deleting;
pub mod dialect;
pub mod failed;
mod forking;
mod leasing;
pub mod migrate;
#[cfg(feature = "postgres")]
pub mod nul;
#[cfg(feature = "postgres")]
mod postgres;
mod reading;
mod row;
mod schema;
mod signalling;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transact;
mod writing;

use std::sync::Arc;
use std::time::SystemTime;

use super::StoreError;
use crate::clock::Clock;
use dialect::{Arg, Row, Transacts};
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
    /// Whether the time is that of the server, if it has a clock.
    by_server: bool,
}

/// The reason why an operation was not completed.
type Failed = failed::Failed<StoreError>;

impl<D: Transacts> SqlStore<D> {
    fn new(database: D, name: String) -> Self {
        Self { database, name: name.into(), clock: Clock::default(), by_server: true }
    }

    fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), by_server: false, ..self }
    }

    /// The expression for the time of the server; `None` if the time is that of this process.
    fn server_time(&self) -> Option<&'static str> {
        D::NOW.filter(|_| self.by_server)
    }

    /// An expression for the time in milliseconds. If it is a placeholder, its value is added to
    /// `args`.
    fn now(&self, args: &mut Vec<Arg<'_>>) -> String {
        match self.server_time() {
            Some(now) => now.to_owned(),
            None => {
                args.push(self.clock.now_ms().into());
                format!("${}", args.len())
            }
        }
    }

    /// An expression for a column with the time of the server, which is null if the time is that of
    /// this process. [`now_in`](Self::now_in) reads it.
    fn now_column(&self) -> &'static str {
        self.server_time().unwrap_or("cast(null as bigint)")
    }

    fn now_in(&self, row: &mut Row) -> Result<i64, sqlx::Error> {
        Ok(row.int_or_null()?.unwrap_or_else(|| self.clock.now_ms()))
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

            fn rest<'a>(
                &'a self,
                lease: &'a Lease,
                rest: &'a Rest,
                entries: &'a [Entry],
            ) -> StoreFuture<'a, ()> {
                let done = self.sql.rest(lease, rest, entries);
                done.map_err(self.sql.explain("put entries")).boxed()
            }

            fn signal<'a>(
                &'a self,
                run: &'a RunId,
                name: &'a str,
                body: &'a [u8],
            ) -> StoreFuture<'a, ()> {
                let done = self.sql.signal(run, name, body);
                done.map_err(self.sql.explain("send a signal")).boxed()
            }

            fn signals<'a>(
                &'a self,
                run: &'a RunId,
                after: u64,
            ) -> StoreFuture<'a, Vec<SignalRecord>> {
                self.sql.signals(run, after).map_err(self.sql.explain("read signals")).boxed()
            }

            fn now(&self) -> StoreFuture<'_, SystemTime> {
                self.sql.time().map_err(self.sql.explain("read the time")).boxed()
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
