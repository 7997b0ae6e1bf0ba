//! As many transactions of as many bytes, without an engine: what the disk allows.

use std::path::Path;
use std::time::{Duration, Instant};

use ddg_core::checkpoint::Durability;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

/// The time of `n_writes` transactions that each insert one row of `n_bytes` into a new database
/// at `path`, which is set up as the store's.
///
/// # Errors
/// The database fails.
pub async fn write(
    path: &Path,
    n_writes: usize,
    n_bytes: usize,
    durability: Durability,
) -> Result<Duration, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::ProcessCrash => SqliteSynchronous::Normal,
            _ => SqliteSynchronous::Full,
        })
        .pragma("wal_autocheckpoint", "100")
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    sqlx::query("create table written (id integer primary key, body blob not null)")
        .execute(&mut connection)
        .await?;
    let body = vec![b'x'; n_bytes];
    let began = Instant::now();
    for _ in 0..n_writes {
        let mut tx = connection.begin_with("begin immediate").await?;
        let insert = sqlx::query("insert into written (body) values (?)").bind(&body[..]);
        insert.execute(&mut *tx).await?;
        tx.commit().await?;
    }
    let time = began.elapsed();
    connection.close().await?;
    Ok(time)
}
