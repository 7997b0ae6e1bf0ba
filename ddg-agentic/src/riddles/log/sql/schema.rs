//! The tables of the log, and their version.

use ddg_core::__store::{Dialect, Transaction, migrate};

use super::{Failed, SqlLog};
use crate::riddles::error::RiddleError;

impl<D: Dialect> SqlLog<D> {
    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self, migrations: &[&str]) -> Result<(), RiddleError> {
        let migrated = async {
            let mut tx = self.begin().await?;
            let done = migrate(&mut tx, "ddg_riddle_schema", migrations).await;
            tx.end(done.map_err(Failed::from)).await
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
