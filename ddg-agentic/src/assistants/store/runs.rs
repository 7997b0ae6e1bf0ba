//! Rows of runs, and their transitions.

use ddg_core::__store::{Arg, Row, Transaction};

use super::database::Transact;
use super::items::Added;
use super::listing::List;
use super::threads::{ThreadRows, active_run, lock_thread};
use super::transition::{Items, Rows};
use super::{AssistantStore, During};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Metadata, Page, Run, RunStatus, Thread};
use crate::assistants::params::Paging;
use crate::assistants::rule::{Changes, ItemRow, RunSettings, RunState, Surface};

/// A run as it was read.
#[derive(Clone, Debug)]
pub(in crate::assistants) struct RunRow {
    pub(in crate::assistants) tenant: String,
    pub(in crate::assistants) settings: RunSettings,
    pub(in crate::assistants) state: RunState,
    pub(in crate::assistants) version: i64,
}

/// A run that is added.
pub(in crate::assistants) struct NewRun<'a> {
    pub(in crate::assistants) tenant: &'a str,
    pub(in crate::assistants) settings: &'a RunSettings,
    pub(in crate::assistants) state: &'a RunState,
    pub(in crate::assistants) changes: &'a Changes,
    /// Items that come with the run.
    pub(in crate::assistants) items: &'a [ItemRow],
    pub(in crate::assistants) thread: NewThread<'a>,
}

/// The thread of a run that is added.
pub(in crate::assistants) enum NewThread<'a> {
    /// One that exists.
    Existing,
    /// One that is added with it.
    Added(&'a Thread, &'a [ItemRow]),
    /// None: a response without a conversation.
    Without,
}

/// A run that somebody has to drive.
pub(in crate::assistants) struct Due {
    pub(in crate::assistants) id: String,
    pub(in crate::assistants) status: RunStatus,
    pub(in crate::assistants) expires_at: i64,
}

/// Whether a transition was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(in crate::assistants) enum Written {
    /// All of it.
    Yes,
    /// Nothing, because the run has changed since it was read.
    Outdated,
}

/// A run that is added, as its columns.
struct Insertion {
    tenant: String,
    id: String,
    thread: String,
    /// Whether the thread exists.
    exists: bool,
    new_thread: Option<ThreadRows>,
    is_response: bool,
    status: RunStatus,
    expires_at: i64,
    is_kept: bool,
    previous: Option<String>,
    created_at: i64,
    settings: String,
    state: String,
    items: Items,
    rows: Rows,
}

impl Transact for Insertion {
    type Output = Added;

    async fn act<T: Transaction>(
        &self,
        tx: &mut T,
        locked: &'static str,
    ) -> Result<Added, sqlx::Error> {
        if self.exists && lock_thread(tx, locked, &self.tenant, &self.thread).await?.is_none() {
            return Ok(Added::NoThread);
        }
        let args = [
            self.id.as_str().into(),
            self.tenant.as_str().into(),
            self.thread.as_str().into(),
            i64::from(self.is_response).into(),
            self.status.as_str().into(),
            self.expires_at.into(),
            i64::from(self.is_kept).into(),
            Arg::Text(self.previous.as_deref()),
            self.created_at.into(),
            self.settings.as_str().into(),
            self.state.as_str().into(),
        ];
        let sql = "insert into ddg_thread_runs \
                   (id, tenant, thread, is_response, status, active, expires, version, kept, previous, \
                    changed, settings, state) \
                   values ($1, $2, $3, $4, $5, 1, $6, 1, $7, $8, $9, $10, $11) on conflict do nothing";
        if tx.execute(sql, &args).await? == 0 {
            return Ok(Added::Busy(active_run(tx, &self.thread).await?.unwrap_or_default()));
        }
        if let Some(thread) = &self.new_thread {
            thread.put(tx, &self.tenant).await?;
        }
        self.items.put(tx, &self.thread, Some(&self.id)).await?;
        self.rows.put(tx, &self.thread, &self.id).await?;
        Ok(Added::Yes)
    }
}

/// A transition, as the columns that it changes.
struct Transition {
    id: String,
    thread: String,
    version: i64,
    status: RunStatus,
    expires_at: i64,
    now: i64,
    state: String,
    rows: Rows,
}

impl Transact for Transition {
    type Output = Written;

