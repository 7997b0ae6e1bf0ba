//! Descriptions of tools for models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::schema::schema_of;

/// The description of a tool for models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSpec {
    /// The name: 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// The purpose of the tool, and when to use it.
    pub description: String,
    /// The JSON schema of the arguments, an object.
    pub parameters: Json,
    /// Whether the provider makes the model follow the schema to the letter; if there is none, the
    /// provider decides. It is sent to servers with OpenAI's APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

impl ToolSpec {
    /// Creates the description of the tool `name`.
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: Json) -> Self {
        Self { name: name.into(), description: description.into(), parameters, strict: None }
    }

    /// Sets whether the model must follow the schema to the letter.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict: Some(strict), ..self }
    }
}

/// The schema of arguments that are deserialised as an `A`. It always has `properties`, which some
/// providers require, and never the name of the type, which is useless to a model.
pub(crate) fn parameters_of<A: JsonSchema>() -> Json {
    let mut parameters = schema_of::<A>();
    if let Json::Object(schema) = &mut parameters {
        schema.remove("title");
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    parameters
}
