//! Responses and their events.

use serde_json::{Value as Json, json};

use super::changes::{Changes, ItemRow, Kind};
use super::settings::{RunSettings, Surface};
use super::state::RunState;
use crate::assistants::object::{
    AssistantTool, Item, ItemContent, ItemStatus, LastError, Message, MessageStatus, Response,
    ResponseStatus, RunStatus,
};

/// The name of the server of tools, which items of their calls have.
const SERVER: &str = "ddg";

/// The run as a response.
pub(super) fn response(run: &RunState, settings: &RunSettings, status: ResponseStatus) -> Response {
    let own = settings.response.as_ref();
    let format = match &settings.response_format {
        Json::String(_) => json!({ "type": "text" }),
        format => match format.get("json_schema") {
            Some(schema) => json!({
                "type": "json_schema", "name": schema["name"], "schema": schema["schema"],
                "strict": schema["strict"],
            }),
            None => format.clone(),
        },
    };
    let conversation = own.and_then(|own| own.conversation.as_ref());
    let is_expired = run.status == RunStatus::Expired;
    let expired = || LastError::new("server_error", "the response was not done in time");
    Response {
        id: run.id.clone(),
        object: "response".to_owned(),
        created_at: run.created_at,
        status,
        background: own.is_some_and(|own| own.background),
        error: run.last_error.clone().or_else(|| is_expired.then(expired)),
        incomplete_details: run.incomplete.clone(),
        instructions: own.filter(|own| own.has_instructions).map(|_| settings.instructions.clone()),
        max_output_tokens: settings.max_completion_tokens,
        model: settings.model.clone(),
        output: run.output.clone(),
        parallel_tool_calls: settings.parallel_tool_calls,
        previous_response_id: own.and_then(|own| own.previous_response_id.clone()),
        conversation: conversation.map(|id| json!({ "id": id })),
        reasoning: json!({ "effort": settings.reasoning_effort, "summary": null }),
        store: own.is_none_or(|own| own.store),
        temperature: settings.temperature,
        text: json!({ "format": format }),
        tool_choice: settings.tool_choice.clone(),
        tools: settings.tools.iter().map(tool).collect(),
        top_p: settings.top_p,
        truncation: "disabled".to_owned(),
        usage: status.is_terminal().then(|| run.usage.into()),
        metadata: settings.metadata.clone(),
    }
}

fn tool(tool: &AssistantTool) -> Json {
    match tool {
        AssistantTool::Function(function) => json!({
            "type": "function", "name": function.name, "description": function.description,
            "parameters": function.parameters, "strict": function.strict,
        }),
        AssistantTool::Server(name) => json!({ "type": name }),
    }
}

/// A message of the model that has just begun.
pub(super) fn message_item(message: &Message) -> Item {
    Item::Message {
        id: message.id.clone(),
        status: ItemStatus::InProgress,
        role: message.role,
        content: Vec::new(),
    }
}

/// A call of a client's function that has just begun.
pub(super) fn call_item(id: String, call_id: &str, name: &str) -> Item {
    Item::FunctionCall {
        id,
        call_id: call_id.to_owned(),
        name: name.to_owned(),
        arguments: String::new(),
        status: ItemStatus::InProgress,
    }
}

/// A call of a tool of the server, whole, before its output.
pub(super) fn server_item(id: String, name: &str, arguments: &str) -> Item {
    Item::McpCall {
        id,
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        server_label: SERVER.to_owned(),
        output: None,
        error: None,
        status: ItemStatus::InProgress,
    }
}

pub(super) fn part(item: &str, at: usize, text: &str) -> Json {
    json!({
        "item_id": item, "output_index": at, "content_index": 0, "part": ItemContent::output(text),
    })
}

pub(super) fn text_delta(item: &str, at: usize, text: &str) -> Json {
    json!({
        "item_id": item, "output_index": at, "content_index": 0, "delta": text, "logprobs": [],
    })
}

