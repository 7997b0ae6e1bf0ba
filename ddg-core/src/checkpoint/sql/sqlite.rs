//! A store in an SQLite file.

mod file;
mod group;
mod shared;

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, SystemTime};

use futures::{FutureExt, TryFutureExt};
use sqlx::error::DatabaseError;
use sqlx::sqlite::{Sqlite, SqliteError, SqliteRow, SqliteSynchronous};

pub use file::SqliteFile;

use super::connection::Write;
use super::dialect::{Arg, Cell, Deed, Dialect, Row, Transacts, speaks_sqlx};
use super::{Failed, SqlStore, cause, stores_by_sql};
use crate::checkpoint::{
    Checkpoint, Claim, Entry, Lease, Page, Rest, RunFilter, RunId, RunRecord, RunStatus,
    SignalRecord, StepRecord, StoreError, StoreFuture,
};

/// A store in an SQLite database file.
///
/// Any number of processes of one machine can have the file open at once. It must not be on a
/// network file system. While it is open, two more files named `-wal` and `-shm` are next to it and
/// belong to it. A clone is the same store.
///
/// All stores of a process on one file, also those of other kinds, write through one connection, in
/// the order of their calls. What several tasks write at the same time is written in one
/// transaction: a hundred runs at once write many times faster than one after another.
///
/// ```no_run
/// use ddg_core::checkpoint::{CheckpointStore, Page, RunFilter, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteStore::open("runs.db").await?;
/// for run in store.list(&RunFilter::default(), &Page::default()).await? {
///     println!("{} of {}: {}", run.run, run.automa, run.status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore {
    sql: SqlStore<SqliteFile>,
}

/// What a store guarantees for writes that it has confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Writes survive a power failure, because each write waits for the disk.
    #[default]
    PowerFailure,
    /// Writes survive a crash of the process, and do not wait for the disk. A power failure or a
    /// crash of the system may lose all writes after some moment; journals stay consistent.
    ProcessCrash,
}

impl SqliteStore {
    /// Opens the database at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database, and if its tables are newer than this
    /// crate knows.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, Durability::default()).await
    }

    /// Opens the database at `path` with another durability.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let name = format!("SQLite database `{}`", path.display());
        let synchronous = match durability {
            Durability::PowerFailure => SqliteSynchronous::Full,
            Durability::ProcessCrash => SqliteSynchronous::Normal,
        };
        let failed = |source: sqlx::Error| StoreError::Open {
            store: name.clone(),
            source: cause(source),
            hint: "the folder must exist and be writable, and the file, if there is one, must be an SQLite database",
        };
        let file = SqliteFile::open(path, synchronous).await.map_err(failed)?;
        let sql = SqlStore::new(file, name.clone());
        sql.migrate().map_err(sql.explain("prepare its tables")).await?;
        Ok(Self { sql })
    }

    /// Takes the time from `now` instead of the system's clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { sql: self.sql.with_clock(now) }
    }

    /// The file, for other stores in it. Not part of the public API.
    #[doc(hidden)]
    pub fn database(&self) -> &SqliteFile {
        &self.sql.database
    }

    /// Closes the file, also for clones of this store. If no other store and no other process has
    /// it open, all data is in the one file afterwards.
    ///
    /// A store that is dropped without being closed loses nothing.
    pub async fn close(self) {
        self.sql.database.close().await;
    }
}

/// Whether a retry may succeed: the file is locked, the disk is full or not writable, or no file
/// descriptor is left.
pub(super) fn is_transient(error: &SqliteError) -> bool {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const NO_MEMORY: u32 = 7;
    const READ_ONLY: u32 = 8;
    const IO: u32 = 10;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    const PROTOCOL: u32 = 15;
    // The lower byte is the code, the others extend it.
    let code = error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    matches!(code, Some(BUSY | LOCKED | NO_MEMORY | READ_ONLY | IO | FULL | CANNOT_OPEN | PROTOCOL))
}

impl Dialect for SqliteFile {
    type Transaction = Write<Sqlite>;

    const LOCKED: &'static str = "";
    const LOCKED_IF_FREE: &'static str = "";
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("../../../migrations/sqlite/1.sql"),
        include_str!("../../../migrations/sqlite/2.sql"),
    ];
    const LOCK_SCHEMA: Option<&'static str> = None;

    async fn write(&self) -> Result<Write<Sqlite>, sqlx::Error> {
        self.write().await
    }

    async fn read(&self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>, sqlx::Error> {
        read_from(&mut *self.read().await?, sql, args).await
    }
}

impl Transacts for SqliteFile {
    const NOW: Option<&'static str> = None;

    async fn transact<A: Deed<Write<Sqlite>>>(&self, deed: A) -> Result<A::Output, Failed> {
        self.submit(deed).await
    }
}

speaks_sqlx!(Sqlite, SqliteRow, Cow::Borrowed, std::convert::identity);
stores_by_sql!(SqliteStore);
