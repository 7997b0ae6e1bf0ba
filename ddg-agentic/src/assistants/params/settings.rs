//! Settings that assistants, runs and responses share.

use serde_json::{Map, Value as Json, json};

use crate::assistants::AssistantsError;
use crate::assistants::fields::{Fields, invalid, read};
use crate::assistants::object::{AssistantTool, TruncationStrategy};

/// The highest temperature.
pub(super) const MAX_TEMPERATURE: f64 = 2.0;

const MAX_TOOLS: usize = 128;

/// Tools of other servers, which this one does not have.
const ELSEWHERE: &[&str] = &["code_interpreter", "file_search"];

/// Fields of a request to a model that a run sets itself.
const OWN_KEYS: &[&str] = &[
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
];

/// The tools of an assistant or run.
pub(super) fn tools(fields: &mut Fields) -> Result<Option<Vec<AssistantTool>>, AssistantsError> {
    let path = fields.path("tools");
    let Some(list) = fields.list("tools")? else { return Ok(None) };
    if list.len() > MAX_TOOLS {
        let n = list.len();
        let message = format!("Invalid 'tools': {n} tools, at most {MAX_TOOLS} are allowed.");
        return Err(AssistantsError::bad_param("tools", message));
    }
    let tool = |(n, json): (usize, Json)| {
        let at = format!("{path}[{n}]");
        let kind = json["type"].as_str().unwrap_or_default();
        if ELSEWHERE.contains(&kind) {
            let message = format!(
                "The tool type '{kind}' is not supported by this server: use functions, or tools of the \
                 server by their name as type."
            );
            return Err(AssistantsError::bad_param(at, message));
        }
        if kind == "mcp" {
            let message = "MCP servers are configured on the server, not by clients: name one of its \
                           tools as type.";
            return Err(AssistantsError::bad_param(at, message));
        }
        let tool: AssistantTool = read(&at, json)?;
        if let AssistantTool::Function(function) = &tool {
            check_name(&format!("{at}.function.name"), &function.name)?;
            if let Some(parameters) = &function.parameters
                && !parameters.is_object()
            {
                let at = format!("{at}.function.parameters");
                return Err(invalid(&at, "a JSON schema", parameters));
            }
        }
        Ok(tool)
    };
    let tools = list.into_iter().enumerate().map(tool).collect::<Result<Vec<_>, _>>()?;
    for (n, tool) in tools.iter().enumerate() {
        if tools[..n].iter().any(|other| other.name() == tool.name()) {
            let message = format!("Invalid 'tools': two are named '{}'.", tool.name());
            return Err(AssistantsError::bad_param(format!("{path}[{n}]"), message));
        }
    }
    Ok(Some(tools))
}

/// Refuses a name that providers refuse.
pub(super) fn check_name(path: &str, name: &str) -> Result<(), AssistantsError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if matches!(name.len(), 1..=64) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    let message = format!("Invalid '{path}': a name has 1 to 64 letters, digits, '_' and '-'.");
    Err(AssistantsError::bad_param(path, message))
}

/// The form of an answer.
pub(super) fn response_format(path: &str, json: Json) -> Result<Json, AssistantsError> {
    let fault = |message: String| AssistantsError::bad_param(path, message);
    if json == "auto" {
        return Ok(json);
    }
    match json["type"].as_str() {
        Some("text" | "json_object") => Ok(json),
        Some("json_schema") => {
            let name = json["json_schema"]["name"].as_str().unwrap_or_default();
            check_name(&format!("{path}.json_schema.name"), name)?;
            if !json["json_schema"]["schema"].is_object() {
                let message = format!("Missing required parameter: '{path}.json_schema.schema'.");
                return Err(fault(message));
            }
            Ok(json)
        }
        _ => Err(fault(format!(
            "Invalid '{path}': expected 'auto' or an object with the type 'text', 'json_object' or \
             'json_schema'."
        ))),
    }
}

/// Whether a model calls tools: a word, or an object that names one of `tools`.
pub(super) fn tool_choice(path: &str, json: Json) -> Result<Json, AssistantsError> {
    let named = named_choice(&json).is_some();
    if named || matches!(json.as_str(), Some("auto" | "none" | "required")) {
        return Ok(json);
    }
    let expected = "'auto', 'none', 'required' or an object that names a tool";
    Err(invalid(path, expected, &json))
}

/// The tool that a choice names.
pub(in crate::assistants) fn named_choice(choice: &Json) -> Option<&str> {
    match choice["type"].as_str()? {
        // Responses have the name beside the type.
        "function" => choice["function"]["name"].as_str().or_else(|| choice["name"].as_str()),
        other => Some(other),
    }
}

pub(super) fn reasoning_effort(
    path: &str,
    effort: Option<String>,
) -> Result<Option<String>, AssistantsError> {
    match effort.as_deref() {
        None | Some("none" | "minimal" | "low" | "medium" | "high" | "xhigh") => Ok(effort),
        Some(other) => Err(invalid(
            path,
            "'none', 'minimal', 'low', 'medium', 'high' or 'xhigh'",
            &json!(other),
        )),
    }
}

/// Fields for the body of requests to the model's provider.
pub(super) fn extra_body(
    fields: &mut Fields,
) -> Result<Option<Map<String, Json>>, AssistantsError> {
    let path = fields.path("extra_body");
    let Some(extra) = fields.object("extra_body")? else { return Ok(None) };
    match extra.keys().find(|key| OWN_KEYS.contains(&key.as_str())) {
        None => Ok(Some(extra)),
        Some(key) => {
            let message = format!("Invalid '{path}': '{key}' is set by the run itself.");
            Err(AssistantsError::bad_param(format!("{path}.{key}"), message))
        }
    }
}

pub(super) fn truncation(
    fields: &mut Fields,
) -> Result<Option<TruncationStrategy>, AssistantsError> {
    let path = fields.path("truncation_strategy");
    let Some(json) = fields.take("truncation_strategy") else { return Ok(None) };
    let strategy: TruncationStrategy = read(&path, json)?;
    match (strategy.r#type.as_str(), strategy.last_messages) {
        ("auto", None) | ("last_messages", Some(1..)) => Ok(Some(strategy)),
        ("last_messages", _) => Err(AssistantsError::bad_param(
            format!("{path}.last_messages"),
            "Invalid 'truncation_strategy': 'last_messages' is an integer of at least 1.",
        )),
        ("auto", Some(_)) => Err(AssistantsError::bad_param(
            format!("{path}.last_messages"),
            "Invalid 'truncation_strategy': 'last_messages' belongs to the type 'last_messages'.",
        )),
        _ => Err(AssistantsError::bad_param(
            format!("{path}.type"),
            "Invalid 'truncation_strategy': the type is 'auto' or 'last_messages'.",
        )),
    }
}

/// Refuses resources of tools that this server does not have. An object without any is accepted,
/// because clients send it.
pub(super) fn no_tool_resources(fields: &mut Fields) -> Result<(), AssistantsError> {
    let path = fields.path("tool_resources");
    let resources = fields.object("tool_resources")?.unwrap_or_default();
    let is_empty = |json: &Json| json.is_null() || json.as_object().is_some_and(Map::is_empty);
    if resources.values().all(is_empty) {
        return Ok(());
    }
    let message = format!(
        "'{path}' is not supported by this server: it has no code interpreter and no file search."
    );
    Err(AssistantsError::bad_param(path, message))
}
