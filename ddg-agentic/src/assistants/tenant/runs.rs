//! Calls of runs and steps.

use super::Tenant;
use super::messages::message_of;
use crate::assistants::handle::StartedRun;
use crate::assistants::id::new_id;
use crate::assistants::object::{Metadata, Page, Run, RunStatus, RunStep};
use crate::assistants::params::{Paging, RunParams, ToolOutputParams, named_choice};
use crate::assistants::rule::{Changes, ItemRow, Kind, MemoryRule, Refused, RunSettings, RunState};
use crate::assistants::store::{NewRun, NewThread};
use crate::assistants::{AssistantsError, EventStream, drive};

impl Tenant {
    /// Runs an assistant on a thread. It runs in the background.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a run of the thread is active.
    pub async fn create_run(
        &self,
        thread: &str,
        params: RunParams,
    ) -> Result<StartedRun, AssistantsError> {
        self.thread(thread).await?;
        self.begin_run(thread, params, NewThread::Existing).await
    }

    /// Creates a thread and runs an assistant on it.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn create_thread_and_run(
        &self,
        mut params: RunParams,
    ) -> Result<StartedRun, AssistantsError> {
        // Checked before the thread is created.
        self.assistant(&params.assistant_id).await?;
        let thread = params.thread.take().unwrap_or_default();
        let (thread, items) = self.new_thread("thread", thread).await?;
        self.begin_run(&thread.id, params, NewThread::Added(&thread, &items)).await
    }

    async fn begin_run(
        &self,
        thread: &str,
        params: RunParams,
        new_thread: NewThread<'_>,
    ) -> Result<StartedRun, AssistantsError> {
        let assistant = self.assistant(&params.assistant_id).await?;
        self.check_files(&params.additional_messages)?;
        let settings =
            RunSettings::of_run(&params, &assistant, MemoryRule::of(&assistant.metadata)?);
        self.check_tools(&settings.tools).await?;
        check_choice(&settings)?;
        if self.inner.agents.contains_key(&settings.model) && !settings.tools.is_empty() {
            let message = format!(
                "The model '{}' is an agent of the server with tools of its own: leave 'tools' empty.",
                settings.model
            );
            return Err(AssistantsError::bad_param("tools", message));
        }
        let (id, now) = (new_id("run"), self.inner.now());
        let messages = params.additional_messages.into_iter();
        let messages = messages.map(|message| message_of(message, thread, Some(&id), now));
        let items: Vec<_> =
            messages.map(|message| ItemRow::visible(Kind::Message(message))).collect();
        let expires_at = now.saturating_add(self.run_expiry());
        let mut state = RunState::queued(&settings, id, thread.to_owned(), now, expires_at);
        let mut changes = Changes::default();
        let added = match &new_thread {
            NewThread::Added(thread, _) => Some(*thread),
            NewThread::Existing | NewThread::Without => None,
        };
        state.created(&settings, added, &mut changes);
        let run = NewRun {
            tenant: &self.name,
            settings: &settings,
            state: &state,
            changes: &changes,
            items: &items,
            thread: new_thread,
        };
        let inserted = self.inner.store.insert_run(run).await?;
        inserted.ok_or_else(|| AssistantsError::not_found("thread", thread))?;
        let events = EventStream::new(&self.inner, &state.id, 0);
        drive::spawn(&self.inner, &state.id);
        Ok(StartedRun { run: state.run(&settings), events })
    }

    pub(super) fn run_expiry(&self) -> i64 {
        i64::try_from(self.inner.settings.run_expiry.as_secs()).unwrap_or(i64::MAX)
    }

    /// A run of a thread.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn retrieve_run(&self, thread: &str, id: &str) -> Result<Run, AssistantsError> {
        let mut row = self.run_of(thread, id).await?;
        if row.state.status == RunStatus::RequiresAction && row.state.expires_at <= self.inner.now()
        {
            row = drive::expire(&self.inner, id).await?;
        }
        Ok(row.state.run(&row.settings))
    }

    /// Lists the runs of a thread.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn list_runs(
        &self,
        thread: &str,
        paging: &Paging,
    ) -> Result<Page<Run>, AssistantsError> {
        self.thread(thread).await?;
        self.inner.store.run_page(thread, paging).await
    }

    /// Replaces the metadata of a run. Without any, nothing changes.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn update_run(
        &self,
        thread: &str,
        id: &str,
        metadata: Option<Metadata>,
    ) -> Result<Run, AssistantsError> {
        let row = self.run_of(thread, id).await?;
        let row = match metadata {
            None => Some(row),
            Some(metadata) => self.inner.store.set_run_metadata(id, metadata).await?,
        };
        let row = row.ok_or_else(|| AssistantsError::not_found("run", id))?;
        Ok(row.state.run(&row.settings))
    }

    /// Cancels a run. A run that waits is cancelled at once; one that is at work is `cancelling`
    /// until it has stopped.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if the run has ended.
    pub async fn cancel_run(&self, thread: &str, id: &str) -> Result<Run, AssistantsError> {
        self.run_of(thread, id).await?;
        let row = drive::cancel(&self.inner, id).await?;
        Ok(row.state.run(&row.settings))
    }

    /// Submits the outputs of all calls that a run waits for. Of several submissions at once, one
    /// is accepted.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if the run does not wait, or outputs are missing, repeated
    /// or unknown.
    pub async fn submit_tool_outputs(
        &self,
        thread: &str,
        id: &str,
        outputs: Vec<ToolOutputParams>,
    ) -> Result<StartedRun, AssistantsError> {
        self.run_of(thread, id).await?;
        let mut from = 0;
        let row = drive::transition(&self.inner, id, |row, moment, changes| {
            if row.state.status == RunStatus::RequiresAction && row.state.expires_at <= moment.now {
                let message = format!("Run {id} has expired, and accepts no tool outputs.");
                return Err(AssistantsError::bad(message));
            }
            from = row.state.next_event;
            let submitted = row.state.submit(&row.settings, outputs.clone(), moment, changes);
            submitted
                .map_err(|Refused(message)| AssistantsError::bad_param("tool_outputs", message))
        });
        let row = row.await?;
        let events = EventStream::new(&self.inner, id, from);
        drive::spawn(&self.inner, id);
        Ok(StartedRun { run: row.state.run(&row.settings), events })
    }

    /// Lists the steps of a run.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn list_steps(
        &self,
        thread: &str,
        run: &str,
        paging: &Paging,
    ) -> Result<Page<RunStep>, AssistantsError> {
        self.run_of(thread, run).await?;
        self.inner.store.step_page(run, paging).await
    }

    /// A step of a run.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn step(
        &self,
        thread: &str,
        run: &str,
        id: &str,
    ) -> Result<RunStep, AssistantsError> {
        self.run_of(thread, run).await?;
        let found = self.inner.store.step(run, id).await?;
        found.ok_or_else(|| AssistantsError::not_found("run step", id))
    }
}

/// Checks that a tool that the model must call is one of the tools.
pub(super) fn check_choice(settings: &RunSettings) -> Result<(), AssistantsError> {
    if let Some(name) = named_choice(&settings.tool_choice)
        && !settings.tools.iter().any(|tool| tool.name() == name)
    {
        let message = format!("Invalid 'tool_choice': there is no tool '{name}'.");
        return Err(AssistantsError::bad_param("tool_choice", message));
    }
    if settings.tool_choice == "required" && settings.tools.is_empty() {
        let message = "Invalid 'tool_choice': a call is required, but there are no tools.";
        return Err(AssistantsError::bad_param("tool_choice", message));
    }
    Ok(())
}