    async fn act<T: Transaction>(
        &self,
        tx: &mut T,
        _: &'static str,
    ) -> Result<Written, sqlx::Error> {
        let sql = "update ddg_thread_runs set state = $1, status = $2, active = $3, expires = $4, \
                   changed = $5, version = version + 1 where id = $6 and version = $7";
        let args = [
            self.state.as_str().into(),
            self.status.as_str().into(),
            i64::from(!self.status.is_terminal()).into(),
            self.expires_at.into(),
            self.now.into(),
            self.id.as_str().into(),
            self.version.into(),
        ];
        if tx.execute(sql, &args).await? == 0 {
            return Ok(Written::Outdated);
        }
        self.rows.put(tx, &self.thread, &self.id).await?;
        Ok(Written::Yes)
    }
}

const COLUMNS: &str = "tenant, version, settings, state";
const READ: &str = "read a run";

/// In the order of the index of active runs: in that of the table, SQLite would read all runs.
const DUE: &str = "select id, status, expires from ddg_thread_runs \
                   where active = 1 and (status <> 'requires_action' or expires <= $1) \
                   order by expires, seq";

/// Two conditions with an index each: with both in one, SQLite would read all runs.
const ENDED: &str = "select id from ddg_thread_runs where active = 0 and kept = 0 \
                     union select id from ddg_thread_runs where active = 0 and changed < $1";

impl AssistantStore {
    /// Adds a run. `None` if the thread does not exist.
    ///
    /// # Errors
    /// If another run of the thread is active.
    pub(in crate::assistants) async fn insert_run(
        &self,
        run: NewRun<'_>,
    ) -> Result<Option<()>, AssistantsError> {
        let action = "create a run";
        let NewRun { tenant, settings, state, changes, items, thread } = run;
        let own = settings.response.as_ref();
        let (exists, new_thread) = match thread {
            NewThread::Existing => (true, None),
            NewThread::Added(thread, items) => {
                (false, Some(ThreadRows::of(thread, items, action)?))
            }
            NewThread::Without => (false, None),
        };
        let insertion = Insertion {
            tenant: tenant.to_owned(),
            id: state.id.clone(),
            thread: state.thread.clone(),
            exists,
            new_thread,
            is_response: settings.surface == Surface::Response,
            status: state.status,
            expires_at: state.expires_at,
            is_kept: own.is_none_or(|own| own.store),
            previous: own.and_then(|own| own.previous_response_id.clone()),
            created_at: state.created_at,
            settings: serde_json::to_string(settings).during(action)?,
            state: serde_json::to_string(state).during(action)?,
            items: Items::of(items, action)?,
            rows: Rows::of(changes, action)?,
        };
        match self.database.transact(action, insertion).await? {
            Added::Yes => Ok(Some(())),
            Added::NoThread => Ok(None),
            Added::Busy(run) => {
                let thread = &state.thread;
                let message = format!("Thread {thread} already has an active run {run}.");
                Err(AssistantsError::Busy { message })
            }
        }
    }

    /// Writes a transition with its rows and events, if the run has not changed since it was read.
    pub(in crate::assistants) async fn write_run(
        &self,
        row: &RunRow,
        changes: &Changes,
        now: i64,
    ) -> Result<Written, AssistantsError> {
        let action = "write a run";
        let RunRow { state, version, .. } = row;
        let transition = Transition {
            id: state.id.clone(),
            thread: state.thread.clone(),
            version: *version,
            status: state.status,
            expires_at: state.expires_at,
            now,
            state: serde_json::to_string(state).during(action)?,
            rows: Rows::of(changes, action)?,
        };
        self.database.transact(action, transition).await
    }

    /// A run of any tenant.
    pub(in crate::assistants) async fn run(
        &self,
        id: &str,
    ) -> Result<Option<RunRow>, AssistantsError> {
        let sql = format!("select {COLUMNS} from ddg_thread_runs where id = $1");
        let rows = self.database.read(&sql, &[id.into()]).await.during(READ)?;
        rows.into_iter().next().map(run_row).transpose()
    }

