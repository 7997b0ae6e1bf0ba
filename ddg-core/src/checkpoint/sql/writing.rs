//! Appends entries to a journal.

use futures::FutureExt;

use super::dialect::{Arg, Transaction, Transacts, int};
use super::row::Locked;
use super::{Failed, SqlStore};
use crate::checkpoint::{Entry, EntryKind, Lease, Rest, RunStatus};
use crate::clock::{in_sql, to_ms};

/// The numbers of the kinds of entries in the database.
pub(super) const FULL: i64 = 0;
pub(super) const CHANGE: i64 = 1;
pub(super) const RESULT: i64 = 2;

impl<D: Transacts> SqlStore<D> {
    pub(super) async fn put(
        &self,
        lease: &Lease,
        status: RunStatus,
        entries: &[Entry],
    ) -> Result<(), Failed> {
        let args = (lease.clone(), status, entries.to_vec());
        self.transact(lease.arrival, args, |store, tx, (lease, status, entries)| {
            store.put_in(tx, lease, *status, entries).boxed()
        })
        .await
    }

    pub(super) async fn rest(
        &self,
        lease: &Lease,
        rest: &Rest,
        entries: &[Entry],
    ) -> Result<(), Failed> {
        let args = (lease.clone(), rest.clone(), entries.to_vec());
        self.transact(lease.arrival, args, |store, tx, (lease, rest, entries)| {
            store.append(tx, lease, rest, entries).boxed()
        })
        .await
    }

    async fn put_in(
        &self,
        tx: &mut D::Transaction,
        lease: &Lease,
        status: RunStatus,
        entries: &[Entry],
    ) -> Result<(), Failed> {
        if let (RunStatus::Running, [change]) = (status, entries)
            && change.kind == EntryKind::Change
            && self.put_change(tx, lease, change).await?
        {
            return Ok(());
        }
        self.append(tx, lease, &Rest::new(status), entries).await
    }

    /// Puts the change of a further step of a running run, which is what a run does after each of
    /// its steps: in two statements. Returns false, and has written nothing, if the run or the
    /// change is another.
    async fn put_change(
        &self,
        tx: &mut D::Transaction,
        lease: &Lease,
        change: &Entry,
    ) -> Result<bool, Failed> {
        let (step, token) = (int(change.step)?, int(lease.token)?);
        let mut args: Vec<Arg<'_>> = vec![lease.run.as_str().into(), token.into(), step.into()];
        args.push(RunStatus::Running.as_str().into());
        args.push(in_sql(lease.ttl).into());
        let now = self.now(&mut args);
        let sql = format!(
            "update ddg_runs set updated = {now}, held_until = {now} + $5, step = $3, attempts = 0 \
             where run = $1 and token = $2 and owner is not null and status = $4 \
             and full_step is not null and step < $3 and has_results = 0 \
             returning id, updated"
        );
        let found = tx.rows(&sql, &args).await?;
        let Some(mut row) = found.into_iter().next() else { return Ok(false) };
        let (id, written, body) = (row.int()?, row.int()?, change.body.as_slice());
        let state = [id.into(), step.into(), CHANGE.into(), written.into(), body.into()];
        insert(tx, &STATES, &[state]).await?;
        Ok(true)
    }

    pub(super) async fn append(
        &self,
        tx: &mut D::Transaction,
        lease: &Lease,
        rest: &Rest,
        entries: &[Entry],
    ) -> Result<(), Failed> {
        let locked = self.lock(tx, &lease.run).await?;
        locked.hold.admits(lease)?;
        let append = locked.end.append(&lease.run, entries)?;
        let (id, now_ms) = (locked.id, locked.now_ms);
        let step = append.end.step.map(int).transpose()?;
        let full = append.end.full.map(int).transpose()?;
        let awaits = match rest.awaits.as_slice() {
            [] => "[]".to_owned(),
            names => serde_json::to_string(names).map_err(|e| sqlx::Error::Encode(e.into()))?,
        };
        let due = self.due(tx, &locked, rest).await?;
        let keeps_results = append.states.is_empty() && locked.has_results;
        let has_results = keeps_results || !append.results.is_empty();
        let is_progress = !entries.is_empty() || rest.status != RunStatus::Running;
        let attempts = if is_progress { 0 } else { int(locked.hold.attempts)? };

        let sql = "update ddg_runs set status = $2, updated = $3, held_until = $4, \
                   step = $5, full_step = $6, due = $7, awaits = $8, reason = $9, \
                   has_results = $10, attempts = $11 where id = $1";
        let args = [
            id.into(),
            rest.status.as_str().into(),
            now_ms.into(),
            lease.until_ms(now_ms).into(),
            step.into(),
            full.into(),
            due.into(),
            awaits.as_str().into(),
            Arg::Text(rest.reason.as_deref()),
            i64::from(has_results).into(),
            attempts.into(),
        ];
        tx.execute(sql, &args).await?;

        // Results belong to the step after the last state, so a new state makes them obsolete.
        if !append.states.is_empty() && locked.has_results {
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

    /// When a run that rests so is to be continued.
    async fn due(
        &self,
        tx: &mut D::Transaction,
        locked: &Locked,
        rest: &Rest,
    ) -> Result<Option<i64>, Failed> {
        match rest.status {
            // If it is left, it is to be continued in the order of its arrival.
            _ if locked.is_inner => return Ok(None),
            RunStatus::Running => return Ok(Some(locked.created)),
            RunStatus::Paused => {}
            RunStatus::Finished | RunStatus::Failed | RunStatus::Cancelled => return Ok(None),
        }
        let wake_at = rest.wake_at.map(to_ms);
        if rest.awaits.is_empty() || locked.n_signals <= rest.seen {
            return Ok(wake_at);
        }
        let sql = "select distinct name from ddg_signals where run = $1 and number > $2";
        let unseen = tx.rows(sql, &[locked.id.into(), int(rest.seen)?.into()]).await?;
        for mut row in unseen {
            if rest.awaits.contains(&row.text()?) {
                return Ok(Some(wake_at.map_or(locked.now_ms, |at| at.min(locked.now_ms))));
            }
        }
        Ok(wake_at)
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
