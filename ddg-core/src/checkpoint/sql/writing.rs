//! Appends entries to a journal.

use super::dialect::{Arg, Dialect, Transaction, int};
use super::{Failed, SqlStore};
use crate::checkpoint::{Entry, EntryKind, Lease, RunStatus};

/// The numbers of the kinds of entries in the database.
pub(super) const FULL: i64 = 0;
pub(super) const CHANGE: i64 = 1;
pub(super) const RESULT: i64 = 2;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn put(
        &self,
        lease: &Lease,
        status: RunStatus,
        entries: &[Entry],
    ) -> Result<(), Failed> {
        let mut tx = self.database.write().await?;
        let done = self.append(&mut tx, lease, status, entries).await;
        tx.end(done).await
    }

    async fn append(
        &self,
        tx: &mut D::Transaction,
        lease: &Lease,
        status: RunStatus,
        entries: &[Entry],
    ) -> Result<(), Failed> {
        let locked = self.lock(tx, &lease.run).await?;
        locked.hold.admits(lease)?;
        let append = locked.end.append(&lease.run, entries)?;
        let (id, now_ms) = (locked.id, self.clock.now_ms());

        let sql = "update ddg_runs set status = $2, updated = $3, held_until = $4, \
                   step = $5, full_step = $6 where id = $1";
        let step = append.end.step.map(int).transpose()?;
        let full = append.end.full.map(int).transpose()?;
        let until_ms = lease.until_ms(now_ms);
        let args = [id.into(), status.as_str().into(), now_ms.into(), until_ms.into()];
        tx.execute(sql, &[&args[..], &[Arg::Int(step), Arg::Int(full)]].concat()).await?;

        // Results belong to the step after the last state, so a new state makes them obsolete.
        if !append.states.is_empty() {
            tx.execute("delete from ddg_results where run = $1", &[id.into()]).await?;
        }
        let states = append.states.into_iter().map(|entry| {
            let kind = if entry.kind == EntryKind::Full { FULL } else { CHANGE };
            let body = entry.body.as_slice();
            Ok([id.into(), int(entry.step)?.into(), kind.into(), now_ms.into(), body.into()])
        });
        let states = states.collect::<Result<Vec<_>, sqlx::Error>>()?;
        insert(tx, &STATES, &states).await?;
        let results = append.results.into_iter();
        let results =
            results.map(|(kickoff, body)| Ok([id.into(), int(kickoff)?.into(), body.into()]));
        let results = results.collect::<Result<Vec<_>, sqlx::Error>>()?;
        insert(tx, &RESULTS, &results).await?;
        Ok(())
    }
}

/// A table to insert into.
struct Table {
    into: &'static str,
    /// The clause that says what happens to an existing row.
    or: &'static str,
}

const STATES: Table = Table {
    into: "insert into ddg_states (run, step, kind, written, body)",
    or: "on conflict (run, step) do update \
         set kind = excluded.kind, written = excluded.written, body = excluded.body",
};

const RESULTS: Table = Table {
    into: "insert into ddg_results (run, kickoff, body)",
    or: "on conflict (run, kickoff) do update set body = excluded.body",
};

/// Inserts rows of `N` columns, many at a time.
async fn insert<T: Transaction, const N: usize>(
    tx: &mut T,
    table: &Table,
    mut rows: &[[Arg<'_>; N]],
) -> Result<(), sqlx::Error> {
    // The databases cache prepared statements by their text, so statements come in few sizes.
    for n_rows in [64, 8, 1] {
        while let Some((now, later)) = rows.split_at_checked(n_rows) {
            let values: Vec<_> = (0..n_rows).map(|row| placeholders::<N>(row * N)).collect();
            let sql = format!("{} values {} {}", table.into, values.join(", "), table.or);
            tx.execute(&sql, now.as_flattened()).await?;
            rows = later;
        }
    }
    Ok(())
}

/// Placeholders `($1, $2)` and so on, numbered after the first `before`.
fn placeholders<const N: usize>(before: usize) -> String {
    let all: Vec<_> = (before + 1..=before + N).map(|n| format!("${n}")).collect();
    format!("({})", all.join(", "))
}
