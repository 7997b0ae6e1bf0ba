//! How messages and steps end.

use serde_json::json;

use super::changes::{Changes, Kind, Moment};
use super::settings::{RunSettings, Surface};
use super::state::RunState;
use crate::assistants::object::{
    ContentPart, IncompleteDetails, LastError, MessageStatus, RunStep, StepStatus, Usage,
};

impl RunState {
    /// Ends the open message with `text`; it is whole unless there is a `reason`.
    #[expect(clippy::too_many_arguments, reason = "each is another part of the end")]
    pub(super) fn close_message(
        &mut self,
        settings: &RunSettings,
        text: &str,
        reason: Option<&str>,
        step_status: StepStatus,
        usage: Usage,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        let Some(mut message) = self.open.message.take() else { return };
        let step = self.open.message_step.take();
        message.content = vec![ContentPart::text(text)];
        match reason {
            None => {
                message.status = MessageStatus::Completed;
                message.completed_at = Some(moment.now);
            }
            Some(reason) => {
                message.status = MessageStatus::Incomplete;
                message.incomplete_at = Some(moment.now);
                message.incomplete_details = Some(IncompleteDetails::new(reason));
            }
        }
        match self.open.message_at.take() {
            Some(at) => self.message_done(at, &message, text, changes),
            None => {
                // A step that does not end well is told before its message.
                if step_status != StepStatus::Completed
                    && let Some(step) = step.clone()
                {
                    self.step_ended(step, step_status, settings, moment, changes);
                }
                let name = match reason {
                    None => "thread.message.completed",
                    Some(_) => "thread.message.incomplete",
                };
                self.emit(changes, name, json!(message));
            }
        }
        changes.items.push(self.row(settings, Kind::Message(message)));
        if let Some(mut step) = step {
            step.usage = Some(usage);
            match (step_status, settings.surface) {
                (StepStatus::Completed, _) => self.step_completed(step, settings, moment, changes),
                (_, Surface::Response) => {
                    self.step_ended(step, step_status, settings, moment, changes);
                }
                (_, Surface::Thread) => {}
            }
        }
    }

    pub(super) fn step_completed(
        &mut self,
        step: RunStep,
        settings: &RunSettings,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        self.step_ended(step, StepStatus::Completed, settings, moment, changes);
        if self.open.message.is_none() && self.open.calls.is_none() {
            self.open.calls_at.clear();
        }
    }

    pub(super) fn step_ended(
        &mut self,
        mut step: RunStep,
        status: StepStatus,
        settings: &RunSettings,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        let now = Some(moment.now);
        step.status = status;
        let name = match status {
            StepStatus::Completed | StepStatus::InProgress => {
                step.completed_at = now;
                "thread.run.step.completed"
            }
            StepStatus::Failed => {
                step.failed_at = now;
                let error = LastError::new("server_error", "the run has ended before the step");
                step.last_error = Some(self.last_error.clone().unwrap_or(error));
                "thread.run.step.failed"
            }
            StepStatus::Cancelled => {
                step.cancelled_at = now;
                "thread.run.step.cancelled"
            }
            StepStatus::Expired => {
                step.expired_at = now;
                "thread.run.step.expired"
            }
        };
        if settings.surface == Surface::Thread {
            self.emit(changes, name, json!(step));
        }
        changes.steps.push(step);
    }
}
