//! Messages on their way to agents, and what comes back, as data.

use serde::{Deserialize, Serialize};

use super::message::AgentMessage;
use super::stage::Stage;

/// A message to one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Delivery {
    /// The same for the same message, also if it is made again: the key of its worker.
    pub(super) key: String,
    pub(super) stage: Stage,
    pub(super) agent: String,
    /// Of an extraction: the index of the item.
    pub(super) item: Option<usize>,
    /// Of a review: the indices of the proposals.
    pub(super) proposals: Vec<usize>,
    pub(super) message: AgentMessage,
}

/// The end of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Arrived {
    pub(super) key: String,
    pub(super) stage: Stage,
    pub(super) agent: String,
    pub(super) item: Option<usize>,
    pub(super) proposals: Vec<usize>,
    pub(super) answer: Answer,
}

/// What came back for a delivery. Everything but a message is an abstention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    Message(Box<AgentMessage>),
    /// The agent gives up.
    Stopped,
    /// The agent failed, for this reason.
    Failed(String),
    /// Nothing came before the deadline.
    Deadline,
    /// The riddle has ended meanwhile.
    RiddleEnded,
    /// The time in which more solutions could have come is over.
    Waited,
}

impl Delivery {
    pub(super) fn arrived(&self, answer: Answer) -> Arrived {
        Arrived {
            key: self.key.clone(),
            stage: self.stage,
            agent: self.agent.clone(),
            item: self.item,
            proposals: self.proposals.clone(),
            answer,
        }
    }
}
