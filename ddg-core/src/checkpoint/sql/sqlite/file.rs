//! Opens SQLite files, for all stores that use one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};

use super::shared::{Opened, Shared};
use crate::checkpoint::sql::Failed;
use crate::checkpoint::sql::connection::{Connection, Connections, Write};
use crate::checkpoint::sql::dialect::Deed;
use crate::checkpoint::sql::migrate::migrate;

/// How long a writer waits for writers of other processes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Number of pages of 4 KiB after which the log is copied into the database, which keeps it small.
const LOG_PAGES: &str = "100";
const LOG_BYTES: &str = "409600";

/// Number of connections for reading.
const N_READERS: u32 = 4;

/// An open SQLite file. A clone is the same file.
#[derive(Clone, Debug)]
pub struct SqliteFile {
    opened: Arc<Opened>,
    readers: Connections<Sqlite>,
}

impl SqliteFile {
    /// Opens the file at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database.
    pub async fn open(path: &Path, synchronous: SqliteSynchronous) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(PATIENCE)
            .foreign_keys(true)
            .synchronous(synchronous)
            .pragma("wal_autocheckpoint", LOG_PAGES)
            .pragma("journal_size_limit", LOG_BYTES)
            .disable_statement_logging();
        log_ahead(&options).await?;
        let opened = Shared::open(path, options.clone(), synchronous);
        let readers = Connections::new(N_READERS, options).sharing_commits(opened.writer());
        Ok(Self { opened: Arc::new(opened), readers })
    }

    /// Begins a transaction that writes.
    ///
    /// It is immediate, because SQLite cannot upgrade a transaction that began with a read once
    /// another process has written, however long it waits.
    ///
    /// # Errors
    /// If the database refuses, or another process has kept it locked for too long.
    pub async fn write(&self) -> Result<Write<Sqlite>, sqlx::Error> {
        self.opened.write().await
    }

    /// Executes `deed` in a transaction, together with others that wait at the same time.
    pub(in crate::checkpoint::sql) async fn submit<D: Deed<Write<Sqlite>>>(
        &self,
        deed: D,
    ) -> Result<D::Output, Failed> {
        self.opened.submit(deed).await
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub async fn read(&self) -> Result<Connection<Sqlite>, sqlx::Error> {
        self.readers.read().await
    }

    /// Brings the tables to the newest version, unless they are newer already. `table` has the
    /// version, and `migrations` are the statements that lead to each version, starting with 1.
    /// Returns the version before.
    ///
    /// # Errors
    /// If a migration fails. None is applied then.
    pub async fn migrate(
        &self,
        table: &str,
        migrations: &[&'static str],
    ) -> Result<u64, sqlx::Error> {
        let mut write = self.write().await?;
        let found = migrate(&mut write, table, migrations).await?;
        write.commit().await?;
        Ok(found)
    }

    /// Closes the file, also for clones. If no other store and no other process has it open, all
    /// data is in the one file afterwards.
    pub async fn close(&self) {
        self.readers.close().await;
        self.opened.close().await;
    }
}

/// Switches the database permanently to a write-ahead log. The busy timeout does not apply to this
/// statement, so it is retried while other connections do the same.
async fn log_ahead(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let pause = Duration::from_millis(20);
    let mut tries_left = PATIENCE.as_millis() / pause.as_millis();
    let mut connection = options.connect().await?;
    loop {
        let switched = sqlx::query("pragma journal_mode = wal").execute(&mut connection).await;
        match switched {
            Err(sqlx::Error::Database(error)) if is_busy(&*error) && tries_left > 0 => {
                tries_left -= 1;
                tokio::time::sleep(pause).await;
            }
            Err(error) => return Err(error),
            Ok(_) => return connection.close().await,
        }
    }
}

/// SQLITE_BUSY and SQLITE_LOCKED with all their extended codes.
fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    matches!(code.map(|code| code & 0xff), Some(5 | 6))
}
