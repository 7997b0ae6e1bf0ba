//! Why an agent did not take or end a run.

use ddg_core::__report::Told;
use ddg_core::run::AnswerError;
use ddg_core::{Outcome, RunError};

use crate::memory::{ConversationError, ConversationId, InvalidConversationId};
use crate::message::Message;
use crate::react::{AgentFailed, AgentOutcome, Mailbox};

/// Why an agent did not take or end a run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The conversation's id is none.
    #[error(transparent)]
    Id(#[from] InvalidConversationId),
    /// A run of the conversation goes on, in this process or another.
    #[error(
        "conversation `{conversation}` is busy: a run of it goes on; wait for its end, or let the \
         agent queue or steer (`when_busy`)"
    )]
    Busy {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The run failed. The conversation is as it was before, but if the [agent failed](AgentFailed):
    /// then it has what was said until then. If it was not the run's own fault, because
    /// its store failed or its deadline came, say, one that is kept can be
    /// [recovered](crate::Agent::recover).
    #[error("conversation `{conversation}`: {}", Told(&**.source))]
    Run {
        /// The conversation.
        conversation: ConversationId,
        /// Why.
        r#source: Box<RunError>,
        /// What was told to the run while it went on, heard or not, and is in no conversation now.
        unheard: Vec<Message>,
    },
    /// Another process has taken the conversation over, because this one did not renew its lease in
    /// time. The run was stopped; it may go on there if it was kept.
    #[error("conversation `{conversation}`: the run was stopped: {}", Told(&**.source))]
    TakenOver {
        /// The conversation.
        conversation: ConversationId,
        /// Why.
        r#source: Box<ConversationError>,
        /// What was told to the run while it went on, heard or not, and is in no conversation now.
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
    /// The run asks a person; it is kept with its conversation.
    #[error(
        "conversation `{conversation}`: the run asks a person; use `say`, and `answer` its questions"
    )]
    Paused {
        /// The conversation.
        conversation: ConversationId,
        /// What the run has left behind so far, with the questions.
        outcome: Box<Outcome>,
    },
    /// The conversation's run waits for people's answers.
    #[error(
        "conversation `{conversation}` waits for an answer to {}; `answer` first, `give_up` the \
         run, or let the agent queue or steer (`when_busy`)",
        questions.join(", ")
    )]
    Waiting {
        /// The conversation.
        conversation: ConversationId,
        /// The ids of the questions.
        questions: Vec<String>,
    },
    /// A run of the conversation was interrupted before its end.
    #[error(
        "conversation `{conversation}`: a run of it was interrupted before its end; `recover` it or \
         `give_up`, or let the agent queue or steer (`when_busy`)"
    )]
    Interrupted {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The conversation does not ask this: it never did, or has been answered.
    #[error("conversation `{conversation}`: {}", Told(.source))]
    NotAsked {
        /// The conversation.
        conversation: ConversationId,
        /// Why.
        r#source: AnswerError,
    },
    /// No run of the conversation waits to be gone on with, or not at this snapshot.
    #[error(
        "conversation `{conversation}` has no run that could be gone on with from here: it has gone \
         on since, or the snapshot is of another conversation"
    )]
    NotPaused {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The run that is open could not be kept with the conversation, or given up.
    #[error("conversation `{conversation}`: its open run cannot be written: {}", Told(.source))]
    Unkept {
        /// The conversation.
        conversation: ConversationId,
        /// Why; if somebody else has written the conversation since, that.
        r#source: ConversationError,
    },
    /// The conversation's run is in a store of runs, which the agent does not have.
    #[error(
        "conversation `{conversation}`: its run `{run}` is in a store of runs; give the agent that \
         store (`stored_in`)"
    )]
    NoRunStore {
        /// The conversation.
        conversation: ConversationId,
        /// The id of the run.
        run: String,
    },
    /// The turn, or what waited to be one, was [stopped](crate::Agent::stop). The conversation is as it was
    /// before.
    #[error("conversation `{conversation}`: stopped; it is as it was before")]
    Stopped {
        /// The conversation.
        conversation: ConversationId,
        /// What was said to it, heard or not, and is in no conversation now.
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
    /// The agent was [closed](crate::Agent::close).
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

impl AgentError {
    /// How the agent failed, if that is what went wrong.
    pub fn agent_failed(&self) -> Option<&AgentFailed> {
        match self {
            Self::Run { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }
}

ddg_core::__report::debug_is_display!(AgentError);
