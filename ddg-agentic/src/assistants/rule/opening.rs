//! How a reply begins messages, steps and items.

use serde_json::json;

use super::changes::{Changes, ItemRow, Kind, Moment};
use super::reply::Reply;
use super::settings::{RunSettings, Surface};
use super::state::RunState;
use super::{response_events, thread_events};
use crate::assistants::object::{
    Message, MessageStatus, Metadata, Role, RunStep, StepCall, StepDetails, StepStatus, Usage,
};

impl RunState {
    /// Creates the message of the reply, unless it is there.
    pub(super) fn open_message(
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

    pub(super) fn text_delta(&mut self, text: &str, changes: &mut Changes) {
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
    pub(super) fn open_call(
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

    pub(super) fn arguments_delta(
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
    pub(super) fn calls_whole(
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
