//! The way to an agent in another process.

use std::fmt;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::message::AgentMessage;

/// A message as it travels to an agent elsewhere, and back: with its number, and the agent's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Envelope {
    /// The number of the message. The answer has the same.
    pub number: i64,
    /// The name of the agent.
    pub agent: String,
    /// On the way back: `"stop"` if the agent gives up on this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The message.
    #[serde(flatten)]
    pub message: AgentMessage,
}

impl Envelope {
    /// A message with its number, for or from this agent.
    pub fn new(number: i64, agent: impl Into<String>, message: AgentMessage) -> Self {
        Self { number, agent: agent.into(), decision: None, message }
    }

    /// The agent gives up on this message.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        self.decision = Some("stop".to_owned());
        self
    }
}

/// Sends messages to an agent elsewhere, which acknowledges each at once and answers later with
/// [`Management::answer`](super::Management::answer).
pub trait AgentLink: fmt::Debug + Send + Sync + 'static {
    /// Sends a message. It has been acknowledged if this is `Ok`; otherwise it is sent again, with
    /// back-off, until the deadline of the stage. The agent may get it twice, with the same number.
    ///
    /// # Errors
    /// In words, if it was not acknowledged.
    fn send<'a>(&'a self, envelope: &'a Envelope) -> BoxFuture<'a, Result<(), String>>;
}
