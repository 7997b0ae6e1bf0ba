//! Where a management keeps riddles: their runs, and their messages.

use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, MemoryStore};

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
    pub async fn open(
        path: impl AsRef<std::path::Path>,
    ) -> Result<Self, super::error::RiddleError> {
        use ddg_core::checkpoint::SqliteStore;

        let path = path.as_ref();
        let log = super::log::SqliteLog::open(path).await?;
        let runs =
            SqliteStore::open(path).await.map_err(|error| super::error::RiddleError::Store {
                store: format!("SQLite database `{}`", path.display()),
                action: "opened",
                message: error.to_string(),
            })?;
        Ok(Self { runs: Arc::new(runs), log: Arc::new(log) })
    }
}
