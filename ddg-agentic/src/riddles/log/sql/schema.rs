//! The tables of the log, and their version.

use ddg_core::__store::{Dialect, Transaction};

use super::{Failed, SqlLog, first};
use crate::riddles::error::RiddleError;

impl<D: Dialect> SqlLog<D> {
    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self, migrations: &[&str]) -> Result<(), RiddleError> {
        let migrated = async {
            let mut tx = self.begin().await?;
            let done = migrate_in(&mut tx, migrations).await;
            tx.end(done).await
        };
        let found = migrated.await.map_err(self.explain("opened"))?;
        let known = migrations.len() as u64;
        if found > known {
            let message = format!(
                "it has tables of version {found}, and this program knows versions up to {known}: run \
                 it with a newer ddg-agentic"
            );
            return Err(RiddleError::Store { store: self.name.clone(), action: "opened", message });
        }
        Ok(())
    }
}

/// Returns the version that was found.
async fn migrate_in<T: Transaction>(tx: &mut T, migrations: &[&str]) -> Result<u64, Failed> {
    let create = "create table if not exists ddg_riddle_schema (version bigint not null)";
    tx.script(create).await?;
    let found = first(tx.rows("select version from ddg_riddle_schema", &[]).await?);
    let found = found.map(|mut row| row.unsigned()).transpose()?.unwrap_or(0);
    let known = migrations.len() as u64;
    if found >= known {
        return Ok(found);
    }
    for migration in migrations.iter().skip(found as usize) {
        tx.script(migration).await?;
    }
    tx.script("delete from ddg_riddle_schema").await?;
    tx.script(&format!("insert into ddg_riddle_schema (version) values ({known})")).await?;
    Ok(found)
}
