//! Requests of runs to models.

use serde_json::json;

use super::object::AssistantTool;
use super::params::named_choice;
use super::rule::RunSettings;
use crate::message::{ContentPart, Message};
use crate::model::{ChatRequest, OutputSchema, ReasoningEffort, ToolChoice};
use crate::tool::{ToolSpec, Toolbox};

/// What a request needs besides the settings of its run.
pub(super) struct Asked<'a> {
    pub(super) system: &'a str,
    /// The conversation, without the instructions.
    pub(super) messages: Vec<Message>,
    pub(super) choice: ToolChoice,
    /// Number of tokens that the model may still write.
    pub(super) max_output_tokens: Option<u64>,
}

/// The choice of tools in the reply number `turn`, counted from 0. All replies before it had calls.
pub(super) fn choice(settings: &RunSettings, turn: u32, max_steps: u32) -> ToolChoice {
    if turn >= max_steps {
        return ToolChoice::None;
    }
    match settings.tool_choice.as_str() {
        Some("none") => ToolChoice::None,
        Some("required") if turn == 0 => ToolChoice::Required,
        _ => match named_choice(&settings.tool_choice) {
            Some(name) if turn == 0 => ToolChoice::Named(name.to_owned()),
            _ => ToolChoice::Auto,
        },
    }
}

/// The request to a model.
pub(super) fn request(settings: &RunSettings, asked: Asked<'_>, tools: &Toolbox) -> ChatRequest {
    let Asked { system, messages, choice, max_output_tokens } = asked;
    let system = (!system.is_empty()).then(|| Message::system(system));
    let mut request = ChatRequest::new(system.into_iter().chain(messages));
    request.tools = settings.tools.iter().filter_map(|tool| spec(tool, tools)).collect();
    if !request.tools.is_empty() {
        request.tool_choice = choice;
        // The default of providers is true, and some do not know the setting.
        request.parallel_tool_calls = (!settings.parallel_tool_calls).then_some(false);
    }
    request.temperature = settings.temperature;
    request.top_p = settings.top_p;
    request.max_output_tokens = max_output_tokens;
    request.reasoning_effort = settings.reasoning_effort.as_deref().and_then(effort);
    request.extra_body = settings.extra_body.clone();
    let format = &settings.response_format;
    let schema = &format["json_schema"];
    match format["type"].as_str() {
        // In the words of every provider. They have no word for what is not strict, and send no
        // schema beside tools.
        Some("json_schema") if schema["strict"] == true && request.tools.is_empty() => {
            let name = schema["name"].as_str().unwrap_or("answer");
            request.output_schema = Some(OutputSchema::new(name, schema["schema"].clone()));
        }
        Some("json_schema" | "json_object") => {
            request.extra_body.insert("response_format".to_owned(), format.clone());
        }
        _ => {}
    }
    request
}

fn spec(tool: &AssistantTool, tools: &Toolbox) -> Option<ToolSpec> {
    match tool {
        AssistantTool::Function(function) => {
            let none = || json!({ "type": "object", "properties": {} });
            let parameters = function.parameters.clone().unwrap_or_else(none);
            let description = function.description.clone().unwrap_or_default();
            let spec = ToolSpec::new(&function.name, description, parameters);
            Some(function.strict.into_iter().fold(spec, ToolSpec::strict))
        }
        AssistantTool::Server(name) => {
            tools.specs().iter().find(|spec| spec.name == *name).cloned()
        }
    }
}

fn effort(word: &str) -> Option<ReasoningEffort> {
    Some(match word {
        "none" => ReasoningEffort::Off,
        "minimal" => ReasoningEffort::Minimal,
        "low" => ReasoningEffort::Low,
        "medium" => ReasoningEffort::Medium,
        "high" => ReasoningEffort::High,
        "xhigh" => ReasoningEffort::Max,
        _ => return None,
    })
}

/// Whether a message has an image.
pub(super) fn has_image(message: &Message) -> bool {
    match message {
        Message::User { content } => {
            content.iter().any(|part| matches!(part, ContentPart::Image { .. }))
        }
        Message::System { .. } | Message::Assistant(_) | Message::Tool(_) => false,
    }
}
