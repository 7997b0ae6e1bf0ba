//! Assistants.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::Metadata;

/// An assistant: a model with instructions and tools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Assistant {
    /// The id, `asst_…`.
    pub id: String,
    /// Always `assistant`.
    pub object: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The model.
    pub model: String,
    /// The instructions for the model.
    pub instructions: Option<String>,
    /// The tools.
    pub tools: Vec<AssistantTool>,
    /// Pairs of the client. `memory` decides what the model sees of a thread.
    pub metadata: Metadata,
    /// The temperature, from 0.
    pub temperature: Option<f64>,
    /// The probability mass of the tokens from which the model samples.
    pub top_p: Option<f64>,
    /// `auto`, or an object with a `type`: `text`, `json_object` or `json_schema`.
    pub response_format: Json,
    /// The effort of reasoning.
    pub reasoning_effort: Option<String>,
    /// Resources of tools; there are none.
    #[serde(default)]
    pub tool_resources: Option<Json>,
    /// Fields for the body of requests to the model's provider.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra_body: Map<String, Json>,
}

/// A tool of an assistant or run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Json", try_from = "Json")]
#[non_exhaustive]
pub enum AssistantTool {
    /// A function of the client, which submits the outputs of calls.
    Function(FunctionSpec),
    /// A tool of the server, by its name.
    Server(String),
}

/// A function of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionSpec {
    /// The name.
    pub name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON schema of its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Json>,
    /// Whether the model keeps to the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

impl AssistantTool {
    /// The name with which the model calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Function(function) => &function.name,
            Self::Server(name) => name,
        }
    }
}

impl From<AssistantTool> for Json {
    fn from(tool: AssistantTool) -> Self {
        match tool {
            AssistantTool::Function(function) => {
                json!({ "type": "function", "function": function })
            }
            AssistantTool::Server(name) => json!({ "type": name }),
        }
    }
}

impl TryFrom<Json> for AssistantTool {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        match json.get("type").and_then(Json::as_str) {
            Some("function") => {
                let function = json.get("function").cloned().unwrap_or_default();
                let function = serde_json::from_value(function);
                Ok(Self::Function(function.map_err(|error| format!("function: {error}"))?))
            }
            Some(name) => Ok(Self::Server(name.to_owned())),
            None => {
                Err("a tool is an object with a `type`: `function`, or a tool of the server"
                    .to_owned())
            }
        }
    }
}
