//! The state of a run, and what may happen to it.
//!
//! **Invariant.** Every method is one transition: it changes the state, and adds to `Changes` the
//! rows and events that belong to it. The store writes all of them at once, if the run is still in
//! the state from which the transition began.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::changes::{Changes, Moment, Recorded};
use super::reply::{Reply, ReplyPiece};
use super::settings::{RunSettings, Surface};
use super::thread_events;
use crate::assistants::object::{
    IncompleteDetails, Item, LastError, Message, RunStatus, RunStep, StepCall, StepDetails,
    StepStatus, Thread, Usage,
};
use crate::assistants::params::ToolOutputParams;
use crate::model::FinishReason;

/// A run as a row keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::assistants) struct RunState {
    pub(in crate::assistants) id: String,
    /// The thread; of a response without a conversation, its own id.
    pub(in crate::assistants) thread: String,
    pub(in crate::assistants) status: RunStatus,
    pub(in crate::assistants) created_at: i64,
    pub(in crate::assistants) expires_at: i64,
    pub(in crate::assistants) started_at: Option<i64>,
    pub(in crate::assistants) ended_at: Option<i64>,
    pub(in crate::assistants) last_error: Option<LastError>,
    pub(in crate::assistants) incomplete: Option<IncompleteDetails>,
    /// The outputs that were submitted last.
    pub(in crate::assistants) submitted: Option<Vec<ToolOutputParams>>,
    pub(in crate::assistants) usage: Usage,
    /// Number of replies of the model that are written as a whole.
    pub(in crate::assistants) turn: u32,
    /// The last of them.
    pub(in crate::assistants) last_reply: Option<Reply>,
    /// Number of replies whose calls have all the outputs that the server gives.
    pub(in crate::assistants) answered: u32,
    pub(in crate::assistants) open: Open,
    /// The output of a response.
    pub(in crate::assistants) output: Vec<Item>,
    /// The number of the next event.
    pub(in crate::assistants) next_event: u64,
}

/// What the current reply of the model has begun.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::assistants) struct Open {
    /// The number of the first event of the reply.
    pub(in crate::assistants) since: u64,
    pub(in crate::assistants) message: Option<Message>,
    pub(in crate::assistants) message_step: Option<RunStep>,
    /// The step of the calls, until all have outputs.
    pub(in crate::assistants) calls: Option<RunStep>,
    /// The place of the message in the output of a response.
    pub(in crate::assistants) message_at: Option<usize>,
    /// The places of the calls in the output of a response. Calls of tools of the server have one
    /// once they are whole.
    pub(in crate::assistants) calls_at: Vec<Option<usize>>,
}

/// Why a client's request cannot happen to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::assistants) struct Refused(pub(in crate::assistants) String);

impl RunState {
    /// A run that waits for its turn.
    pub(in crate::assistants) fn queued(
        settings: &RunSettings,
        id: String,
        thread: String,
        now: i64,
        expires_at: i64,
    ) -> Self {
        let next_event = match settings.surface {
            Surface::Thread => 1,
            // Sequence numbers begin at 0.
            Surface::Response => 0,
        };
        Self {
            id,
            thread,
            status: RunStatus::Queued,
            created_at: now,
            expires_at,
            started_at: None,
            ended_at: None,
            last_error: None,
            incomplete: None,
            submitted: None,
            usage: Usage::default(),
            turn: 0,
            last_reply: None,
            answered: 0,
            open: Open::default(),
            output: Vec::new(),
            next_event,
        }
    }

    /// The run was created, with `thread` if that was created with it.
    pub(in crate::assistants) fn created(
        &mut self,
        settings: &RunSettings,
        thread: Option<&Thread>,
        changes: &mut Changes,
    ) {
        match settings.surface {
            Surface::Thread => {
                if let Some(thread) = thread {
                    self.emit(changes, "thread.created", json!(thread));
                }
                self.emit(changes, "thread.run.created", json!(self.run(settings)));
                self.emit(changes, "thread.run.queued", json!(self.run(settings)));
            }
            Surface::Response => self.emit_response(changes, "response.created", settings),
        }
    }

