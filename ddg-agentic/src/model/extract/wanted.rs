//! How a value of a type is asked for, and read out of a reply.

use std::any::type_name;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::ExtractError;
use crate::message::Message;
use crate::model::{Capabilities, ChatReply, ChatRequest, FinishReason, OutputSchema, ToolChoice};
use crate::schema::{Validator, schema_of};

/// A `T` as it is asked for.
pub(super) struct Wanted<T> {
    schema: OutputSchema,
    validator: Validator,
    /// Whether it is the only field of an object: providers take schemas of objects alone.
    in_object: bool,
    ty: PhantomData<fn() -> T>,
}

/// What is no object, in one.
#[derive(Deserialize, JsonSchema)]
struct InObject<T> {
    value: T,
}

impl<T: DeserializeOwned + JsonSchema> Wanted<T> {
    pub(super) fn new() -> Result<Self, ExtractError> {
        let schema = schema_of::<T>();
        let in_object = schema["type"] != "object";
        let schema = if in_object { schema_of::<InObject<T>>() } else { schema };
        let name = name_of::<T>();
        let validator = Validator::new(&schema)
            .map_err(|message| ExtractError::Schema { wanted: type_name::<T>(), message })?;
        Ok(Self { schema: OutputSchema { name, schema }, validator, in_object, ty: PhantomData })
    }

    /// The request, with the schema where the model looks for it.
    pub(super) fn ask(&self, mut request: ChatRequest, can: Capabilities) -> ChatRequest {
        if !request.tools.is_empty() {
            request.tool_choice = ToolChoice::None;
        }
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

    /// # Errors
    /// What is wrong with the reply, in words that a model can act on.
    pub(super) fn read(&self, reply: &ChatReply) -> Result<T, Vec<String>> {
        let text = &reply.message.text;
        let json = json_of(text).map_err(|error| match reply.finish {
            FinishReason::Length => vec!["it was cut off: make it shorter".to_owned()],
            _ if text.trim().is_empty() => vec!["it is empty".to_owned()],
            _ => vec![format!("it is no JSON: {error}")],
        })?;
        self.validator.check(&json)?;
        let read = if self.in_object {
            serde_json::from_value::<InObject<T>>(json).map(|object| object.value)
        } else {
            serde_json::from_value(json)
        };
        read.map_err(|error| vec![error.to_string()])
    }

    /// What is said to be asked again.
    pub(super) fn again(&self, reply: ChatReply, faults: &[String]) -> Vec<Message> {
        let asked = Message::user(format!(
            "This is not what was asked for:\n- {}\n\
             Reply with the whole JSON value again, corrected, and with nothing else.",
            faults.join("\n- ")
        ));
        // Providers refuse a message without words.
        match reply.message.text {
            text if text.trim().is_empty() => vec![asked],
            text => vec![Message::assistant(text), asked],
        }
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