    /// Replaces the metadata of a run.
    pub(in crate::assistants) async fn set_run_metadata(
        &self,
        id: &str,
        metadata: Metadata,
    ) -> Result<Option<RunRow>, AssistantsError> {
        let action = "update a run";
        let mut write = self.database.write().await.during(action)?;
        let locked = write.locked();
        let sql = format!("select {COLUMNS} from ddg_thread_runs where id = $1{locked}");
        let rows = write.rows(&sql, &[id.into()]).await.during(action)?;
        let Some(mut row) = rows.into_iter().next().map(run_row).transpose()? else {
            return Ok(None);
        };
        row.settings.metadata = metadata;
        row.version += 1;
        let settings = serde_json::to_string(&row.settings).during(action)?;
        let sql = "update ddg_thread_runs set settings = $1, version = version + 1 where id = $2";
        write.execute(sql, &[settings.as_str().into(), id.into()]).await.during(action)?;
        write.commit().await.during(action)?;
        Ok(Some(row))
    }

    /// A page of the runs of a thread.
    pub(in crate::assistants) async fn run_page(
        &self,
        thread: &str,
        paging: &Paging,
    ) -> Result<Page<Run>, AssistantsError> {
        let (filter, args) = ("thread = $1 and is_response = 0", vec![thread.into()]);
        let list = List { table: "ddg_thread_runs", columns: COLUMNS, filter, args };
        let (rows, has_more) = self.page(list, paging).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (id, row) in rows {
            let row = run_row(row)?;
            found.push((id, row.state.run(&row.settings)));
        }
        Ok(Page::new(found, has_more))
    }

    /// The ids of runs that somebody has to drive: those that are active, except those that wait
    /// for their client and have not expired at `now`.
    pub(in crate::assistants) async fn due_runs(
        &self,
        now: i64,
    ) -> Result<Vec<Due>, AssistantsError> {
        let action = "look for runs that are ready";
        let rows = self.database.read(DUE, &[now.into()]).await.during(action)?;
        let mut due = Vec::with_capacity(rows.len());
        for mut row in rows {
            let id = row.text().during(action)?;
            let status = row.text().during(action)?;
            let status = serde_json::from_value(status.into()).during(action)?;
            due.push(Due { id, status, expires_at: row.int().during(action)? });
        }
        Ok(due)
    }

    /// The ids of ended runs that are not kept, or have not changed since `before`.
    pub(in crate::assistants) async fn ended_runs(
        &self,
        before: Option<i64>,
    ) -> Result<Vec<String>, AssistantsError> {
        let action = "look for ended runs";
        let before = before.unwrap_or(i64::MIN);
        let rows = self.database.read(ENDED, &[before.into()]).await.during(action)?;
        rows.into_iter().map(|mut row| row.text().during(action)).collect()
    }

    /// Deletes a run that has ended: its steps and events and, of a response, the items that no
    /// conversation shows. Responses that continue it continue the one before.
    pub(in crate::assistants) async fn delete_run(&self, id: &str) -> Result<(), AssistantsError> {
        let action = "delete a run";
        let mut write = self.database.write().await.during(action)?;
        for sql in [
            "update ddg_thread_runs set previous = \
             (select previous from ddg_thread_runs where id = $1) where previous = $1",
            "delete from ddg_thread_items where run = $1 and (visible = 0 or thread = $1)",
            "delete from ddg_run_events where run = $1",
            "delete from ddg_run_steps where run = $1",
            "delete from ddg_thread_runs where id = $1",
        ] {
            write.execute(sql, &[id.into()]).await.during(action)?;
        }
        write.commit().await.during(action)
    }
}

fn run_row(mut row: Row) -> Result<RunRow, AssistantsError> {
    let tenant = row.text().during(READ)?;
    let version = row.int().during(READ)?;
    let settings = serde_json::from_str(&row.text().during(READ)?).during(READ)?;
    let state = serde_json::from_str(&row.text().during(READ)?).during(READ)?;
    Ok(RunRow { tenant, settings, state, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is looked for again and again does not cost more when there are many runs.
    #[tokio::test]
    async fn the_runs_to_drive_and_to_delete_are_found_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = AssistantStore::open(folder.path().join("ddg.sqlite")).await.unwrap();
        for sql in [DUE, ENDED] {
            let plan = format!("explain query plan {sql}");
            for mut row in store.database.read(&plan, &[1.into()]).await.unwrap() {
                (0..3).for_each(|_| _ = row.int().unwrap());
                let step = row.text().unwrap();
                let reads_table = step.contains("ddg_thread_runs") && !step.contains("INDEX");
                let is_of_ended = step.starts_with("SCAN") && step.contains("_ended");
                assert!(!reads_table && !is_of_ended, "{sql}: {step}");
            }
        }
    }
}
