//! The row of a run.

use super::dialect::{Row, Transaction, Transacts};
use super::{Failed, SqlStore};
use crate::checkpoint::journal::End;
use crate::checkpoint::lease::Hold;
use crate::checkpoint::{ForkedFrom, Owner, RunId, RunRecord, RunStatus, StoreError};
use crate::clock::from_ms;

/// The row of a run, locked by the transaction that read it.
pub(super) struct Locked {
    /// The key of the run in other tables.
    pub(super) id: i64,
    pub(super) status: RunStatus,
    pub(super) created: i64,
    pub(super) due: Option<i64>,
    /// Whether it is inside another run.
    pub(super) is_inner: bool,
    /// The names of the signals that it waits for.
    pub(super) awaits: Vec<String>,
    pub(super) n_signals: u64,
    /// Whether it may have results.
    pub(super) has_results: bool,
    pub(super) end: End,
    pub(super) hold: Hold,
    /// The time at which it was read.
    pub(super) now_ms: i64,
}

impl<D: Transacts> SqlStore<D> {
    /// Locks the row of a run.
    pub(super) async fn lock(
        &self,
        tx: &mut D::Transaction,
        run: &RunId,
    ) -> Result<Locked, Failed> {
        let sql = format!(
            "select {}, id, status, created, due, is_inner, awaits, n_signals, has_results, step, full_step, \
                    {HOLD} \
             from ddg_runs where run = $1{}",
            self.now_column(),
            D::LOCKED
        );
        let found = tx.rows(&sql, &[run.as_str().into()]).await?;
        let Some(mut row) = found.into_iter().next() else { return Err(unknown(run)) };
        Ok(Locked {
            now_ms: self.now_in(&mut row)?,
            id: row.int()?,
            status: status(&mut row)?,
            created: row.int()?,
            due: row.int_or_null()?,
            is_inner: row.int()? != 0,
            awaits: names(&mut row)?,
            n_signals: row.unsigned()?,
            has_results: row.int()? != 0,
            end: End { step: row.unsigned_or_null()?, full: row.unsigned_or_null()? },
            hold: hold(&mut row)?,
        })
    }
}

/// The columns that [`hold`] reads.
const HOLD: &str = "token, owner, process, held_until, attempts";

/// The columns that [`record`] reads.
pub(super) const RECORD: &str = "run, automa, origin, origin_step, status, created, updated, step, \
                                 due, is_inner, awaits, n_signals, reason, \
                                 token, owner, process, held_until, attempts";

pub(super) fn record(mut row: Row, now_ms: i64) -> Result<RunRecord, sqlx::Error> {
    let run = run_id(row.text()?)?;
    let automa = row.text()?;
    let origin = match (row.text_or_null()?, row.unsigned_or_null()?) {
        (Some(run), Some(step)) => Some(ForkedFrom { run: run_id(run)?, step }),
        _ => None,
    };
    let status = status(&mut row)?;
    let (created, updated) = (from_ms(row.int()?), from_ms(row.int()?));
    let step = row.unsigned_or_null()?;
    let due = row.int_or_null()?.filter(|_| status == RunStatus::Paused);
    let inner = row.int()? != 0;
    let (awaits, n_signals, reason) = (names(&mut row)?, row.unsigned()?, row.text_or_null()?);
    let hold = hold(&mut row)?;
    Ok(RunRecord {
        run,
        automa,
        origin,
        status,
        created,
        updated,
        step,
        holder: hold.holder(now_ms),
        wake_at: due.map(from_ms),
        awaits,
        inner,
        n_signals,
        attempts: hold.attempts,
        reason,
    })
}

fn hold(row: &mut Row) -> Result<Hold, sqlx::Error> {
    let token = row.unsigned()?;
    let (name, process) = (row.text_or_null()?, row.text_or_null()?);
    let owner = name.map(|name| Owner::kept(name, process));
    Ok(Hold { token, owner, until_ms: row.int()?, attempts: row.unsigned()? })
}

fn status(row: &mut Row) -> Result<RunStatus, sqlx::Error> {
    row.text()?.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Reads a list of names.
fn names(row: &mut Row) -> Result<Vec<String>, sqlx::Error> {
    let json = row.text()?;
    // Nearly every run waits for no signal.
    if json == "[]" {
        return Ok(Vec::new());
    }
    serde_json::from_str(&json).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn run_id(text: String) -> Result<RunId, sqlx::Error> {
    RunId::new(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn unknown(run: &RunId) -> Failed {
    StoreError::UnknownRun { run: run.clone() }.into()
}
