//! The tables and their versions.

use super::dialect::{Transaction, Transacts};
use super::migrate::migrate;
use super::{Failed, SqlStore};
use crate::checkpoint::StoreError;

impl<D: Transacts> SqlStore<D> {
    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self) -> Result<(), Failed> {
        let mut tx = self.database.write().await?;
        let done = self.migrate_in(&mut tx).await;
        tx.end(done).await
    }

    async fn migrate_in(&self, tx: &mut D::Transaction) -> Result<(), Failed> {
        if let Some(lock) = D::LOCK_SCHEMA {
            tx.script(lock).await?;
        }
        let found = migrate(tx, "ddg_schema", D::MIGRATIONS).await?;
        let known = D::MIGRATIONS.len() as u64;
        if found > known {
            let store = self.name.to_string();
            return Err(StoreError::NewerSchema { store, found, known }.into());
        }
        Ok(())
    }
}
