//! Where a management keeps riddles: their runs, and their messages.

use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, MemoryStore};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::error::RiddleError;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::log::SqlLog;
use super::log::{Log, MemoryLog};

/// Where riddles are kept. Clones are the same store.
#[derive(Clone, Debug)]
pub struct RiddleStore {
    pub(super) runs: Arc<dyn CheckpointStore>,
    pub(super) log: Arc<dyn Log>,
}

impl RiddleStore {
    /// In memory: riddles end with the store.
    pub fn in_memory() -> Self {
        Self { runs: Arc::new(MemoryStore::new()), log: Arc::new(MemoryLog::default()) }
    }

    /// In an SQLite file, which is created if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be opened, is not a database, or is of a newer version.
    #[cfg(feature = "sqlite")]
    pub async fn open(path: impl AsRef<std::path::Path>) -> Result<Self, RiddleError> {
        let path = path.as_ref();
        let name = format!("SQLite database `{}`", path.display());
        let runs = ddg_core::checkpoint::SqliteStore::open(path).await;
        let runs = runs.map_err(|error| not_opened(&name, &error))?;
        let log = SqlLog::sqlite(runs.database().clone(), name).await?;
        Ok(Self { runs: Arc::new(runs), log: Arc::new(log) })
    }

    /// In a PostgreSQL database, `postgres://user:password@host:port/database`. Several managements
    /// can share it: each riddle is run by one of them.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses the connection, or the tables are of a newer
    /// version.
    #[cfg(feature = "postgres")]
    pub async fn connect(url: &str) -> Result<Self, RiddleError> {
        // Without the URL, which may have a password.
        let name = "a PostgreSQL database".to_owned();
        let runs = ddg_core::checkpoint::PostgresStore::connect(url).await;
        let runs = runs.map_err(|error| not_opened(&name, &error))?;
        let log = SqlLog::postgres(runs.database().clone(), name).await?;
        Ok(Self { runs: Arc::new(runs), log: Arc::new(log) })
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn not_opened(name: &str, error: &ddg_core::checkpoint::StoreError) -> RiddleError {
    let message = ddg_core::__report::Told(error).to_string();
    RiddleError::Store { store: name.to_owned(), action: "opened", message }
}
