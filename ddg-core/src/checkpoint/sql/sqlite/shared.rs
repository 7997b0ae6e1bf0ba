//! The writer of a file, which all stores of the process on this file share.
//!
//! SQLite lets one connection write at a time. Two connections of one process would wait for each
//! other by retrying, in no order; one connection has a queue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteSynchronous};

use super::group::Group;
use crate::checkpoint::sql::Failed;
use crate::checkpoint::sql::connection::{Connections, Write};
use crate::checkpoint::sql::dialect::Deed;

/// The shared part of an open file.
#[derive(Debug)]
pub(super) struct Shared {
    /// A pool of one connection.
    writer: Connections<Sqlite>,
    group: Group,
    /// Whether stores with different durabilities have it open: then each transaction sets its own.
    mixed: AtomicBool,
    synchronous: SqliteSynchronous,
    /// Number of stores that have it open.
    n_open: Mutex<usize>,
    id: Option<FileId>,
}

/// A store's use of an open file.
#[derive(Debug)]
pub(super) struct Opened {
    shared: Arc<Shared>,
    synchronous: SqliteSynchronous,
    closed: AtomicBool,
}

/// The identity of a file, however it is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FileId {
    #[cfg(unix)]
    Inode(u64, u64),
    #[cfg(not(unix))]
    Path(std::path::PathBuf),
}

static OPEN: Mutex<BTreeMap<FileId, Weak<Shared>>> = Mutex::new(BTreeMap::new());

impl Shared {
    /// Opens an existing file, which other stores of this process may have open.
    pub(super) fn open(
        path: &Path,
        options: SqliteConnectOptions,
        synchronous: SqliteSynchronous,
    ) -> Opened {
        let id = FileId::of(path);
        let mut open = lock(&OPEN);
        open.retain(|_, shared| shared.strong_count() > 0);
        let found = id.as_ref().and_then(|id| open.get(id)).and_then(Weak::upgrade);
        let shared = found.filter(|shared| shared.joined(synchronous)).unwrap_or_else(|| {
            let shared = Arc::new(Self {
                writer: Connections::new(1, options),
                group: Group::default(),
                mixed: AtomicBool::new(false),
                synchronous,
                n_open: Mutex::new(1),
                id: id.clone(),
            });
            if let Some(id) = id {
                open.insert(id, Arc::downgrade(&shared));
            }
            shared
        });
        Opened { shared, synchronous, closed: AtomicBool::new(false) }
    }

    /// Counts another store, unless the last one has closed the file.
    fn joined(&self, synchronous: SqliteSynchronous) -> bool {
        let mut n_open = lock(&self.n_open);
        if *n_open == 0 {
            return false;
        }
        *n_open += 1;
        if as_number(synchronous) != as_number(self.synchronous) {
            self.mixed.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Counts a store that closes the file. Returns whether it was the last.
    fn left(&self) -> bool {
        let mut n_open = lock(&self.n_open);
        *n_open -= 1;
        *n_open == 0
    }

    pub(super) fn group(&self) -> &Group {
        &self.group
    }

    pub(super) fn writer(&self) -> &Connections<Sqlite> {
        &self.writer
    }

    /// Begins a transaction that writes. It waits for its turn.
    pub(super) async fn write(
        &self,
        synchronous: SqliteSynchronous,
    ) -> Result<Write<Sqlite>, sqlx::Error> {
        let begin = match (self.mixed.load(Ordering::Relaxed), as_number(synchronous)) {
            (false, _) => "begin immediate",
            // Cannot be set within a transaction.
            (true, FULL) => "pragma synchronous = full; begin immediate",
            (true, _) => "pragma synchronous = normal; begin immediate",
        };
        self.writer.write(begin).await
    }
}

impl Opened {
    pub(super) fn writer(&self) -> &Connections<Sqlite> {
        &self.shared.writer
    }

    pub(super) async fn write(&self) -> Result<Write<Sqlite>, sqlx::Error> {
        self.check()?;
        self.shared.write(self.synchronous).await
    }

    pub(super) async fn submit<D: Deed<Write<Sqlite>>>(
        &self,
        deed: D,
    ) -> Result<D::Output, Failed> {
        self.check()?;
        Group::submit(&self.shared, deed, self.synchronous).await
    }

    fn check(&self) -> Result<(), sqlx::Error> {
        if self.closed.load(Ordering::Relaxed) { Err(sqlx::Error::PoolClosed) } else { Ok(()) }
    }

    /// Closes the writer, if this is the last store that has the file open.
    pub(super) async fn close(&self) {
        if !self.closed.swap(true, Ordering::Relaxed) && self.shared.left() {
            self.shared.writer.close().await;
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            self.shared.left();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(id) = &self.id else { return };
        let mut open = lock(&OPEN);
        if open.get(id).is_some_and(|shared| shared.strong_count() == 0) {
            open.remove(id);
        }
    }
}

impl FileId {
    /// The identity of the file at `path`; `None` if there is no such file.
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(path).ok()?;
        Some(Self::Inode(file.dev(), file.ino()))
    }

    /// The identity of the file at `path`; `None` if there is no such file.
    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        std::fs::canonicalize(path).ok().map(Self::Path)
    }
}

/// The number of [`SqliteSynchronous::Full`].
const FULL: u8 = 2;

/// The value of the pragma as a number. The greater one is the safer one.
pub(super) fn as_number(synchronous: SqliteSynchronous) -> u8 {
    match synchronous {
        SqliteSynchronous::Off => 0,
        SqliteSynchronous::Normal => 1,
        SqliteSynchronous::Full => FULL,
        SqliteSynchronous::Extra => 3,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
