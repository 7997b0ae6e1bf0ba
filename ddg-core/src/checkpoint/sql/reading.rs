//! Reads from a database.

use std::collections::BTreeMap;

use super::dialect::{Arg, Row, Transacts, int};
use super::row::{RECORD, record, unknown};
use super::writing::{FULL, RESULT};
use super::{Failed, SqlStore};
use crate::checkpoint::{
    Checkpoint, Cursor, Owner, Page, RunFilter, RunId, RunRecord, RunStatus, StepRecord, StoreError,
};
use crate::clock::{from_ms, to_ms};

impl<D: Transacts> SqlStore<D> {
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
        let sql = format!("select {}, {RECORD} from ddg_runs where run = $1", self.now_column());
        let rows = self.database.read(&sql, &[run.as_str().into()]).await?;
        let Some(mut row) = rows.into_iter().next() else { return Err(unknown(run)) };
        let now_ms = self.now_in(&mut row)?;
        Ok(record(row, now_ms)?)
    }

    pub(super) async fn list(
        &self,
        filter: &RunFilter,
        page: &Page,
    ) -> Result<Vec<RunRecord>, Failed> {
        let mut found = Vec::new();
        let mut after = page.after.clone();
        // Whether a lease is held may depend on a process of this machine, which the database does
        // not know. So a page of rows may be less than a page of runs.
        while found.len() < page.limit {
            let n_wanted = page.limit - found.len();
            let rows = self.rows_after(filter, page.oldest_first, after.as_ref(), n_wanted).await?;
            let is_last = rows.len() < n_wanted;
            for mut row in rows {
                let now_ms = self.now_in(&mut row)?;
                let record = record(row, now_ms)?;
                after = Some(Cursor { created: record.created, run: record.run.clone() });
                if filter.passes(&record, from_ms(now_ms)) {
                    found.push(record);
                }
            }
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// The next `n` rows whose runs may pass the filter.
    async fn rows_after(
        &self,
        filter: &RunFilter,
        oldest_first: bool,
        after: Option<&Cursor>,
        n: usize,
    ) -> Result<Vec<Row>, Failed> {
        let mut passing = Where::default();
        let now = self.now(&mut passing.args);
        let this_process = Owner::this_process();
        passing.filter(filter, &now);
        if filter.unheld || filter.due {
            passing.unheld(&now, this_process.process());
        }
        let (direction, later) = if oldest_first { ("asc", ">") } else { ("desc", "<") };
        if let Some(Cursor { created, run }) = after {
            let (created, run) = (passing.arg(to_ms(*created)), passing.arg(run.as_str()));
            passing.and(format!("(created, run) {later} ({created}, {run})"));
        }
        // Few runs are to be continued, so they are found by their time and sorted afterwards.
        let created = if filter.due { "+created" } else { "created" };
        let limit = passing.arg(i64::try_from(n).unwrap_or(i64::MAX));
        let sql = format!(
            "select {}, {RECORD} from ddg_runs where {} 1 = 1 \
             order by {created} {direction}, run {direction} limit {limit}",
            self.now_column(),
            passing.conditions
        );
        Ok(self.database.read(&sql, &passing.args).await?)
    }
}

/// Conditions of a statement, each followed by `and`, and their arguments.
#[derive(Default)]
pub(super) struct Where<'a> {
    pub(super) conditions: String,
    pub(super) args: Vec<Arg<'a>>,
}

impl<'a> Where<'a> {
    fn and(&mut self, condition: impl AsRef<str>) {
        self.conditions.push_str(condition.as_ref());
        self.conditions.push_str(" and ");
    }

    /// Adds an argument, and returns its placeholder.
    fn arg(&mut self, arg: impl Into<Arg<'a>>) -> String {
        self.args.push(arg.into());
        format!("${}", self.args.len())
    }

    /// Adds what the filter asks for, as far as the row of a run shows it.
    pub(super) fn filter(&mut self, filter: &'a RunFilter, now: &str) {
        let RunFilter { automa, status, unheld: _, due } = filter;
        if let Some(automa) = automa {
            let automa = self.arg(automa.as_str());
            self.and(format!("automa = {automa}"));
        }
        if let Some(status) = status {
            let status = self.arg(RunStatus::as_str(*status));
            self.and(format!("status = {status}"));
        }
        if *due {
            self.and(format!("due is not null and due <= {now}"));
        }
    }

    /// Leaves out runs that are held for sure: by this process, or by an owner that is no process.
    fn unheld(&mut self, now: &str, this_process: Option<&'a str>) {
        let by_another = match this_process {
            Some(process) => format!("process <> {}", self.arg(process)),
            None => "process is not null".to_owned(),
        };
        self.and(format!("(held_until <= {now} or owner is null or {by_another})"));
    }
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
