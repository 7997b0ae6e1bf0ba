//! The state of a run, and what may happen to it.
//!
//! **Invariant.** Every method is one transition: it changes the state, and adds to `Changes` the rows and
//! events that belong to it. The store writes all of them at once, if the run is still in the state from
//! which the transition began.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::changes::{Changes, ItemRow, Kind, Moment, Recorded};
use super::reply::{Reply, ReplyPiece};
use super::settings::{RunSettings, Surface};
use super::{response_events, thread_events};
use crate::assistants::object::{
    ContentPart, IncompleteDetails, Item, LastError, Message, MessageStatus, Metadata,
    RequiredAction, Response, ResponseStatus, Role, Run, RunStatus, RunStep, StepCall, StepDetails,
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
                self.arguments_delta(*index, part, settings, changes)
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
        self.usage.add(reply.usage);
        let has_calls = !reply.calls.is_empty();
        let (message_usage, calls_usage) = match has_calls {
            true => (Usage::default(), reply.usage),
            false => (reply.usage, Usage::default()),
        };
        if !has_calls && !(reply.has_dropped_calls && reply.text.is_empty()) {
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

    /// The calls of the server's tools have these outputs, in the order of the calls. Does nothing if
    /// the outputs of this reply were written before.
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

    /// The client submits outputs, which must be those of all calls that the run waits for.
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

    /// The run as the client sees it.
    pub(in crate::assistants) fn run(&self, settings: &RunSettings) -> Run {
        let ended = |status: RunStatus| self.ended_at.filter(|_| self.status == status);
        let required_action =
            (self.status == RunStatus::RequiresAction).then(|| RequiredAction::new(self.waiting()));
        Run {
            id: self.id.clone(),
            object: "thread.run".to_owned(),
            created_at: self.created_at,
            thread_id: self.thread.clone(),
            assistant_id: settings.assistant_id.clone(),
            status: self.status,
            required_action,
            last_error: self.last_error.clone(),
            expires_at: (!self.status.is_terminal()).then_some(self.expires_at),
            started_at: self.started_at,
            cancelled_at: ended(RunStatus::Cancelled),
            failed_at: ended(RunStatus::Failed),
            completed_at: ended(RunStatus::Completed),
            incomplete_details: self.incomplete.clone(),
            model: settings.model.clone(),
            instructions: settings.instructions.clone(),
            tools: settings.tools.clone(),
            metadata: settings.metadata.clone(),
            usage: self.status.is_terminal().then_some(self.usage),
            temperature: settings.temperature,
            top_p: settings.top_p,
            max_prompt_tokens: settings.max_prompt_tokens,
            max_completion_tokens: settings.max_completion_tokens,
            truncation_strategy: settings.truncation.clone(),
            response_format: settings.response_format.clone(),
            tool_choice: settings.tool_choice.clone(),
            parallel_tool_calls: settings.parallel_tool_calls,
            reasoning_effort: settings.reasoning_effort.clone(),
            extra_body: settings.extra_body.clone(),
            stream_options: settings.stream_options.clone(),
        }
    }

    /// The run as a response.
    pub(in crate::assistants) fn response(&self, settings: &RunSettings) -> Response {
        response_events::response(self, settings, self.response_status(settings))
    }

    fn response_status(&self, settings: &RunSettings) -> ResponseStatus {
        let background = settings.response.as_ref().is_some_and(|response| response.background);
        match self.status {
            RunStatus::Queued if background => ResponseStatus::Queued,
            RunStatus::Queued
            | RunStatus::InProgress
            | RunStatus::RequiresAction
            | RunStatus::Cancelling => ResponseStatus::InProgress,
            RunStatus::Cancelled => ResponseStatus::Cancelled,
            RunStatus::Failed | RunStatus::Expired => ResponseStatus::Failed,
            RunStatus::Completed => ResponseStatus::Completed,
            RunStatus::Incomplete => ResponseStatus::Incomplete,
        }
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

    /// Creates the message of the reply, unless it is there.
    fn open_message(
        &mut self,
        settings: &RunSettings,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) {
        if self.open.message.is_some() {
            return;
        }
        let message = Message {
            id: moment.ids.next("msg"),
            object: "thread.message".to_owned(),
            created_at: moment.now,
            thread_id: self.thread.clone(),
            status: MessageStatus::InProgress,
            incomplete_details: None,
            completed_at: None,
            incomplete_at: None,
            role: Role::Assistant,
            content: Vec::new(),
            assistant_id: Some(settings.assistant_id.clone()).filter(|id| !id.is_empty()),
            run_id: Some(self.id.clone()),
            attachments: Vec::new(),
            metadata: Metadata::new(),
        };
        let details = StepDetails::MessageCreation { message_id: message.id.clone() };
        let step = self.new_step(settings, details, moment);
        match settings.surface {
            Surface::Thread => {
                self.emit(changes, "thread.run.step.created", json!(step));
                self.emit(changes, "thread.run.step.in_progress", json!(step));
                self.emit(changes, "thread.message.created", json!(message));
                self.emit(changes, "thread.message.in_progress", json!(message));
            }
            Surface::Response => {
                let item = response_events::message_item(&message);
                self.open.message_at = Some(self.item_added(item, changes));
                let data = response_events::part(&message.id, self.output.len() - 1, "");
                self.emit(changes, "response.content_part.added", data);
            }
        }
        changes.steps.push(step.clone());
        changes.items.push(self.row(settings, Kind::Message(message.clone())));
        self.open.message_step = Some(step);
        self.open.message = Some(message);
    }

    fn text_delta(&mut self, text: &str, changes: &mut Changes) {
        let Some(message) = &self.open.message else { return };
        let (id, is_first) = (message.id.clone(), self.is_first_delta());
        match self.open.message_at {
            None => {
                let data = thread_events::text_delta(&id, text, is_first);
                self.emit(changes, "thread.message.delta", data);
            }
            Some(at) => {
                let data = response_events::text_delta(&id, at, text);
                self.emit(changes, "response.output_text.delta", data);
            }
        }
    }

    /// Whether the message has just been created: four events belong to that.
    fn is_first_delta(&self) -> bool {
        self.next_event == self.open.since + 4
    }

    /// Creates the step of the calls, unless it is there, and the call in it.
    fn open_call(
        &mut self,
        settings: &RunSettings,
        index: usize,
        id: &str,
        name: &str,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) {
        let mut step = match self.open.calls.take() {
            Some(step) => step,
            None => {
                let details = StepDetails::ToolCalls { tool_calls: Vec::new() };
                let step = self.new_step(settings, details, moment);
                if settings.surface == Surface::Thread {
                    self.emit(changes, "thread.run.step.created", json!(step));
                    self.emit(changes, "thread.run.step.in_progress", json!(step));
                }
                step
            }
        };
        if let StepDetails::ToolCalls { tool_calls } = &mut step.step_details {
            tool_calls.push(StepCall::new(id, name, ""));
        }
        let at = match settings.surface {
            Surface::Thread => {
                let data = thread_events::call_delta(&step.id, index, id, name);
                self.emit(changes, "thread.run.step.delta", data);
                None
            }
            Surface::Response => settings.is_external(name).then(|| {
                let item = response_events::call_item(moment.ids.next("fc"), id, name);
                self.item_added(item, changes)
            }),
        };
        self.open.calls_at.push(at);
        changes.steps.push(step.clone());
        self.open.calls = Some(step);
    }

    fn arguments_delta(
        &mut self,
        index: usize,
        part: &str,
        settings: &RunSettings,
        changes: &mut Changes,
    ) {
        let Some(step) = &self.open.calls else { return };
        match (settings.surface, self.open.calls_at.get(index).copied().flatten()) {
            (Surface::Thread, _) => {
                let data = thread_events::arguments_delta(&step.id, index, part);
                self.emit(changes, "thread.run.step.delta", data);
            }
            (Surface::Response, Some(at)) => {
                let data = json!({
                    "item_id": self.output[at].id(), "output_index": at, "delta": part,
                });
                self.emit(changes, "response.function_call_arguments.delta", data);
            }
            (Surface::Response, None) => {}
        }
    }

    /// The calls of the reply are whole.
    fn calls_whole(
        &mut self,
        settings: &RunSettings,
        reply: &Reply,
        usage: Usage,
        moment: &mut Moment<'_>,
        changes: &mut Changes,
    ) {
        let Some(mut step) = self.open.calls.take() else { return };
        let whole = |call: &super::ReplyCall| StepCall::new(&call.id, &call.name, &call.arguments);
        let tool_calls = reply.calls.iter().map(whole).collect();
        step.step_details = StepDetails::ToolCalls { tool_calls };
        step.usage = Some(usage);
        if settings.surface == Surface::Response {
            for (index, call) in reply.calls.iter().enumerate() {
                match self.open.calls_at[index] {
                    Some(at) => self.call_done(at, &call.arguments, true, changes),
                    None => {
                        let id = moment.ids.next("mcp");
                        let item = response_events::server_item(id, &call.name, &call.arguments);
                        self.open.calls_at[index] = Some(self.item_added(item, changes));
                    }
                }
            }
        }
        changes.steps.push(step.clone());
        self.open.calls = Some(step);
    }

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
                    self.step_ended(step, step_status, settings, moment, changes)
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

    fn new_step(
        &self,
        settings: &RunSettings,
        step_details: StepDetails,
        moment: &mut Moment<'_>,
    ) -> RunStep {
        let r#type = match step_details {
            StepDetails::MessageCreation { .. } => "message_creation",
            StepDetails::ToolCalls { .. } => "tool_calls",
        };
        RunStep {
            id: moment.ids.next("step"),
            object: "thread.run.step".to_owned(),
            created_at: moment.now,
            run_id: self.id.clone(),
            assistant_id: settings.assistant_id.clone(),
            thread_id: self.thread.clone(),
            r#type: r#type.to_owned(),
            status: StepStatus::InProgress,
            cancelled_at: None,
            completed_at: None,
            expired_at: None,
            failed_at: None,
            last_error: None,
            step_details,
            usage: None,
            metadata: Metadata::new(),
        }
    }

    /// A row of the run's thread. A response's rows become visible when it has ended well.
    pub(super) fn row(&self, settings: &RunSettings, kind: Kind) -> ItemRow {
        ItemRow { kind, visible: settings.surface == Surface::Thread, input: false }
    }
}

/// Puts an output into its call; returns the index of the call.
fn set_output(step: &mut RunStep, output: &ToolOutputParams) -> Option<usize> {
    let StepDetails::ToolCalls { tool_calls } = &mut step.step_details else { return None };
    let index = tool_calls.iter().position(|call| call.id == output.tool_call_id)?;
    tool_calls[index].function.output = Some(output.output.clone());
    Some(index)
}
