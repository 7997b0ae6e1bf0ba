//! How a run ends: well, at a limit, with a failure, cancelled, or too late.

use serde_json::json;

use super::changes::{Changes, Moment};
use super::partial::Partial;
use super::settings::{RunSettings, Surface};
use super::state::{Refused, RunState};
use crate::assistants::object::{
    IncompleteDetails, LastError, RunStatus, StepDetails, StepStatus, Usage,
};

impl RunState {
    /// The run has ended well.
    pub(in crate::assistants) fn complete(
        &mut self,
        settings: &RunSettings,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        self.ended(RunStatus::Completed, moment, changes);
        match settings.surface {
            Surface::Thread => {
                self.emit(changes, "thread.run.completed", json!(self.run(settings)));
            }
            Surface::Response => self.emit_response(changes, "response.completed", settings),
        }
    }

    /// The run has reached a limit.
    pub(in crate::assistants) fn stop_at(
        &mut self,
        reason: &str,
        settings: &RunSettings,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        let reason = match settings.surface {
            // The words of the other surface.
            Surface::Response if reason != "content_filter" => "max_output_tokens",
            Surface::Response | Surface::Thread => reason,
        };
        self.close(
            settings,
            &Partial::default(),
            "max_tokens",
            StepStatus::Completed,
            moment,
            changes,
        );
        self.incomplete = Some(IncompleteDetails::new(reason));
        self.ended(RunStatus::Incomplete, moment, changes);
        match settings.surface {
            Surface::Thread => {
                self.emit(changes, "thread.run.incomplete", json!(self.run(settings)));
            }
            Surface::Response => self.emit_response(changes, "response.incomplete", settings),
        }
    }

    /// The run has failed. `partial` is what clients have seen of an open reply.
    pub(in crate::assistants) fn fail(
        &mut self,
        error: &LastError,
        settings: &RunSettings,
        partial: &Partial,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        self.last_error = Some(error.clone());
        self.close(settings, partial, "run_failed", StepStatus::Failed, moment, changes);
        self.ended(RunStatus::Failed, moment, changes);
        match settings.surface {
            Surface::Thread => {
                self.emit(changes, "thread.run.failed", json!(self.run(settings)));
                let LastError { code, message } = error;
                let fields = json!({
                    "message": message, "code": code, "type": "server_error", "param": null,
                });
                let mut data = fields.clone();
                data["error"] = fields;
                self.emit(changes, "error", data);
            }
            Surface::Response => self.emit_response(changes, "response.failed", settings),
        }
    }

    /// The client cancels the run. One that is not at work is cancelled at once; one that is has to
    /// stop first.
    ///
    /// # Errors
    /// If the run has ended.
    pub(in crate::assistants) fn cancel(
        &mut self,
        settings: &RunSettings,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) -> Result<(), Refused> {
        match self.status {
            RunStatus::Cancelling => return Ok(()),
            status if status.is_terminal() => {
                let message = match settings.surface {
                    Surface::Thread => format!("Cannot cancel run with status '{status}'."),
                    Surface::Response => "Cannot cancel a response that has ended.".to_owned(),
                };
                return Err(Refused(message));
            }
            _ => {}
        }
        let at_work = self.status == RunStatus::InProgress;
        self.status = RunStatus::Cancelling;
        if settings.surface == Surface::Thread {
            self.emit(changes, "thread.run.cancelling", json!(self.run(settings)));
        }
        if !at_work {
            self.cancelled(settings, &Partial::default(), moment, changes);
        }
        Ok(())
    }

    /// The run has stopped, because it was cancelled.
    pub(in crate::assistants) fn cancelled(
        &mut self,
        settings: &RunSettings,
        partial: &Partial,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        self.close(settings, partial, "run_cancelled", StepStatus::Cancelled, moment, changes);
        self.ended(RunStatus::Cancelled, moment, changes);
        match settings.surface {
            Surface::Thread => {
                self.emit(changes, "thread.run.cancelled", json!(self.run(settings)));
            }
            // There is no event for it; `incomplete` ends the streams of clients.
            Surface::Response => self.emit_response(changes, "response.incomplete", settings),
        }
    }

    /// The run was not done in time.
    pub(in crate::assistants) fn expire(
        &mut self,
        settings: &RunSettings,
        partial: &Partial,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        self.close(settings, partial, "run_expired", StepStatus::Expired, moment, changes);
        self.ended(RunStatus::Expired, moment, changes);
        match settings.surface {
            Surface::Thread => self.emit(changes, "thread.run.expired", json!(self.run(settings))),
            Surface::Response => self.emit_response(changes, "response.failed", settings),
        }
    }

    /// Ends what is open of a reply whose model is asked again.
    pub(in crate::assistants) fn abandon(
        &mut self,
        settings: &RunSettings,
        partial: &Partial,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        self.close(settings, partial, "run_failed", StepStatus::Failed, moment, changes);
    }

    /// Ends the open message and step.
    fn close(
        &mut self,
        settings: &RunSettings,
        partial: &Partial,
        reason: &str,
        status: StepStatus,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        let usage = Usage::default();
        let (text, reason) = (&partial.text, Some(reason));
        self.close_message(settings, text, reason, status, usage, moment, changes);
        if let Some(mut step) = self.open.calls.take() {
            if let StepDetails::ToolCalls { tool_calls } = &mut step.step_details {
                for (index, call) in tool_calls.iter_mut().enumerate() {
                    if call.function.arguments.is_empty() {
                        call.function.arguments = partial.arguments_of(index as u64);
                    }
                }
            }
            self.step_ended(step, status, settings, moment, changes);
        }
        if Self::is_response(settings) {
            self.cut_items(partial, changes);
        }
        self.open = super::state::Open::default();
    }

    fn ended(&mut self, status: RunStatus, moment: &Moment<'_>, changes: &mut Changes) {
        self.status = status;
        self.ended_at = Some(moment.now);
        self.last_reply = None;
        self.submitted = None;
        changes.publish = matches!(status, RunStatus::Completed | RunStatus::Incomplete);
    }
}
