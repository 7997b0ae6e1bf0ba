//! Requests that create a response, a conversation, or items of one.

use serde_json::{Value as Json, json};

use super::settings::{
    MAX_TEMPERATURE, check_name, reasoning_effort, response_format, tool_choice,
};
use crate::assistants::AssistantsError;
use crate::assistants::fields::{Fields, invalid, missing, read, text};
use crate::assistants::object::{AssistantTool, FunctionSpec, ItemContent, Metadata, Role};

/// Maximum number of items in one request.
const MAX_ITEMS: usize = 20;

/// A request that creates a response. Fields and tools that the server does not know are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ResponseParams {
    /// The model, or the name of an agent of the server. Without one the server's model.
    pub model: Option<String>,
    /// The new items.
    pub input: Vec<InputItem>,
    /// The instructions, for this response only.
    pub instructions: Option<String>,
    /// The response to continue.
    pub previous_response_id: Option<String>,
    /// The conversation to continue.
    pub conversation: Option<String>,
    /// Whether the client reads events.
    pub stream: bool,
    /// Whether the client does not wait for the end.
    pub background: bool,
    /// Whether the response is kept after its end.
    pub store: bool,
    /// The tools.
    pub tools: Vec<AssistantTool>,
    /// Whether the model calls tools.
    pub tool_choice: Option<Json>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the text, as the client gave it.
    pub text: Option<Json>,
    /// The form of the answer, in the words of runs.
    pub response_format: Option<Json>,
    /// Maximum number of tokens that the model writes.
    pub max_output_tokens: Option<u64>,
    /// The temperature.
    pub temperature: Option<f64>,
    /// The probability mass of the tokens from which the model samples.
    pub top_p: Option<f64>,
    /// The effort of reasoning.
    pub reasoning_effort: Option<String>,
    /// Pairs of the client.
    pub metadata: Metadata,
}

/// A new item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InputItem {
    /// A message.
    Message {
        /// The author.
        role: Role,
        /// The parts in order.
        content: Vec<ItemContent>,
    },
    /// A call of a client's function, for clients that keep the conversation themselves.
    FunctionCall {
        /// The id of the call.
        call_id: String,
        /// The name of the function.
        name: String,
        /// The arguments, as the model wrote them.
        arguments: String,
    },
    /// The output of a call.
    FunctionCallOutput {
        /// The id of the call.
        call_id: String,
        /// The output: a text, or parts.
        output: Json,
    },
}

/// A request that creates a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConversationParams {
    /// The first items, at most 20.
    pub items: Vec<InputItem>,
    /// Pairs of the client.
    pub metadata: Metadata,
}

impl ResponseParams {
    /// Creates a request with a text of a person.
    pub fn new(model: impl Into<String>, input: impl Into<String>) -> Self {
        let content = vec![ItemContent::InputText { text: input.into() }];
        let input = vec![InputItem::Message { role: Role::User, content }];
        Self { model: Some(model.into()), input, store: true, ..Self::default() }
    }
}

impl TryFrom<Json> for ResponseParams {
    type Error = AssistantsError;