impl RunState {
    /// Adds an item to the output; returns its place.
    pub(super) fn item_added(&mut self, item: Item, changes: &mut Changes) -> usize {
        let at = self.output.len();
        self.emit(
            changes,
            "response.output_item.added",
            json!({ "output_index": at, "item": item }),
        );
        if matches!(item, Item::McpCall { .. }) {
            let data = json!({ "output_index": at, "item_id": item.id() });
            self.emit(changes, "response.mcp_call.in_progress", data);
        }
        self.output.push(item);
        at
    }

    fn item_done(&mut self, at: usize, changes: &mut Changes) {
        let data = json!({ "output_index": at, "item": self.output[at] });
        self.emit(changes, "response.output_item.done", data);
    }

    /// The message at `at` has ended.
    pub(super) fn message_done(
        &mut self,
        at: usize,
        message: &Message,
        text: &str,
        changes: &mut Changes,
    ) {
        let done = json!({
            "item_id": message.id, "output_index": at, "content_index": 0, "text": text, "logprobs": [],
        });
        self.emit(changes, "response.output_text.done", done);
        self.emit(changes, "response.content_part.done", part(&message.id, at, text));
        self.output[at] = Item::Message {
            id: message.id.clone(),
            status: match message.status {
                MessageStatus::Completed => ItemStatus::Completed,
                MessageStatus::InProgress | MessageStatus::Incomplete => ItemStatus::Incomplete,
            },
            role: message.role,
            content: vec![ItemContent::output(text)],
        };
        self.item_done(at, changes);
    }

    /// The call of a client's function at `at` has ended; it is whole or was cut off.
    pub(super) fn call_done(
        &mut self,
        at: usize,
        whole: &str,
        is_whole: bool,
        changes: &mut Changes,
    ) {
        let turn = self.turn;
        if let Item::FunctionCall { arguments, status, .. } = &mut self.output[at] {
            *status = if is_whole { ItemStatus::Completed } else { ItemStatus::Incomplete };
            whole.clone_into(arguments);
        }
        if let Item::FunctionCall { id, name, .. } = &self.output[at] {
            let done = json!({
                "item_id": id, "output_index": at, "name": name, "arguments": whole,
            });
            self.emit(changes, "response.function_call_arguments.done", done);
        }
        self.item_done(at, changes);
        let kind = Kind::Call { item: self.output[at].clone(), turn };
        changes.items.push(ItemRow { kind, visible: false, input: false });
    }

    /// The call `index` of the reply, of a tool of the server, has this output.
    pub(super) fn server_call_done(
        &mut self,
        index: usize,
        text: &str,
        turn: u32,
        changes: &mut Changes,
    ) {
        let Some(at) = self.open.calls_at.get(index).copied().flatten() else { return };
        if let Item::McpCall { output, status, .. } = &mut self.output[at] {
            *output = Some(text.to_owned());
            *status = ItemStatus::Completed;
        }
        let data = json!({ "output_index": at, "item_id": self.output[at].id() });
        self.emit(changes, "response.mcp_call.completed", data);
        self.item_done(at, changes);
        let kind = Kind::Call { item: self.output[at].clone(), turn };
        changes.items.push(ItemRow { kind, visible: false, input: false });
    }

    /// Ends the items of an open reply that never became whole.
    pub(super) fn cut_items(&mut self, partial: &super::Partial, changes: &mut Changes) {
        let open: Vec<_> = self.open.calls_at.drain(..).flatten().collect();
        for at in open {
            match &mut self.output[at] {
                Item::FunctionCall { status: ItemStatus::InProgress, .. } => {
                    let arguments = partial.arguments_of(at as u64);
                    self.call_done(at, &arguments, false, changes);
                }
                Item::McpCall { status: status @ ItemStatus::InProgress, .. } => {
                    *status = ItemStatus::Incomplete;
                    let data = json!({ "output_index": at, "item_id": self.output[at].id() });
                    self.emit(changes, "response.mcp_call.failed", data);
                    self.item_done(at, changes);
                }
                _ => {}
            }
        }
    }

    /// Whether the run is seen as a response.
    pub(super) fn is_response(settings: &RunSettings) -> bool {
        settings.surface == Surface::Response
    }
}
