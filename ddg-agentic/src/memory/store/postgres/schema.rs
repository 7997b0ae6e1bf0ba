//! The tables and their versions.

use ddg_core::__store::{Transaction, Write, migrate};
use sqlx::Postgres;

use super::{ConversationError, Failed, PostgresConversations};

/// The statements that bring the tables to each version, starting with 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/postgres/1.sql"),
    include_str!("../../../../migrations/postgres/2.sql"),
];

/// Keeps other processes from migrating at the same time: an arbitrary number, the same in all.
const LOCK: &str = "select pg_advisory_xact_lock(7233202)";

impl PostgresConversations {
    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self) -> Result<(), Failed> {
        let mut tx = self.write().await?;
        let done = self.migrate_in(&mut tx).await;
        tx.end(done).await
    }

    async fn migrate_in(&self, tx: &mut Write<Postgres>) -> Result<(), Failed> {
        tx.script(LOCK).await?;
        let found = migrate(tx, "ddg_conversation_schema", MIGRATIONS).await?;
        let known = MIGRATIONS.len() as u64;
        if found > known {
            let store = self.name.to_string();
            return Err(ConversationError::NewerSchema { store, found, known }.into());
        }
        Ok(())
    }
}
