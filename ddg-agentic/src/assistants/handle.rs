//! Runs and responses that have begun, as programs without HTTP use them.

use std::sync::Arc;

use super::builder::Inner;
use super::object::{Response, Run, RunStatus};
use super::params::ToolOutputParams;
use super::{AssistantsError, EventStream, Tenant, drive};

/// A run that was created or continued, and its events from that moment on.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartedRun {
    /// The run.
    pub run: Run,
    /// Its events.
    pub events: EventStream,
}

/// A response that was created, and its events.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartedResponse {
    /// The response.
    pub response: Response,
    /// Its events.
    pub events: EventStream,
}

/// A run of a tenant, by its id.
#[derive(Clone, Debug)]
pub struct RunView {
    tenant: Tenant,
    id: Arc<str>,
}

impl RunView {
    pub(super) fn new(tenant: Tenant, id: &str) -> Self {
        Self { tenant, id: id.into() }
    }

    /// The events with a number greater than `after`, or all of them.
    ///
    /// # Errors
    /// If the run does not exist.
    pub async fn events(&self, after: Option<u64>) -> Result<EventStream, AssistantsError> {
        self.tenant.run_row(&self.id).await?;
        let from = after.map_or(0, |after| after.saturating_add(1));
        Ok(EventStream::new(self.inner(), &self.id, from))
    }

    /// Waits until the run has ended or waits for outputs.
    ///
    /// # Errors
    /// If the run does not exist, or the store fails.
    pub async fn outcome(&self) -> Result<Run, AssistantsError> {
        self.tenant.run_row(&self.id).await?;
        let row = drive::settled(self.inner(), &self.id).await?;
        Ok(row.state.run(&row.settings))
    }

    /// Submits the outputs of all calls that the run waits for.
    ///
    /// # Errors
    /// As [`Tenant::submit_tool_outputs`].
    pub async fn submit(
        &self,
        outputs: Vec<ToolOutputParams>,
    ) -> Result<StartedRun, AssistantsError> {
        let thread = self.tenant.run_row(&self.id).await?.state.thread;
        self.tenant.submit_tool_outputs(&thread, &self.id, outputs).await
    }

    /// Cancels the run.
    ///
    /// # Errors
    /// As [`Tenant::cancel_run`].
    pub async fn cancel(&self) -> Result<Run, AssistantsError> {
        let thread = self.tenant.run_row(&self.id).await?.state.thread;
        self.tenant.cancel_run(&thread, &self.id).await
    }

    fn inner(&self) -> &Arc<Inner> {
        self.tenant.inner()
    }
}

impl StartedRun {
    /// Whether the run waits for outputs.
    pub fn requires_action(&self) -> bool {
        self.run.status == RunStatus::RequiresAction
    }
}
