//! The tables and their versions.

use super::dialect::{Transaction, Transacts};
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
        tx.script("create table if not exists ddg_schema (version bigint not null)").await?;
        let found = match tx.rows("select version from ddg_schema", &[]).await?.as_mut_slice() {
            [] => 0,
            [row, ..] => row.unsigned()?,
        };
        let known = D::MIGRATIONS.len() as u64;
        if found > known {
            let store = self.name.to_string();
            return Err(StoreError::NewerSchema { store, found, known }.into());
        }
        if found == known {
            return Ok(());
        }
        for migration in D::MIGRATIONS.iter().skip(found as usize) {
            tx.script(migration).await?;
        }
        tx.script("delete from ddg_schema").await?;
        tx.script(&format!("insert into ddg_schema (version) values ({known})")).await?;
        Ok(())
    }
}