    fn try_from(body: Json) -> Result<Self, AssistantsError> {
        let mut fields = Fields::of(body)?;
        let input = match fields.take("input") {
            None => Vec::new(),
            Some(Json::String(text)) => {
                let content = vec![ItemContent::InputText { text }];
                vec![InputItem::Message { role: Role::User, content }]
            }
            Some(Json::Array(list)) => items("input", list)?,
            Some(other) => return Err(invalid("input", "a string or an array of items", &other)),
        };
        let conversation = match fields.take("conversation") {
            None => None,
            Some(Json::Object(mut object)) => {
                let id = object.remove("id").ok_or_else(|| missing("conversation.id"))?;
                Some(text("conversation.id", id)?)
            }
            Some(id) => Some(text("conversation", id)?),
        };
        let choice = fields.take("tool_choice");
        let form = fields.object("text")?.map(Json::Object);
        let effort = fields.object("reasoning")?;
        let effort = effort.and_then(|mut reasoning| reasoning.remove("effort"));
        let effort = effort.filter(|effort| !effort.is_null());
        let effort = effort.map(|effort| text("reasoning.effort", effort)).transpose()?;
        let params = Self {
            model: fields.text("model")?,
            input,
            instructions: fields.text("instructions")?,
            previous_response_id: fields.text("previous_response_id")?,
            conversation,
            stream: fields.flag("stream")?.unwrap_or(false),
            background: fields.flag("background")?.unwrap_or(false),
            store: fields.flag("store")?.unwrap_or(true),
            tools: tools(fields.list("tools")?.unwrap_or_default())?,
            tool_choice: choice.and_then(|json| supported_choice(json).transpose()).transpose()?,
            parallel_tool_calls: fields.flag("parallel_tool_calls")?,
            response_format: form.as_ref().map_or(Ok(None), text_format)?,
            text: form,
            max_output_tokens: fields.count("max_output_tokens", 1)?,
            temperature: fields.number_patch("temperature", MAX_TEMPERATURE)?.flatten(),
            top_p: fields.number_patch("top_p", 1.0)?.flatten(),
            reasoning_effort: reasoning_effort("reasoning.effort", effort)?,
            metadata: fields.metadata()?.unwrap_or_default(),
        };
        if params.previous_response_id.is_some() && params.conversation.is_some() {
            let message = "'previous_response_id' and 'conversation' exclude each other: the \
                           conversation has the responses before.";
            return Err(AssistantsError::bad_param("previous_response_id", message));
        }
        if params.background && !params.store {
            let message =
                "A background response must be stored: leave 'store' out, or set it to true.";
            return Err(AssistantsError::bad_param("background", message));
        }
        Ok(params)
    }
}

impl TryFrom<Json> for ConversationParams {
    type Error = AssistantsError;

    fn try_from(body: Json) -> Result<Self, AssistantsError> {
        let mut fields = Fields::of(body)?;
        let list = fields.list("items")?.unwrap_or_default();
        let items = few_items(list)?;
        let metadata = fields.metadata()?.unwrap_or_default();
        Ok(Self { items, metadata })
    }
}

/// Reads a request that adds items to a conversation.
pub(in crate::assistants) fn input_items(body: Json) -> Result<Vec<InputItem>, AssistantsError> {
    let mut fields = Fields::of(body)?;
    few_items(fields.list("items")?.ok_or_else(|| missing("items"))?)
}

fn few_items(list: Vec<Json>) -> Result<Vec<InputItem>, AssistantsError> {
    if list.len() > MAX_ITEMS {
        let n = list.len();
        let message = format!("Invalid 'items': {n} items, at most {MAX_ITEMS} are allowed.");
        return Err(AssistantsError::bad_param("items", message));
    }
    items("items", list)
}

fn items(path: &str, list: Vec<Json>) -> Result<Vec<InputItem>, AssistantsError> {
    let mut items = Vec::with_capacity(list.len());
    for (n, json) in list.into_iter().enumerate() {
        items.extend(item(&format!("{path}[{n}]"), json)?);
    }
    Ok(items)
}

/// An item; `None` for one that needs no answer and has no meaning for a model of this server.
fn item(path: &str, json: Json) -> Result<Option<InputItem>, AssistantsError> {
    let mut fields = Fields::at(path, json)?;
    let kind = fields.text("type")?;
    Ok(Some(match kind.as_deref() {
        None | Some("message") => {
            let at = fields.path("role");
            let role = fields.take("role").ok_or_else(|| missing(&at))?;
            let role: Role = read(&at, role)?;
            let at = fields.path("content");
            let content = fields.take("content").ok_or_else(|| missing(&at))?;
            InputItem::Message { role, content: content_of(&at, role, content)? }
        }
        Some("function_call") => InputItem::FunctionCall {
            call_id: fields.required_text("call_id")?,
            name: fields.required_text("name")?,
            arguments: fields.text("arguments")?.unwrap_or_default(),
        },
        Some("function_call_output") => {
            let call_id = fields.required_text("call_id")?;
            let at = fields.path("output");
            let output = fields.take("output").ok_or_else(|| missing(&at))?;
            if !output.is_string() && !output.is_array() {
                return Err(invalid(&at, "a string or an array of parts", &output));
            }
            InputItem::FunctionCallOutput { call_id, output }
        }
        // Sent by clients that keep the conversation themselves.
        Some("reasoning" | "mcp_call" | "mcp_list_tools") => return Ok(None),
        Some(other) => {
            let expected = "'message', 'function_call' or 'function_call_output'";
            return Err(invalid(&fields.path("type"), expected, &Json::from(other)));
        }
    }))
}

