//! What a model is told of a tool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::schema::schema_of;

/// What a model is told of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSpec {
    /// Its name: 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// The JSON schema of its arguments, an object.
    pub parameters: Json,
}

impl ToolSpec {
    /// What a model is told of the tool `name`.
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: Json) -> Self {
        Self { name: name.into(), description: description.into(), parameters }
    }
}

/// The schema of arguments that are read as an `A`: with `properties` in any case, which some
/// providers ask for, and without the name of the type, which says nothing to a model.
pub(crate) fn parameters_of<A: JsonSchema>() -> Json {
    let mut parameters = schema_of::<A>();
    if let Json::Object(schema) = &mut parameters {
        schema.remove("title");
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    parameters
}
