//! How an SQLite file is opened, by whatever keeps something in one.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

/// How long a writer waits for those of other processes.
const PATIENCE: Duration = Duration::from_secs(30);

/// After how many pages the log is copied into the database, 4 KiB each; keeps it small.
const LOG_PAGES: &str = "100";
const LOG_BYTES: &str = "409600";

/// One connection that writes, so that the writers of a process wait for each other in a queue, and
/// some that read, for the file at `path`, which is made if there is none.
///
/// # Errors
/// The file cannot be opened, or is no database.
pub async fn open_sqlite(
    path: &Path,
    synchronous: SqliteSynchronous,
) -> Result<(SqlitePool, SqlitePool), sqlx::Error> {
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
    let pool = |n| SqlitePoolOptions::new().max_connections(n).connect_lazy_with(options.clone());
    Ok((pool(1), pool(4)))
}

/// Switches the database to a write-ahead log, which stays so. SQLite does not wait for others
/// that are doing the same, so this tries again.
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

/// SQLITE_BUSY and SQLITE_LOCKED, with whatever they are extended by.
fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    matches!(code.map(|code| code & 0xff), Some(5 | 6))
}
