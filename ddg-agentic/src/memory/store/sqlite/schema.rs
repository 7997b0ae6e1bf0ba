//! The tables and their versions.

use super::{ConversationError, Failed, SqliteConversations};

/// The statements that bring the tables to each version, starting with 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/sqlite/1.sql"),
    include_str!("../../../../migrations/sqlite/2.sql"),
    include_str!("../../../../migrations/sqlite/3.sql"),
];

impl SqliteConversations {
    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self) -> Result<(), Failed> {
        let found = self.file.migrate("ddg_conversation_schema", MIGRATIONS).await?;
        let known = MIGRATIONS.len() as u64;
        if found > known {
            let store = self.name.to_string();
            return Err(ConversationError::NewerSchema { store, found, known }.into());
        }
        Ok(())
    }
}
