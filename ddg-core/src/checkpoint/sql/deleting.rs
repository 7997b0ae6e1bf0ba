//! Deletes runs. Foreign keys delete the rows of the other tables.

use std::time::Duration;

use super::dialect::{Dialect, Transaction};
use super::reading::passing;
use super::{Failed, SqlStore};
use crate::checkpoint::clock::millis;
use crate::checkpoint::{RunFilter, RunId};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn delete(&self, run: &RunId) -> Result<(), Failed> {
        let mut tx = self.database.write().await?;
        let done = async {
            let locked = self.lock(&mut tx, run).await?;
            locked.hold.is_free(run, self.clock.now_ms())?;
            tx.execute("delete from ddg_runs where id = $1", &[locked.id.into()]).await?;
            Ok(())
        };
        let done = done.await;
        tx.end(done).await
    }

    pub(super) async fn delete_older_than(
        &self,
        age: Duration,
        filter: &RunFilter,
    ) -> Result<u64, Failed> {
        let sql = format!(
            "delete from ddg_runs where id in (select id from ddg_runs \
             where ($1 is null or automa = $1) and ($2 is null or status = $2) \
             and updated <= $3 and held_until <= $4{})",
            D::LOCKED_IF_FREE
        );
        let now_ms = self.clock.now_ms();
        let before_ms = now_ms.saturating_sub(millis(age));
        let [automa, status] = passing(filter);
        let args = [automa, status, before_ms.into(), now_ms.into()];
        let mut tx = self.database.write().await?;
        let done = tx.execute(&sql, &args).await.map_err(Failed::from);
        tx.end(done).await
    }
}
