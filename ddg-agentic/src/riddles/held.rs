//! A response that is sent later.

use serde::{Deserialize, Serialize};

use super::error::RiddleError;
use super::message::AgentMessage;

/// A response that an agent has held back. It can be kept as JSON, changed, and sent once, by
/// whichever process has it.
///
/// ```no_run
/// use ddg_agentic::riddles::{HeldResponse, Management, RiddleError};
///
/// # async fn later(management: Management, kept: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let mut held: HeldResponse = serde_json::from_str(kept)?;
/// held.response_mut().solution[0].explanation = "slept over it".to_owned();
/// management.send_held(held).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldResponse {
    agent: String,
    number: i64,
    response: AgentMessage,
}

impl HeldResponse {
    pub(super) fn new(agent: &str, number: i64, response: AgentMessage) -> Self {
        Self { agent: agent.to_owned(), number, response }
    }

    /// The agent that holds it.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The number of the message that it answers.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// The response.
    pub const fn response(&self) -> &AgentMessage {
        &self.response
    }

    /// The response, to change it.
    pub const fn response_mut(&mut self) -> &mut AgentMessage {
        &mut self.response
    }

    /// The parts: agent, number and response.
    pub fn into_parts(self) -> (String, i64, AgentMessage) {
        (self.agent, self.number, self.response)
    }
}

/// What became of an answer that was sent to the management.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Receipt {
    /// The answer counts.
    Taken,
    /// The message was answered before; this answer is not counted.
    Repeated,
    /// The riddle has ended, or the deadline has passed: it is kept, and changes nothing.
    Late,
}

impl Receipt {
    /// The error of a response that may be sent only once.
    pub(super) fn once(self, number: i64) -> Result<Self, RiddleError> {
        match self {
            Self::Repeated => Err(RiddleError::AlreadyAnswered { number }),
            Self::Taken | Self::Late => Ok(self),
        }
    }
}
