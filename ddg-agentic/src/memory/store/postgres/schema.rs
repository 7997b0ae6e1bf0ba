//! The tables and their versions.

use super::{ConversationError, Failed, PostgresConversations};
use ddg_core::__store::Transaction;

/// The statements that bring the tables to each version, starting with 1.
const MIGRATIONS: &[&str] = &[include_str!("../../../../migrations/postgres/1.sql")];

/// Keeps other processes from migrating at the same time: an arbitrary number, the same in all.
const LOCK: &str = "select pg_advisory_xact_lock(7233202)";

impl PostgresConversations {
    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self) -> Result<(), Failed> {
        let mut tx = self.write().await?;
        let done = self.migrate_in(&mut tx).await;
        tx.end(done).await
    }

    async fn migrate_in(&self, tx: &mut sqlx::PgConnection) -> Result<(), Failed> {
        sqlx::raw_sql(LOCK).execute(&mut *tx).await?;
        let create = "create table if not exists ddg_conversation_schema (version bigint not null)";
        sqlx::raw_sql(create).execute(&mut *tx).await?;
        let select = sqlx::query_scalar("select version from ddg_conversation_schema");
        let version: i64 = select.fetch_optional(&mut *tx).await?.unwrap_or(0);
        let (found, known) = (u64::try_from(version).unwrap_or(u64::MAX), MIGRATIONS.len() as u64);
        if found > known {
            let store = self.name.to_string();
            return Err(ConversationError::NewerSchema { store, found, known }.into());
        }
        if found == known {
            return Ok(());
        }
        for migration in MIGRATIONS.iter().skip(found as usize) {
            sqlx::raw_sql(*migration).execute(&mut *tx).await?;
        }
        sqlx::raw_sql("delete from ddg_conversation_schema").execute(&mut *tx).await?;
        let insert = sqlx::query("insert into ddg_conversation_schema (version) values ($1)");
        insert.bind(known as i64).execute(&mut *tx).await?;
        Ok(())
    }
}
