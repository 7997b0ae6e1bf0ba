//! Reads from a database.

use std::collections::BTreeMap;

use super::dialect::{Arg, Dialect, Row, int};
use super::row::{RECORD, record, unknown};
use super::writing::{FULL, RESULT};
use super::{Failed, SqlStore};
use crate::checkpoint::clock::{from_ms, to_ms};
use crate::checkpoint::{
    Checkpoint, Page, RunFilter, RunId, RunRecord, RunStatus, StepRecord, StoreError,
};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn latest(&self, run: &RunId) -> Result<Option<Checkpoint>, Failed> {
        let sql = format!(
            "select s.kind, s.step, s.body from ddg_states s join ddg_runs r on r.id = s.run \
             where r.run = $1 and s.step >= r.full_step \
             union all \
             select cast({RESULT} as bigint), p.kickoff, p.body \
             from ddg_results p join ddg_runs r on r.id = p.run where r.run = $1 \
             order by 1, 2"
        );
        let rows = self.database.read(&sql, &[run.as_str().into()]).await?;
        let found = checkpoint(rows)?;
        if found.is_none() {
            self.find(run).await?;
        }
        Ok(found)
    }

    pub(super) async fn at(&self, run: &RunId, step: u64) -> Result<Checkpoint, Failed> {
        let sql = format!(
            "with r as (select id, step from ddg_runs where run = $1), \
             whole as (select max(s.step) as step from ddg_states s join r on r.id = s.run \
                       where s.kind = {FULL} and s.step <= $2) \
             select s.kind, s.step, s.body from ddg_states s join r on r.id = s.run \
             where s.step between (select step from whole) and $2 \
             union all \
             select cast({RESULT} as bigint), p.kickoff, p.body \
             from ddg_results p join r on r.id = p.run where r.step = $2 \
             order by 1, 2"
        );
        let rows = self.database.read(&sql, &[run.as_str().into(), int(step)?.into()]).await?;
        match checkpoint(rows)? {
            Some(found) if found.step == step => Ok(found),
            _ => {
                let last = self.find(run).await?.step;
                Err(StoreError::UnknownStep { run: run.clone(), step, last }.into())
            }
        }
    }

    pub(super) async fn steps(&self, run: &RunId) -> Result<Vec<StepRecord>, Failed> {
        let sql = "select s.step, s.written, cast(length(s.body) as bigint) \
                   from ddg_states s join ddg_runs r on r.id = s.run where r.run = $1 order by 1";
        let rows = self.database.read(sql, &[run.as_str().into()]).await?;
        if rows.is_empty() {
            self.find(run).await?;
        }
        let steps = rows.into_iter().map(|mut row| {
            let (step, written) = (row.unsigned()?, from_ms(row.int()?));
            Ok(StepRecord { step, written, n_bytes: row.unsigned()? })
        });
        Ok(steps.collect::<Result<_, sqlx::Error>>()?)
    }

    pub(super) async fn find(&self, run: &RunId) -> Result<RunRecord, Failed> {
        let sql = format!("select {RECORD} from ddg_runs where run = $1");
        let rows = self.database.read(&sql, &[run.as_str().into()]).await?;
        let Some(row) = rows.into_iter().next() else { return Err(unknown(run)) };
        Ok(record(row, self.clock.now_ms())?)
    }

    pub(super) async fn list(
        &self,
        filter: &RunFilter,
        page: &Page,
    ) -> Result<Vec<RunRecord>, Failed> {
        let sql = format!(
            "select {RECORD} from ddg_runs \
             where ($1 is null or automa = $1) and ($2 is null or status = $2) \
             and ($3 is null or (created, run) < ($3, $4)) \
             order by created desc, run desc limit $5"
        );
        let after = page.after.as_ref();
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
        let [automa, status] = passing(filter);
        let args = [
            automa,
            status,
            Arg::Int(after.map(|place| to_ms(place.created))),
            Arg::Text(after.map(|place| place.run.as_str())),
            limit.into(),
        ];
        let rows = self.database.read(&sql, &args).await?;
        let now_ms = self.clock.now_ms();
        let records = rows.into_iter().map(|row| record(row, now_ms));
        Ok(records.collect::<Result<_, _>>()?)
    }
}

/// The arguments of `($1 is null or automa = $1) and ($2 is null or status = $2)`.
pub(super) fn passing(filter: &RunFilter) -> [Arg<'_>; 2] {
    let RunFilter { automa, status } = filter;
    [Arg::Text(automa.as_deref()), Arg::Text(status.map(RunStatus::as_str))]
}

/// Builds a checkpoint from rows of kind, step or kickoff, and body: the whole state first, then
/// the changes in order, then the results.
fn checkpoint(rows: Vec<Row>) -> Result<Option<Checkpoint>, sqlx::Error> {
    let mut found: Option<Checkpoint> = None;
    for mut row in rows {
        let (kind, number, body) = (row.int()?, row.unsigned()?, row.bytes()?);
        match &mut found {
            None => {
                let (step, full) = (number, body);
                found = Some(Checkpoint { step, full, changes: vec![], results: BTreeMap::new() });
            }
            Some(found) if kind == RESULT => {
                found.results.insert(number, body);
            }
            Some(found) => {
                found.step = number;
                found.changes.push(body);
            }
        }
    }
    Ok(found)
}