    /// The run begins, or continues after outputs were submitted. Does nothing if it has begun.
    pub(in crate::assistants) fn begin(
        &mut self,
        settings: &RunSettings,
        moment: &Moment<'_>,
        changes: &mut Changes,
    ) {
        if self.status != RunStatus::Queued {
            return;
        }
        self.status = RunStatus::InProgress;
        self.started_at.get_or_insert(moment.now);
        match settings.surface {
            Surface::Thread => {
                self.emit(changes, "thread.run.in_progress", json!(self.run(settings)));
            }
            Surface::Response => self.emit_response(changes, "response.in_progress", settings),
        }
    }

    /// A piece of the model's reply.
    pub(in crate::assistants) fn piece(
        &mut self,
        settings: &RunSettings,
        piece: &ReplyPiece,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) {
        if self.is_closed() {
            self.open.since = self.next_event;
        }
        match piece {
            ReplyPiece::Text(text) => {
                self.open_message(settings, moment, changes);
                self.text_delta(text, changes);
            }
            ReplyPiece::Call { index, id, name } => {
                self.open_call(settings, *index, id, name, moment, changes);
            }
            ReplyPiece::Arguments { index, part } => {
                self.arguments_delta(*index, part, settings, changes);
            }
            // The caller closes what is open, because it knows what was streamed.
            ReplyPiece::Restart => {}
        }
    }

    /// Whether nothing of a reply is open.
    pub(in crate::assistants) fn is_closed(&self) -> bool {
        let Open { message, calls, .. } = &self.open;
        message.is_none() && calls.is_none()
    }

    /// The model's reply is whole: its message is complete, and its calls wait for outputs.
    pub(in crate::assistants) fn replied(
        &mut self,
        settings: &RunSettings,
        reply: &Reply,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) {
        self.turn += 1;
        self.submitted = None;
        self.last_reply = Some(reply.clone());
        self.usage.add(reply.usage);
        let has_calls = !reply.calls.is_empty();
        let (message_usage, calls_usage) = match has_calls {
            true => (Usage::default(), reply.usage),
            false => (reply.usage, Usage::default()),
        };
        let is_nothing = reply.has_dropped_calls && reply.text.is_empty();
        if !has_calls && !is_nothing {
            if self.is_closed() {
                self.open.since = self.next_event;
            }
            self.open_message(settings, moment, changes);
        }
        let reason = match reply.finish {
            FinishReason::Length => Some("max_tokens"),
            FinishReason::ContentFilter => Some("content_filter"),
            _ => None,
        };
        self.close_message(
            settings,
            &reply.text,
            reason,
            StepStatus::Completed,
            message_usage,
            moment,
            changes,
        );
        if has_calls {
            self.calls_whole(settings, reply, calls_usage, moment, changes);
        } else {
            self.answered = self.turn;
        }
    }

    /// The calls of the server's tools have these outputs, in the order of the calls. Does nothing
    /// if the outputs of this reply were written before.
    pub(in crate::assistants) fn outputs(
        &mut self,
        settings: &RunSettings,
        outputs: &[ToolOutputParams],
        usage: Usage,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) {
        if self.answered >= self.turn {
            return;
        }
        self.answered = self.turn;
        self.usage.add(usage);
        let Some(mut step) = self.open.calls.take() else { return };
        if let Some(so_far) = &mut step.usage {
            so_far.add(usage);
        }
        let turn = self.turn;
        for output in outputs {
            let Some(index) = set_output(&mut step, output) else { continue };
            match settings.surface {
                Surface::Thread => {
                    let data = thread_events::output_delta(&step.id, index, &output.output);
                    self.emit(changes, "thread.run.step.delta", data);
                }
                Surface::Response => self.server_call_done(index, &output.output, turn, changes),
            }
        }
        let is_whole =
            step.step_details.tool_calls().iter().all(|call| call.function.output.is_some());
        if is_whole || settings.surface == Surface::Response {
            self.step_completed(step, settings, moment, changes);
        } else {
            changes.steps.push(step.clone());
            self.open.calls = Some(step);
        }
    }