fn content_of(path: &str, role: Role, json: Json) -> Result<Vec<ItemContent>, AssistantsError> {
    let text_part = |text: String| match role {
        Role::Assistant => ItemContent::output(text),
        Role::User | Role::System | Role::Developer => ItemContent::InputText { text },
    };
    match json {
        Json::String(text) => Ok(vec![text_part(text)]),
        Json::Array(parts) => {
            let part = |(n, json): (usize, Json)| part(&format!("{path}[{n}]"), json, &text_part);
            parts.into_iter().enumerate().map(part).collect()
        }
        other => Err(invalid(path, "a string or an array of parts", &other)),
    }
}

fn part(
    path: &str,
    json: Json,
    text_part: &impl Fn(String) -> ItemContent,
) -> Result<ItemContent, AssistantsError> {
    let mut fields = Fields::at(path, json)?;
    let kind = fields.required_text("type")?;
    Ok(match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let at = fields.path("text");
            text_part(text(&at, fields.take("text").ok_or_else(|| missing(&at))?)?)
        }
        "refusal" => text_part(fields.text("refusal")?.unwrap_or_default()),
        "input_image" => {
            let (image_url, file_id) = (fields.text("image_url")?, fields.text("file_id")?);
            if image_url.is_none() && file_id.is_none() {
                return Err(missing(&fields.path("image_url")));
            }
            ItemContent::InputImage { image_url, file_id, detail: fields.text("detail")? }
        }
        "input_file" => {
            let file_id = Some(fields.required_text("file_id")?);
            ItemContent::InputFile { file_id, filename: fields.text("filename")? }
        }
        other => {
            let expected = "'input_text', 'input_image', 'input_file' or 'output_text'";
            return Err(invalid(&fields.path("type"), expected, &Json::from(other)));
        }
    })
}

/// The tools that the server knows; the others are left out.
fn tools(list: Vec<Json>) -> Result<Vec<AssistantTool>, AssistantsError> {
    let mut tools: Vec<AssistantTool> = Vec::new();
    for (n, json) in list.into_iter().enumerate() {
        let at = format!("tools[{n}]");
        let tool = match json["type"].as_str() {
            None => return Err(missing(&format!("{at}.type"))),
            Some("function") => {
                let function: FunctionSpec = read(&at, json)?;
                check_name(&format!("{at}.name"), &function.name)?;
                AssistantTool::Function(function)
            }
            // Whether the server has it is known where its tools are.
            Some(name) => AssistantTool::Server(name.to_owned()),
        };
        if tools.iter().any(|other| other.name() == tool.name()) {
            if matches!(tool, AssistantTool::Server(_)) {
                continue;
            }
            let message = format!("Invalid 'tools': two are named '{}'.", tool.name());
            return Err(AssistantsError::bad_param(at, message));
        }
        tools.push(tool);
    }
    Ok(tools)
}

/// The choice of a tool; `None` for one of the kinds that the server ignores.
fn supported_choice(json: Json) -> Result<Option<Json>, AssistantsError> {
    match json["type"].as_str() {
        Some("allowed_tools" | "custom" | "hosted_tool" | "mcp") => Ok(None),
        _ => tool_choice("tool_choice", json).map(Some),
    }
}

/// The form of the text in the words of runs, which have a schema one level deeper.
fn text_format(text: &Json) -> Result<Option<Json>, AssistantsError> {
    let format = &text["format"];
    match format["type"].as_str() {
        None if format.is_null() => Ok(None),
        Some("json_schema") => {
            let schema = json!({
                "type": "json_schema",
                "json_schema": { "name": format["name"], "schema": format["schema"], "strict": format["strict"] },
            });
            response_format("text.format", schema).map(Some)
        }
        _ => response_format("text.format", format.clone()).map(Some),
    }
}
