//! Rows of runs, and their transitions.

use ddg_core::__store::{Arg, Row};

use super::events::put_events;
use super::items::put_items;
use super::listing::List;
use super::steps::put_steps;
use super::threads::{active_run, insert_thread_in, lock_thread};
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

const COLUMNS: &str = "tenant, version, settings, state";
const READ: &str = "read a run";

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
        let mut write = self.database.write().await.during(action)?;
        match thread {
            NewThread::Existing => {
                if lock_thread(&mut write, tenant, &state.thread).await?.is_none() {
                    return Ok(None);
                }
            }
            NewThread::Added(thread, items) => {
                insert_thread_in(&mut write, tenant, thread, items).await?;
            }
            NewThread::Without => {}
        }
        let settings_text = serde_json::to_string(settings).during(action)?;
        let state_text = serde_json::to_string(state).during(action)?;
        let own = settings.response.as_ref();
        let args = [
            state.id.as_str().into(),
            tenant.into(),
            state.thread.as_str().into(),
            i64::from(settings.surface == Surface::Response).into(),
            state.status.as_str().into(),
            state.expires_at.into(),
            i64::from(own.is_none_or(|own| own.store)).into(),
            Arg::Text(own.and_then(|own| own.previous_response_id.as_deref())),
            state.created_at.into(),
            settings_text.as_str().into(),
            state_text.as_str().into(),
        ];
        let sql = "insert into ddg_thread_runs \
                   (id, tenant, thread, is_response, status, active, expires, version, kept, previous, \
                    changed, settings, state) \
                   values ($1, $2, $3, $4, $5, 1, $6, 1, $7, $8, $9, $10, $11) on conflict do nothing";
        if write.execute(sql, &args).await.during(action)? == 0 {
            let thread = &state.thread;
            let run = active_run(&mut write, thread).await?.unwrap_or_default();
            let message = format!("Thread {thread} already has an active run {run}.");
            return write.refuse(AssistantsError::Busy { message }).await;
        }
        put_items(&mut write, &state.thread, Some(&state.id), items).await?;
        put_events(&mut write, &state.id, &changes.events).await?;
        write.commit().await.during(action)?;
        Ok(Some(()))
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
        let text = serde_json::to_string(state).during(action)?;
        let mut write = self.database.write().await.during(action)?;
        let sql = "update ddg_thread_runs set state = $1, status = $2, active = $3, expires = $4, \
                   changed = $5, version = version + 1 where id = $6 and version = $7";
        let args = [
            text.as_str().into(),
            state.status.as_str().into(),
            i64::from(!state.status.is_terminal()).into(),
            state.expires_at.into(),
            now.into(),
            state.id.as_str().into(),
            (*version).into(),
        ];
        if write.execute(sql, &args).await.during(action)? == 0 {
            write.roll_back().await.during(action)?;
            return Ok(Written::Outdated);
        }
        put_items(&mut write, &state.thread, Some(&state.id), &changes.items).await?;
        put_steps(&mut write, &changes.steps).await?;
        put_events(&mut write, &state.id, &changes.events).await?;
        if changes.publish {
            let sql = "update ddg_thread_items set visible = 1 where run = $1";
            write.execute(sql, &[state.id.as_str().into()]).await.during(action)?;
        }
        write.commit().await.during(action)?;
        Ok(Written::Yes)
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
        let sql = "select id, status, expires from ddg_thread_runs \
                   where active = 1 and (status <> 'requires_action' or expires <= $1) order by seq";
        let rows = self.database.read(sql, &[now.into()]).await.during(action)?;
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
        let sql = "select id from ddg_thread_runs where active = 0 and (kept = 0 or changed < $1)";
        let before = before.unwrap_or(i64::MIN);
        let rows = self.database.read(sql, &[before.into()]).await.during(action)?;
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
