//! How a value of a type is asked for, and read out of a reply.

use std::fmt;

use schemars::JsonSchema;
use serde_json::Value as Json;

use super::{Capabilities, ChatReply, ChatRequest, FinishReason, OutputSchema};
use crate::message::Message;
use crate::schema::{Validator, schema_of};

/// A value of a type, as it is asked for.
pub(crate) struct Wanted {
    schema: OutputSchema,
    validator: Validator,
    /// Whether it is the only field of an object: providers take schemas of objects alone.
    in_object: bool,
}

/// What is no object, in one.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct InObject<T> {
    value: T,
}

impl Wanted {
    /// A `T`.
    ///
    /// # Errors
    /// Why the type's schema is none.
    pub(crate) fn new<T: JsonSchema>() -> Result<Self, String> {
        let schema = schema_of::<T>();
        let in_object = schema["type"] != "object";
        let schema = if in_object { schema_of::<InObject<T>>() } else { schema };
        let validator = Validator::new(&schema)?;
        let schema = OutputSchema { name: name_of::<T>(), schema };
        Ok(Self { schema, validator, in_object })
    }

    /// The request, with the schema where the model looks for it.
    pub(crate) fn ask(&self, mut request: ChatRequest, can: Capabilities) -> ChatRequest {
        if can.output_schema {
            return request.output_schema(self.schema.clone());
        }
        let told = format!(
            "Reply with one JSON value that follows this JSON schema, and with nothing else:\n{}",
            self.schema.schema
        );
        match request.messages.first_mut() {
            Some(Message::System { text }) => *text = format!("{text}\n\n{told}"),
            _ => request.messages.insert(0, Message::system(told)),
        }
        request
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// What is wrong with the reply, in words that a model can act on.
    pub(crate) fn read(&self, reply: &ChatReply) -> Result<Json, Vec<String>> {
        let text = &reply.message.text;
        let mut json = json_of(text).map_err(|error| match reply.finish {
            FinishReason::Length => vec!["it was cut off: make it shorter".to_owned()],
            _ if text.trim().is_empty() => vec!["it is empty".to_owned()],
            _ => vec![format!("it is no JSON: {error}")],
        })?;
        self.validator.check(&json)?;
        Ok(if self.in_object { json["value"].take() } else { json })
    }

    /// What a model is told whose reply has these faults.
    pub(crate) fn again(faults: &[String]) -> Message {
        Message::user(format!(
            "This is not what was asked for:\n- {}\n\
             Reply with the whole JSON value again, corrected, and with nothing else.",
            faults.join("\n- ")
        ))
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted(`{}`)", self.schema.name)
    }
}

/// The type's name as providers take it.
fn name_of<T: JsonSchema>() -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    T::schema_name().chars().map(fits).take(64).collect()
}

/// The JSON that a text is, or that it has between fences.
fn json_of(text: &str) -> Result<Json, serde_json::Error> {
    let whole = serde_json::from_str(text.trim());
    match fenced(text) {
        Some(fenced) if whole.is_err() => serde_json::from_str(fenced),
        _ => whole,
    }
}

/// What stands between the first pair of fences, if any.
fn fenced(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("```")?;
    let (_language, rest) = rest.split_once('\n')?;
    let (inside, _) = rest.split_once("```")?;
    Some(inside.trim())
}
