//! Signals in a database, and its time.

use std::time::SystemTime;

use futures::FutureExt;

use super::dialect::{Transaction, Transacts, int};
use super::row::{Locked, unknown};
use super::{Failed, SqlStore};
use crate::checkpoint::{Arrival, RunId, RunStatus, SignalRecord};
use crate::clock::from_ms;

impl<D: Transacts> SqlStore<D> {
    pub(super) async fn signal(&self, run: &RunId, name: &str, body: &[u8]) -> Result<(), Failed> {
        let args = (run.clone(), name.to_owned(), body.to_vec());
        self.transact(Arrival::FIRST, args, |store, tx, (run, name, body)| {
            store.add_signal(tx, run, name, body).boxed()
        })
        .await
    }

    async fn add_signal(
        &self,
        tx: &mut D::Transaction,
        run: &RunId,
        name: &str,
        body: &[u8],
    ) -> Result<(), Failed> {
        let Locked { id, n_signals, due, is_inner, awaits, now_ms, status, .. } =
            self.lock(tx, run).await?;
        let number = int(n_signals + 1)?;
        let sql = "insert into ddg_signals (run, number, name, body) values ($1, $2, $3, $4)";
        tx.execute(sql, &[id.into(), number.into(), name.into(), body.into()]).await?;
        let wakes = status == RunStatus::Paused
            && !is_inner
            && awaits.iter().any(|awaited| awaited == name);
        let due = if wakes { Some(due.map_or(now_ms, |due| due.min(now_ms))) } else { due };
        let sql = "update ddg_runs set n_signals = $2, due = $3 where id = $1";
        tx.execute(sql, &[id.into(), number.into(), due.into()]).await?;
        Ok(())
    }

    pub(super) async fn signals(
        &self,
        run: &RunId,
        after: u64,
    ) -> Result<Vec<SignalRecord>, Failed> {
        let sql = "select s.number, s.name, s.body from ddg_runs r \
                   left join ddg_signals s on s.run = r.id and s.number > $2 \
                   where r.run = $1 order by 1";
        // No larger number can have been stored.
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = self.database.read(sql, &[run.as_str().into(), after.into()]).await?;
        if rows.is_empty() {
            return Err(unknown(run));
        }
        let mut signals = Vec::new();
        for mut row in rows {
            // A run without signals is one row of nulls.
            if let Some(number) = row.unsigned_or_null()? {
                signals.push(SignalRecord { number, name: row.text()?, body: row.bytes()? });
            }
        }
        Ok(signals)
    }

    /// The time by which leases expire.
    pub(super) async fn time(&self) -> Result<SystemTime, Failed> {
        let Some(now) = self.server_time() else { return Ok(from_ms(self.clock.now_ms())) };
        let rows = self.database.read(&format!("select {now}"), &[]).await?;
        let row = rows.into_iter().next();
        let now_ms = row.map(|mut row| row.int()).transpose()?;
        Ok(from_ms(now_ms.unwrap_or_else(|| self.clock.now_ms())))
    }
}
