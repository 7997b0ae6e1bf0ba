//! The row of a run.

use super::dialect::{Dialect, Row, Transaction};
use super::{Failed, SqlStore};
use crate::checkpoint::clock::from_ms;
use crate::checkpoint::journal::End;
use crate::checkpoint::lease::Hold;
use crate::checkpoint::{ForkedFrom, Owner, RunId, RunRecord, StoreError};

/// The row of a run, locked by the transaction that read it.
pub(super) struct Locked {
    /// The key of the run in other tables.
    pub(super) id: i64,
    pub(super) end: End,
    pub(super) hold: Hold,
}

impl<D: Dialect> SqlStore<D> {
    /// Locks the row of a run.
    pub(super) async fn lock(
        &self,
        tx: &mut D::Transaction,
        run: &RunId,
    ) -> Result<Locked, Failed> {
        let sql = format!(
            "select id, step, full_step, token, owner, process, held_until \
             from ddg_runs where run = $1{}",
            D::LOCKED
        );
        let found = tx.rows(&sql, &[run.as_str().into()]).await?;
        let Some(mut row) = found.into_iter().next() else { return Err(unknown(run)) };
        Ok(Locked {
            id: row.int()?,
            end: End { step: row.unsigned_or_null()?, full: row.unsigned_or_null()? },
            hold: hold(&mut row)?,
        })
    }
}

/// The columns that [`record`] reads.
pub(super) const RECORD: &str = "run, automa, origin, origin_step, status, created, updated, step, \
                                 token, owner, process, held_until";

pub(super) fn record(mut row: Row, now_ms: i64) -> Result<RunRecord, sqlx::Error> {
    Ok(RunRecord {
        run: run_id(row.text()?)?,
        automa: row.text()?,
        origin: match (row.text_or_null()?, row.unsigned_or_null()?) {
            (Some(run), Some(step)) => Some(ForkedFrom { run: run_id(run)?, step }),
            _ => None,
        },
        status: row.text()?.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        created: from_ms(row.int()?),
        updated: from_ms(row.int()?),
        step: row.unsigned_or_null()?,
        holder: hold(&mut row)?.holder(now_ms),
    })
}

/// Reads token, owner, process and held_until.
fn hold(row: &mut Row) -> Result<Hold, sqlx::Error> {
    let token = row.unsigned()?;
    let (name, process) = (row.text_or_null()?, row.text_or_null()?);
    let owner = name.map(|name| Owner::kept(name, process));
    Ok(Hold { token, owner, until_ms: row.int()? })
}

fn run_id(text: String) -> Result<RunId, sqlx::Error> {
    RunId::new(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn unknown(run: &RunId) -> Failed {
    StoreError::UnknownRun { run: run.clone() }.into()
}
