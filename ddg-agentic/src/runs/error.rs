//! Why an agent did not take or end a run.

use ddg_core::__report::Told;
use ddg_core::{Outcome, RunError};

use crate::memory::{ConversationError, ConversationId, InvalidConversationId};
use crate::message::Message;
use crate::react::{AgentOutcome, Mailbox};

/// Why an agent did not take or end a run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The conversation's id is none.
    #[error(transparent)]
    Id(#[from] InvalidConversationId),
    /// A run of the conversation goes on.
    #[error(
        "conversation `{conversation}` is busy: a run of it goes on; wait for its end, or let the \
         agent queue or steer (`when_busy`)"
    )]
    Busy {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The run failed. The conversation is as it was before.
    #[error("conversation `{conversation}`: {}", Told(&**.source))]
    Run {
        /// The conversation.
        conversation: ConversationId,
        /// Why.
        r#source: Box<RunError>,
        /// What was told to the run while it went on, and is in no conversation now.
        unheard: Vec<Message>,
    },
    /// The conversation could not be read.
    #[error("conversation `{conversation}` cannot be read: {}", Told(.source))]
    Unread {
        /// The conversation.
        conversation: ConversationId,
        /// Why.
        r#source: ConversationError,
    },
    /// The run has ended, and the conversation could not be written.
    #[error(
        "conversation `{conversation}` cannot be written: {}; the outcome is in this error",
        Told(.source)
    )]
    Unwritten {
        /// The conversation.
        conversation: ConversationId,
        /// Why; if somebody else has written it since the run began, that.
        r#source: ConversationError,
        /// What the run left behind.
        outcome: Box<AgentOutcome>,
    },
    /// The run asks a person.
    #[error(
        "conversation `{conversation}`: the run asks a person; use `say`, let the questions be \
         answered, and `resume`"
    )]
    Paused {
        /// The conversation.
        conversation: ConversationId,
        /// What the run has left behind so far, with the questions.
        outcome: Box<Outcome>,
        /// What was told to the run and what it has not heard.
        unheard: Vec<Message>,
    },
    /// The turn, or what waited to be one, was [stopped](super::Agent::stop). The conversation is as it was
    /// before.
    #[error("conversation `{conversation}`: stopped; it is as it was before")]
    Stopped {
        /// The conversation.
        conversation: ConversationId,
        /// What was said, and is in no conversation now.
        unheard: Vec<Message>,
    },
    /// So many messages wait to be heard by the turn that goes on that no more are taken.
    #[error(
        "conversation `{conversation}`: {} messages wait to be heard by the turn that goes on: wait \
         until it has ended, or stop it",
        Mailbox::MOST
    )]
    SteeringFull {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Nothing is known of the conversation.
    #[error("there is no conversation `{conversation}`: nothing was said in it")]
    Unknown {
        /// The conversation.
        conversation: ConversationId,
    },
    /// No turn of the conversation goes on.
    #[error("no turn of conversation `{conversation}` goes on: say something")]
    NotRunning {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The agent was [closed](super::Agent::close).
    #[error("the agent is closed: it takes nothing new")]
    Closed,
    /// The message was told to the run that goes on; that one's caller gets the outcome.
    #[error(
        "conversation `{conversation}`: a run goes on and has been told; its own caller gets the \
         outcome"
    )]
    Steered {
        /// The conversation.
        conversation: ConversationId,
    },
}

ddg_core::__report::debug_is_display!(AgentError);
