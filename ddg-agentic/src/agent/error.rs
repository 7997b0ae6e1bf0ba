//! Errors of an agent.

use ddg_core::__report::{Told, shown};
use ddg_core::run::AnswerError;
use ddg_core::{Outcome, RunError};

use crate::memory::{ConversationError, ConversationId, InvalidConversationId};
use crate::message::Message;
use crate::react::{AgentFailed, AgentOutcome, Mailbox};

/// Why an agent did not accept or finish a run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The id of the conversation is invalid.
    #[error(transparent)]
    Id(#[from] InvalidConversationId),
    /// A run of the conversation is active, in this process or another.
    #[error(
        "conversation `{conversation}` is busy: a run of it is active; wait until it ends, or let the \
         agent queue or steer (`when_busy`)",
        conversation = shown(.conversation)
    )]
    Busy {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The run failed. The conversation is as it was before, except if the [agent
    /// failed](AgentFailed): then it contains the messages up to the failure.
    ///
    /// If the cause was outside of the run, such as a failure of its store or its deadline, a saved
    /// run can be [recovered](crate::Agent::recover).
    #[error(
        "conversation `{conversation}`: {}",
        Told(&**.source), conversation = shown(.conversation)
    )]
    Run {
        /// The conversation.
        conversation: ConversationId,
        /// The cause.
        r#source: Box<RunError>,
        /// The messages that were passed to the run while it was active, whether it has read them
        /// or not. They are in no conversation now.
        unheard: Vec<Message>,
    },
    /// Another process has taken the conversation over, because this one did not renew its lease in
    /// time. This run was stopped. If it was saved, the other process may continue it.
    #[error(
        "conversation `{conversation}`: the run was stopped: {}",
        Told(&**.source), conversation = shown(.conversation)
    )]
    TakenOver {
        /// The conversation.
        conversation: ConversationId,
        /// The cause.
        r#source: Box<ConversationError>,
        /// The messages that were passed to the run while it was active, whether it has read them
        /// or not. They are in no conversation now.
        unheard: Vec<Message>,
    },
    /// The conversation could not be read.
    #[error(
        "conversation `{conversation}` cannot be read: {}",
        Told(.source), conversation = shown(.conversation)
    )]
    Unread {
        /// The conversation.
        conversation: ConversationId,
        /// The cause.
        r#source: ConversationError,
    },
    /// The run has ended, but the conversation could not be written.
    #[error(
        "conversation `{conversation}` cannot be written: {}; the outcome is in this error",
        Told(.source), conversation = shown(.conversation)
    )]
    Unwritten {
        /// The conversation.
        conversation: ConversationId,
        /// The cause; [`Changed`](ConversationError::Changed) if another writer has saved the
        /// conversation since the run began.
        r#source: ConversationError,
        /// The outcome of the run.
        outcome: Box<AgentOutcome>,
    },
    /// The run asks a person. It is saved with its conversation.
    #[error(
        "conversation `{conversation}`: the run asks a person; use `say`, and `answer` its \
         questions",
        conversation = shown(.conversation)
    )]
    Paused {
        /// The conversation.
        conversation: ConversationId,
        /// The outcome of the run so far, with the questions.
        outcome: Box<Outcome>,
    },
    /// The conversation's run waits for answers of people.
    #[error(
        "conversation `{conversation}` waits for an answer to {}; `answer` first, `give_up` the \
         run, or let the agent queue or steer (`when_busy`)",
        shown(&questions.join(", ")), conversation = shown(.conversation)
    )]
    Waiting {
        /// The conversation.
        conversation: ConversationId,
        /// The ids of the questions.
        questions: Vec<String>,
    },
    /// A run of the conversation was interrupted before its end.
    #[error(
        "conversation `{conversation}`: its run was interrupted; `recover` it, `give_up`, or let \
         the agent queue or steer (`when_busy`)",
        conversation = shown(.conversation)
    )]
    Interrupted {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The conversation does not ask this question: it never did, or the question has been
    /// answered.
    #[error(
        "conversation `{conversation}`: {}",
        Told(.source), conversation = shown(.conversation)
    )]
    NotAsked {
        /// The conversation.
        conversation: ConversationId,
        /// The cause.
        r#source: AnswerError,
    },
    /// The conversation has no paused or interrupted run, or not at this snapshot.
    #[error(
        "conversation `{conversation}` has no run that can be resumed from here: it has continued \
         since then, or the snapshot belongs to another conversation",
        conversation = shown(.conversation)
    )]
    NotPaused {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The open run could not be saved with the conversation, or could not be dropped.
    #[error(
        "conversation `{conversation}`: its open run cannot be written: {}",
        Told(.source), conversation = shown(.conversation)
    )]
    Unkept {
        /// The conversation.
        conversation: ConversationId,
        /// The cause; [`Changed`](ConversationError::Changed) if another writer has saved the
        /// conversation since.
        r#source: ConversationError,
    },
    /// The conversation's run is in a store of runs that the agent does not have.
    #[error(
        "conversation `{conversation}`: its run `{run}` is in a store of runs; give the agent that \
         store (`stored_in`)",
        conversation = shown(.conversation), run = shown(.run)
    )]
    NoRunStore {
        /// The conversation.
        conversation: ConversationId,
        /// The id of the run.
        run: String,
    },
    /// The turn, or a message that waited for its turn, was [stopped](crate::Agent::stop). The
    /// conversation is as it was before.
    #[error(
        "conversation `{conversation}`: stopped; it is as it was before",
        conversation = shown(.conversation)
    )]
    Stopped {
        /// The conversation.
        conversation: ConversationId,
        /// The messages of the turn, whether the model has read them or not. They are in no
        /// conversation now.
        unheard: Vec<Message>,
    },
    /// The active turn accepts no more messages, because too many wait for it already.
    #[error(
        "conversation `{conversation}`: {} messages already wait for the active turn: wait until \
         it has ended, or stop it",
        Mailbox::MOST, conversation = shown(.conversation)
    )]
    SteeringFull {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The conversation does not exist.
    #[error(
        "there is no conversation `{conversation}`: nothing was said in it",
        conversation = shown(.conversation)
    )]
    Unknown {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The conversation has no active turn.
    #[error(
        "conversation `{conversation}` has no active turn: say something",
        conversation = shown(.conversation)
    )]
    NotRunning {
        /// The conversation.
        conversation: ConversationId,
    },
    /// The agent is [closed](crate::Agent::close).
    #[error("the agent is closed and accepts nothing new")]
    Closed,
    /// The message was passed to the active run. The caller of that run gets the outcome.
    #[error(
        "conversation `{conversation}`: the message was passed to the active run, whose caller \
         gets the outcome",
        conversation = shown(.conversation)
    )]
    Steered {
        /// The conversation.
        conversation: ConversationId,
    },
}

impl AgentError {
    /// The failure of the agent itself, if that is the cause.
    pub fn agent_failed(&self) -> Option<&AgentFailed> {
        match self {
            Self::Run { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }
}

ddg_core::__report::debug_is_display!(AgentError);
