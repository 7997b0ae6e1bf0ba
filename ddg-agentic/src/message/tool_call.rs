//! Tool calls of models.

use ddg_core::args::{Args, IntoArgs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A tool call of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// The id of the call, which is unique in the conversation.
    pub id: String,
    /// The name of the tool. It may not exist, because models make names up.
    pub name: String,
    /// The arguments.
    pub arguments: ToolArguments,
}

/// The arguments of a tool call, as the model wrote them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolArguments {
    /// The arguments are JSON. They may not be what the tool takes.
    Json(Json),
    /// The arguments are not JSON, or are nested too deeply to be read. This is the text.
    Malformed(String),
}

impl ToolCall {
    /// Creates a tool call. The arguments are JSON, or [as a model wrote them](ToolArguments).
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<ToolArguments>,
    ) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into() }
    }
}

impl ToolArguments {
    /// Maximum depth of arguments. A snapshot has a run around them, and JSON is refused by readers
    /// from about twice this depth on.
    pub(crate) const DEEPEST: usize = 64;

    /// Parses a model's text as JSON. Empty text and `null` mean no arguments, and an object that
    /// is encoded as a JSON string is decoded.
    ///
    /// ```
    /// use ddg_agentic::message::ToolArguments;
    /// use serde_json::json;
    ///
    /// assert_eq!(ToolArguments::parse(r#"{"city":"Tokyo"}"#), json!({ "city": "Tokyo" }).into());
    /// assert_eq!(ToolArguments::parse(r#""{\"city\":\"Tokyo\"}""#), json!({ "city": "Tokyo" }).into());
    /// assert_eq!(ToolArguments::parse(""), json!({}).into());
    /// assert_eq!(ToolArguments::parse("Tokyo"), ToolArguments::Malformed("Tokyo".into()));
    /// ```
    pub fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Json(Json::Object(Map::new()));
        }
        match serde_json::from_str(text) {
            Ok(Json::Null) => Self::Json(Json::Object(Map::new())),
            Ok(Json::String(inner)) => match serde_json::from_str(&inner) {
                Ok(Json::Object(object)) => Json::Object(object).into(),
                _ => Self::Json(Json::String(inner)),
            },
            Ok(json) => json.into(),
            Err(_) => Self::Malformed(text.to_owned()),
        }
    }

    /// The text that a model would write.
    pub fn to_text(&self) -> String {
        match self {
            Self::Json(json) => json.to_string(),
            Self::Malformed(text) => text.clone(),
        }
    }
}

fn is_deeper_than(json: &Json, depth: usize) -> bool {
    let mut within: Box<dyn Iterator<Item = &Json>> = match json {
        Json::Array(items) => Box::new(items.iter()),
        Json::Object(map) => Box::new(map.values()),
        _ => return false,
    };
    match depth.checked_sub(1) {
        Some(depth) => within.any(|json| is_deeper_than(json, depth)),
        None => true,
    }
}

/// If the arguments are an object, each is passed by name, so that a worker can ferry with them.
/// Other arguments are one positional argument.
///
/// ```
/// use ddg_agentic::message::ToolCall;
/// use ddg_core::prelude::*;
///
/// async fn act(call: ToolCall, cx: Context) {
///     cx.ferry_to(call.name.as_str(), call.arguments);
/// }
/// ```
impl IntoArgs for ToolArguments {
    fn into_args(self) -> Args {
        match self {
            Self::Json(json) => json.into_args(),
            Self::Malformed(_) => Args::new().with(self),
        }
    }
}

impl From<Json> for ToolArguments {
    fn from(json: Json) -> Self {
        match is_deeper_than(&json, Self::DEEPEST) {
            true => Self::Malformed(json.to_string()),
            false => Self::Json(json),
        }
    }
}
