//! Typed values: how a model is asked for one, and how it is read from a reply.

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{Capabilities, ChatReply, ChatRequest, FinishReason, OutputSchema, ToolChoice};
use crate::message::Message;
use crate::schema::{Validator, schema_of};

/// A type of values that a model is asked for.
pub(crate) struct Wanted {
    schema: OutputSchema,
    validator: Validator,
    /// Whether the value is the only field of an object, because providers accept only schemas of
    /// objects.
    in_object: bool,
    /// What else is wrong with a value that follows the schema.
    check: Box<Check>,
}

type Check = dyn Fn(&Json) -> Result<(), String> + Send + Sync;

/// What is no object, in one.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct InObject<T> {
    value: T,
}

impl Wanted {
    /// A request for a `T`.
    ///
    /// # Errors
    /// Why the type's schema is none.
    pub(crate) fn new<T: JsonSchema + DeserializeOwned>() -> Result<Self, String> {
        Self::checked::<T>(|_| Ok(()))
    }

    /// A `T` that passes `check`.
    ///
    /// # Errors
    /// Why the type's schema is none.
    pub(crate) fn checked<T: JsonSchema + DeserializeOwned>(
        check: impl Fn(&T) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let schema = schema_of::<T>();
        let in_object = schema["type"] != "object";
        let schema = if in_object { schema_of::<InObject<T>>() } else { schema };
        let validator = Validator::new(&schema)?;
        let schema = OutputSchema { name: name_of::<T>(), schema };
        let check =
            move |json: &Json| check(&T::deserialize(json).map_err(|error| error.to_string())?);
        Ok(Self { schema, validator, in_object, check: Box::new(check) })
    }

    /// Adds the schema to the request, in the place where the model expects it. Next to tools the
    /// schema is described in words, unless the model is known to follow a schema there.
    pub(crate) fn ask(&self, mut request: ChatRequest, can: Capabilities) -> ChatRequest {
        let beside_tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
        if can.output_schema && (!beside_tools || can.output_schema_with_tools) {
            return request.output_schema(self.schema.clone());
        }
        let when = if beside_tools { "When you give your answer, reply" } else { "Reply" };
        let told = format!("{when} with {}", self.in_words());
        match request.messages.first_mut() {
            Some(Message::System { text }) => *text = format!("{text}\n\n{told}"),
            _ => request.messages.insert(0, Message::system(told)),
        }
        request
    }

    /// What is asked for, in words that follow "reply with".
    pub(crate) fn in_words(&self) -> String {
        let schema = &self.schema.schema;
        format!("one JSON value that follows this JSON schema, and with nothing else:\n{schema}")
    }

    /// Finds the first JSON in the reply that fits the schema, whatever text is around it.
    ///
    /// # Errors
    /// What is wrong with the reply, in words that a model can act on.
    pub(crate) fn read(&self, reply: &ChatReply) -> Result<Json, Vec<String>> {
        let text = &reply.message.text;
        let mut faults = None;
        for json in found(text) {
            match self.check(json) {
                Ok(value) => return Ok(value),
                Err(wrong) => _ = faults.get_or_insert(wrong),
            }
        }
        Err(faults.unwrap_or_else(|| match reply.finish {
            FinishReason::Length => vec!["it was cut off: make it shorter".to_owned()],
            _ if text.trim().is_empty() => vec!["it is empty".to_owned()],
            _ => match serde_json::from_str::<Json>(text.trim()) {
                Err(error) => vec![format!("it is no JSON: {error}")],
                Ok(_) => vec!["it is no JSON".to_owned()],
            },
        }))
    }

    /// Whether a JSON of a reply is what is asked for.
    pub(super) fn fits(&self, json: &Json) -> bool {
        self.check(json.clone()).is_ok()
    }

    /// Whether the value is the field `value` of an object.
    pub(super) fn is_in_object(&self) -> bool {
        self.in_object
    }

    fn check(&self, mut json: Json) -> Result<Json, Vec<String>> {
        self.validator.check(&json)?;
        let value = if self.in_object { json["value"].take() } else { json };
        (self.check)(&value).map_err(|fault| vec![fault])?;
        Ok(value)
    }

    /// The message for a model whose reply has these faults.
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

/// The name of the type in a form that providers accept.
fn name_of<T: JsonSchema>() -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    T::schema_name().chars().map(fits).take(64).collect()
}

/// How many places in a text are looked at for JSON.
pub(super) const MOST_PLACES: usize = 64;

/// The end of a model's thinking, where it is a part of the text.
pub(super) const THOUGHT: &str = "</think>";

/// The JSON in a text: the whole, then each value in what follows the model's thinking.
fn found(text: &str) -> impl Iterator<Item = Json> {
    let whole = serde_json::from_str(text.trim()).ok();
    let said = text.rsplit_once(THOUGHT).map_or(text, |(_, said)| said);
    let mut from = 0;
    // Each value is looked for behind the one before, so that what is within it is none of its own.
    let within = std::iter::from_fn(move || {
        from += said[from..].find(['{', '['])?;
        let mut values = serde_json::Deserializer::from_str(&said[from..]).into_iter();
        let json = values.next().and_then(Result::ok);
        from += if json.is_some() { values.byte_offset() } else { 1 };
        Some(json)
    });
    let within: Vec<_> = match whole {
        Some(_) => Vec::new(),
        None => within.take(MOST_PLACES).flatten().collect(),
    };
    whole.into_iter().chain(within)
}
