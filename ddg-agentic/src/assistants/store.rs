//! The store of assistants: rows in the database in which the journals of runs are.
//!
//! **Invariant.** A transition of a run is one update that names the version from which it began,
//! in one transaction with its rows and events, which transitions of other runs may share. A
//! thread's row is locked by whatever adds to the thread, so that what is added is either before a
//! run or refused because of it.

mod assistants;
mod database;
mod events;
mod items;
mod listing;
mod runs;
mod steps;
mod threads;
mod transition;

use std::path::Path;
use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, Durability, SqliteStore};

use super::AssistantsError;
use database::Database;
pub(super) use database::During;
pub(super) use events::EVENTS_AT_ONCE;
pub(super) use runs::{Due, NewRun, NewThread, RunRow, Written};

/// The store of assistants, threads and runs. A clone is the same store.
///
/// ```no_run
/// use ddg_agentic::assistants::AssistantStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = AssistantStore::open("ddg.sqlite").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AssistantStore {
    database: Database,
    journals: Arc<dyn CheckpointStore>,
}

impl AssistantStore {
    /// Opens the SQLite database at `path`, and creates it if it does not exist. Any number of
    /// processes of one machine can have it open.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database, and if its tables are newer than this
    /// crate knows.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, AssistantsError> {
        Self::open_with(path, Durability::default()).await
    }

    /// Opens the SQLite database at `path` with another durability.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        durability: Durability,
    ) -> Result<Self, AssistantsError> {
        let journals = SqliteStore::open_with(path, durability).await?;
        Self::sqlite(journals).await
    }

    /// Uses a database that is open, with the runs in it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn sqlite(journals: SqliteStore) -> Result<Self, AssistantsError> {
        let database = Database::Sqlite(journals.database().clone());
        Self::prepared(database, Arc::new(journals)).await
    }

    /// Connects to a PostgreSQL database by its URL, `postgres://user:password@host:port/database`.
    /// Any number of servers can share it.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses the connection, and if its tables are newer than
    /// this crate knows.
    #[cfg(feature = "postgres")]
    pub async fn connect(url: &str) -> Result<Self, AssistantsError> {
        let journals = ddg_core::checkpoint::PostgresStore::connect(url).await?;
        let database = Database::Postgres(journals.database().clone());
        Self::prepared(database, Arc::new(journals)).await
    }

    /// The store of the runs' journals.
    pub fn journals(&self) -> &Arc<dyn CheckpointStore> {
        &self.journals
    }

    async fn prepared(
        database: Database,
        journals: Arc<dyn CheckpointStore>,
    ) -> Result<Self, AssistantsError> {
        database.migrate().await?;
        Ok(Self { database, journals })
    }
}
