//! Forks a run.

use futures::FutureExt;

use super::dialect::{Row, Transaction, Transacts, int};
use super::writing::FULL;
use super::{Failed, SqlStore};
use crate::checkpoint::{Arrival, RunId, RunStatus, StoreError};

impl<D: Transacts> SqlStore<D> {
    pub(super) async fn fork(&self, run: &RunId, step: u64, fork: &RunId) -> Result<(), Failed> {
        self.transact(
            Arrival::next(),
            (run.clone(), step, fork.clone()),
            |store, tx, (run, step, fork)| store.copy(tx, run, *step, fork).boxed(),
        )
        .await
    }

    async fn copy(
        &self,
        tx: &mut D::Transaction,
        run: &RunId,
        step: u64,
        fork: &RunId,
    ) -> Result<(), Failed> {
        let parent = self.lock(tx, run).await?;
        let last = parent.end.step;
        let unknown_step = || StoreError::UnknownStep { run: run.clone(), step, last };
        // A step beyond the largest number of the database cannot have been stored.
        let step_idx = int(step).map_err(|_| unknown_step())?;

        let sql = format!(
            "select max(step), max(case when kind = {FULL} then step end) from ddg_states \
             where run = $1 and step <= $2"
        );
        let mut found = tx.rows(&sql, &[parent.id.into(), step_idx.into()]).await?;
        let (nearest, whole) = match found.as_mut_slice() {
            [row, ..] => (row.int_or_null()?, row.int_or_null()?),
            [] => (None, None),
        };
        let Some(whole) = whole.filter(|_| nearest == Some(step_idx)) else {
            return Err(unknown_step().into());
        };

        let sql = "insert into ddg_runs (run, automa, origin, origin_step, status, created, \
                                         updated, step, full_step, token, held_until, n_signals) \
                   select $2, automa, run, $3, $4, $5, $5, $3, $6, 0, 0, n_signals \
                   from ddg_runs where id = $1 \
                   on conflict (run) do nothing returning id";
        let status = RunStatus::Paused.as_str();
        let args = [fork.as_str().into(), step_idx.into(), status.into(), parent.now_ms.into()];
        let args = [&[parent.id.into()], &args[..], &[whole.into()]].concat();
        let id = match tx.rows(sql, &args).await?.as_mut_slice() {
            [row, ..] => Row::int(row)?,
            [] => return Err(StoreError::RunExists { run: fork.clone() }.into()),
        };

        let sql = "insert into ddg_states (run, step, kind, written, body) \
                   select $2, step, kind, written, body from ddg_states \
                   where run = $1 and step between $3 and $4";
        tx.execute(sql, &[parent.id.into(), id.into(), whole.into(), step_idx.into()]).await?;
        let sql = "insert into ddg_signals (run, number, name, body) \
                   select $2, number, name, body from ddg_signals where run = $1";
        tx.execute(sql, &[parent.id.into(), id.into()]).await?;
        if last == Some(step) {
            let sql = "insert into ddg_results (run, kickoff, body) \
                       select $2, kickoff, body from ddg_results where run = $1";
            tx.execute(sql, &[parent.id.into(), id.into()]).await?;
        }
        Ok(())
    }
}
