//! Deletes runs. Foreign keys delete the rows of the other tables.

use std::time::Duration;

use futures::FutureExt;

use super::dialect::{Transaction, Transacts};
use super::reading::Where;
use super::{Failed, SqlStore};
use crate::checkpoint::{Arrival, RunFilter, RunId};
use crate::clock::in_sql;

impl<D: Transacts> SqlStore<D> {
    pub(super) async fn delete(&self, run: &RunId) -> Result<(), Failed> {
        self.transact(Arrival::next(), run.clone(), |store, tx, run| {
            store.delete_in(tx, run).boxed()
        })
        .await
    }

    async fn delete_in(&self, tx: &mut D::Transaction, run: &RunId) -> Result<(), Failed> {
        let locked = self.lock(tx, run).await?;
        locked.hold.is_free(run, locked.now_ms)?;
        tx.execute("delete from ddg_runs where id = $1", &[locked.id.into()]).await?;
        Ok(())
    }

    pub(super) async fn delete_older_than(
        &self,
        age: Duration,
        filter: &RunFilter,
    ) -> Result<u64, Failed> {
        self.transact(Arrival::next(), (age, filter.clone()), |store, tx, (age, filter)| {
            store.delete_old(tx, *age, filter).boxed()
        })
        .await
    }

    async fn delete_old(
        &self,
        tx: &mut D::Transaction,
        age: Duration,
        filter: &RunFilter,
    ) -> Result<u64, Failed> {
        let mut passing = Where::default();
        let now = self.now(&mut passing.args);
        passing.filter(filter, &now);
        passing.args.push(in_sql(age).into());
        let sql = format!(
            "delete from ddg_runs where id in (select id from ddg_runs \
             where {} updated <= {now} - ${} and held_until <= {now}{})",
            passing.conditions,
            passing.args.len(),
            D::LOCKED_IF_FREE
        );
        Ok(tx.execute(&sql, &passing.args).await?)
    }
}
