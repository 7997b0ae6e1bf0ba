//! Events of runs and responses, with their numbers.

use serde_json::Value as Json;

use super::AssistantsError;
use super::object::{LastError, Message, Response, Run, RunStep, Thread};
use super::store::During;

/// An event of a run or response, as clients get it.
///
/// A run's events are numbered from 1. A response's are numbered from 0, which is the
/// `sequence_number` in their data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The number.
    pub number: u64,
    /// The name, such as `thread.run.created`.
    pub name: String,
    /// The data, as JSON.
    pub data: String,
}

/// The data of an event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventContent {
    /// A thread was created with its run.
    Thread(Thread),
    /// A run changed its state.
    Run(Box<Run>),
    /// A step was created or changed its state.
    Step(Box<RunStep>),
    /// A part of the calls of a step, or an output.
    StepDelta(Json),
    /// A message was created or changed its state.
    Message(Box<Message>),
    /// A part of a message.
    MessageDelta(Json),
    /// The run has failed.
    Error(LastError),
    /// A response was created or changed its state.
    Response(Box<Response>),
    /// A part of a response.
    ResponsePart(Json),
}

impl Event {
    /// Reads the data.
    ///
    /// # Errors
    /// If the data does not fit an event of this name, for example after a change of versions.
    pub fn content(&self) -> Result<EventContent, AssistantsError> {
        let read = "read an event";
        let data: Json = serde_json::from_str(&self.data).during(read)?;
        Ok(match self.name.as_str() {
            "error" => {
                let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
                EventContent::Error(LastError::new(&text("code"), text("message")))
            }
            "thread.created" => EventContent::Thread(serde_json::from_value(data).during(read)?),
            "thread.run.step.delta" => EventContent::StepDelta(data),
            "thread.message.delta" => EventContent::MessageDelta(data),
            name if name.starts_with("thread.run.step.") => {
                EventContent::Step(serde_json::from_value(data).during(read)?)
            }
            name if name.starts_with("thread.run.") => {
                EventContent::Run(serde_json::from_value(data).during(read)?)
            }
            name if name.starts_with("thread.message.") => {
                EventContent::Message(serde_json::from_value(data).during(read)?)
            }
            _ => match data.get("response") {
                Some(response) => {
                    EventContent::Response(serde_json::from_value(response.clone()).during(read)?)
                }
                None => EventContent::ResponsePart(data),
            },
        })
    }
}
