//! A model's call of a tool.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A model's call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Tells the calls of a conversation apart.
    pub id: String,
    /// The name of the tool, which need not exist: models make names up.
    pub name: String,
    /// With what it is called.
    pub arguments: Arguments,
}

/// The arguments of a call, as the model wrote them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// They are JSON. Whether it is what the tool takes is not said.
    Json(Json),
    /// They are not even JSON: the text as it is.
    Malformed(String),
}

impl ToolCall {
    /// A call with arguments that are JSON.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: Json) -> Self {
        Self { id: id.into(), name: name.into(), arguments: Arguments::Json(arguments) }
    }
}

impl Arguments {
    /// What a model's text is: JSON, or malformed. An empty text and `null` stand for no arguments, and
    /// an object that has been written into a string is taken out of it.
    ///
    /// ```
    /// use ddg_agentic::Arguments;
    /// use serde_json::json;
    ///
    /// assert_eq!(Arguments::parse(r#"{"city":"Tokyo"}"#), json!({ "city": "Tokyo" }).into());
    /// assert_eq!(Arguments::parse(r#""{\"city\":\"Tokyo\"}""#), json!({ "city": "Tokyo" }).into());
    /// assert_eq!(Arguments::parse(""), json!({}).into());
    /// assert_eq!(Arguments::parse("Tokyo"), Arguments::Malformed("Tokyo".into()));
    /// ```
    pub fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Json(Json::Object(Map::new()));
        }
        match serde_json::from_str(text) {
            Ok(Json::Null) => Self::Json(Json::Object(Map::new())),
            Ok(Json::String(inner)) => match serde_json::from_str(&inner) {
                Ok(Json::Object(object)) => Self::Json(Json::Object(object)),
                _ => Self::Json(Json::String(inner)),
            },
            Ok(json) => Self::Json(json),
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

impl From<Json> for Arguments {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}
