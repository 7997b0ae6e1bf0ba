//! Typed replies.

use ddg_core::__report::{shown, shown_lines};
use std::any::type_name;
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::wanted::Wanted;
use super::{ChatModel, ChatRequest, ModelError, ToolChoice, Usage};
use crate::message::Message;

/// A request for a `T` instead of text. Created by [`extract`](super::ChatModelExt::extract); await
/// it.
///
/// The model gets the JSON schema of `T`: in the request if it [follows
/// one](super::Capabilities::output_schema), else in words. Its reply is checked. If it is not a
/// `T`, the model is told what is wrong and asked again, up to [three times](Self::attempts) in
/// total. The tools of the request are not called.
///
/// ```
/// use ddg_agentic::model::{ChatModelExt, ChatRequest, ScriptedModel};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Plan {
///     /// Where to go.
///     city: String,
///     days: u32,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ddg_agentic::model::ExtractError> {
/// let model = ScriptedModel::new()
///     .text(r#"{ "city": "Tokyo", "days": "three" }"#)
///     .text(r#"{ "city": "Tokyo", "days": 3 }"#);
/// let plan = model.extract::<Plan>(ChatRequest::new(["Three days in Tokyo!"])).await?.value;
/// assert_eq!((plan.city.as_str(), plan.days), ("Tokyo", 3));
///
/// let asked_again = &model.requests()[1].messages;
/// assert_eq!(
///     asked_again.last().unwrap().text(),
///     "This is not what was asked for:\n\
///      - days: \"three\" is not of type \"integer\"\n\
///      Reply with the whole JSON value again, corrected, and with nothing else.",
/// );
/// # Ok(())
/// # }
/// ```
/// # Errors
/// [`ExtractError`].
///
/// # Cancel safety
/// Dropping the future cancels the request.
#[must_use = "nothing is asked before it is awaited"]
pub struct Extraction<'a, M: ?Sized, T> {
    model: &'a M,
    request: ChatRequest,
    attempts: usize,
    wanted: PhantomData<fn() -> T>,
}

/// A value from a model, with the usage.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Extracted<T> {
    /// The value.
    pub value: T,
    /// The usage of all attempts.
    pub usage: Usage,
}

/// There is no value.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The model gave no reply.
    #[error("{source}")]
    Model {
        /// The error of the model.
        r#source: ModelError,
        /// The usage of the attempts before.
        usage: Usage,
    },
    /// The replies of the model are not what was asked for.
    #[error(
        "model `{model}` gave no `{wanted}` in {attempts} attempts; the faults of the last \
         one:\n- {}\n\
         It was: {text}",
        shown_lines(&faults.join("\n- ")), model = shown(.model), text = shown_lines(.text)
    )]
    NotAsAsked {
        /// The model.
        model: String,
        /// The type.
        wanted: &'static str,
        /// Number of attempts.
        attempts: usize,
        /// What is wrong with the last reply, in the words for the model.
        faults: Vec<String>,
        /// The last reply.
        text: String,
        /// The usage of all attempts.
        usage: Usage,
    },
    /// The type has no valid schema.
    #[error("the JSON schema of `{wanted}` is invalid: {message}", message = shown_lines(.message))]
    Schema {
        /// The type.
        wanted: &'static str,
        /// The cause.
        message: String,
    },
}

impl<'a, M: ChatModel + ?Sized, T: DeserializeOwned + JsonSchema> Extraction<'a, M, T> {
    pub(super) fn new(model: &'a M, request: ChatRequest) -> Self {
        Self { model, request, attempts: 3, wanted: PhantomData }
    }

    /// Sets the maximum number of attempts (at least 1).
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    async fn run(self) -> Result<Extracted<T>, ExtractError> {
        let wanted = Wanted::new::<T>()
            .map_err(|message| ExtractError::Schema { wanted: type_name::<T>(), message })?;
        let mut request = wanted.ask(self.request, self.model.capabilities());
        if !request.tools.is_empty() {
            request.tool_choice = ToolChoice::None;
        }
        let mut usage = Usage::default();
        let mut attempt = 1;
        loop {
            let reply = match self.model.chat(request.clone()).await {
                Ok(reply) => reply,
                Err(source) => return Err(ExtractError::Model { source, usage }),
            };
            usage += reply.usage;
            let read = |json| serde_json::from_value(json).map_err(|error| vec![error.to_string()]);
            let faults = match wanted.read(&reply).and_then(read) {
                Ok(value) => return Ok(Extracted { value, usage }),
                Err(faults) => faults,
            };
            if attempt == self.attempts {
                return Err(ExtractError::NotAsAsked {
                    model: reply.model.unwrap_or_else(|| self.model.name().to_owned()),
                    wanted: type_name::<T>(),
                    attempts: attempt,
                    faults,
                    text: reply.message.text,
                    usage,
                });
            }
            // Providers refuse a message without text.
            if !reply.message.text.trim().is_empty() {
                request.messages.push(Message::assistant(reply.message.text));
            }
            request.messages.push(Wanted::again(&faults));
            attempt += 1;
        }
    }
}

impl<'a, M, T> IntoFuture for Extraction<'a, M, T>
where
    M: ChatModel + ?Sized,
    T: DeserializeOwned + JsonSchema + 'a,
{
    type Output = Result<Extracted<T>, ExtractError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: ChatModel + ?Sized, T> fmt::Debug for Extraction<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extraction(`{}` by `{}`)", type_name::<T>(), self.model.name())
    }
}

ddg_core::__report::debug_is_display!(ExtractError);
