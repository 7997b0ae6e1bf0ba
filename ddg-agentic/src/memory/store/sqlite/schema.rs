//! The tables and their versions.

use super::{ConversationError, Failed, SqliteConversations};

/// What brings the tables to each version, from 1.
const MIGRATIONS: &[&str] = &[include_str!("../../../../migrations/sqlite/1.sql")];

impl SqliteConversations {
    /// Brings the tables to the newest version; refuses tables that are newer.
    pub(super) async fn migrate(&self) -> Result<(), Failed> {
        let mut tx = self.writer.begin_with("begin immediate").await?;
        let table = "create table if not exists ddg_conversation_schema (version integer not null)";
        sqlx::query(table).execute(&mut *tx).await?;
        let version = sqlx::query_scalar("select version from ddg_conversation_schema");
        let version: i64 = version.fetch_optional(&mut *tx).await?.unwrap_or(0);
        let found = u64::try_from(version).unwrap_or(u64::MAX);
        let known = MIGRATIONS.len() as u64;
        if found > known {
            let store = self.name.to_string();
            return Err(ConversationError::NewerSchema { store, found, known }.into());
        }
        for migration in MIGRATIONS.iter().skip(found as usize) {
            sqlx::raw_sql(*migration).execute(&mut *tx).await?;
        }
        if found < known {
            sqlx::query("delete from ddg_conversation_schema").execute(&mut *tx).await?;
            let version = sqlx::query("insert into ddg_conversation_schema values ($1)");
            version.bind(known as i64).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }
}