    /// The run waits for the outputs of the client's functions.
    pub(in crate::assistants) fn require_action(
        &mut self,
        settings: &RunSettings,
        changes: &mut Changes,
    ) {
        if self.status == RunStatus::RequiresAction {
            return;
        }
        self.status = RunStatus::RequiresAction;
        self.submitted = None;
        self.emit(changes, "thread.run.requires_action", json!(self.run(settings)));
    }

    /// The client submits the outputs of all calls that the run waits for.
    ///
    /// # Errors
    /// If the run does not wait, or the outputs are not those.
    pub(in crate::assistants) fn submit(
        &mut self,
        settings: &RunSettings,
        outputs: Vec<ToolOutputParams>,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) -> Result<(), Refused> {
        if self.status != RunStatus::RequiresAction {
            let (id, status) = (&self.id, self.status);
            return Err(Refused(format!(
                "Runs in status \"{status}\" do not accept tool outputs ({id})."
            )));
        }
        let waiting = self.waiting();
        let ids = |calls: Vec<&str>| calls.join(", ");
        let mut given: Vec<&str> = Vec::new();
        for output in &outputs {
            let id = output.tool_call_id.as_str();
            if !waiting.iter().any(|call| call.id == id) {
                return Err(Refused(format!(
                    "The run does not wait for an output of the tool call '{id}'."
                )));
            }
            if given.contains(&id) {
                return Err(Refused(format!("There are two outputs of the tool call '{id}'.")));
            }
            given.push(id);
        }
        let missing = waiting.iter().map(|call| call.id.as_str());
        let missing: Vec<_> = missing.filter(|id| !given.contains(id)).collect();
        if !missing.is_empty() {
            let missing = ids(missing);
            let message = format!("Expected tool outputs for all tool calls; missing: {missing}.");
            return Err(Refused(message));
        }
        if let Some(mut step) = self.open.calls.take() {
            for output in &outputs {
                set_output(&mut step, output);
            }
            self.step_completed(step, settings, moment, changes);
        }
        self.submitted = Some(outputs);
        self.status = RunStatus::Queued;
        self.emit(changes, "thread.run.queued", json!(self.run(settings)));
        Ok(())
    }

    /// The calls of the client's functions that have no output.
    pub(in crate::assistants) fn waiting(&self) -> Vec<StepCall> {
        let calls = self.open.calls.iter().flat_map(|step| step.step_details.tool_calls());
        calls.filter(|call| call.function.output.is_none()).cloned().collect()
    }

    pub(super) fn emit(&mut self, changes: &mut Changes, name: &'static str, mut data: Json) {
        let number = self.next_event;
        self.next_event += 1;
        if name.starts_with("response.") {
            data["type"] = name.into();
            data["sequence_number"] = number.into();
        }
        changes.events.push(Recorded { number, name, data });
    }

    pub(super) fn emit_response(
        &mut self,
        changes: &mut Changes,
        name: &'static str,
        settings: &RunSettings,
    ) {
        self.emit(changes, name, json!({ "response": self.response(settings) }));
    }
}

/// Puts an output into its call; returns the index of the call.
fn set_output(step: &mut RunStep, output: &ToolOutputParams) -> Option<usize> {
    let StepDetails::ToolCalls { tool_calls } = &mut step.step_details else { return None };
    let index = tool_calls.iter().position(|call| call.id == output.tool_call_id)?;
    tool_calls[index].function.output = Some(output.output.clone());
    Some(index)
}
