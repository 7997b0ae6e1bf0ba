//! A model's call of a tool.

use ddg_core::args::{Args, IntoArgs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A model's call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// Tells the calls of a conversation apart.
    pub id: String,
    /// The name of the tool, which need not exist: models make names up.
    pub name: String,
    /// With what it is called.
    pub arguments: ToolArguments,
}

/// The arguments of a call, as the model wrote them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolArguments {
    /// They are JSON. Whether it is what the tool takes is not said.
    Json(Json),
    /// They are not even JSON, or nested so deep that nobody would read them: the text as it is.
    Malformed(String),
}

impl ToolCall {
    /// A call with these arguments, which are JSON, or [as a model wrote them](ToolArguments).
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<ToolArguments>,
    ) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into() }
    }
}

impl ToolArguments {
    /// How deep arguments may be nested. In a snapshot there is a run around them, and no JSON is read
    /// that is nested deeper than about twice this.
    pub(crate) const DEEPEST: usize = 64;

    /// What a model's text is: JSON, or malformed. An empty text and `null` stand for no arguments, and
    /// an object that has been written into a string is taken out of it.
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

/// Each by name where they are an object, so that a call's arguments can be ferried with; whatever else they are is
/// one argument by position.
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
