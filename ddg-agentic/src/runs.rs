//! One agent for many conversations, each of which has one run at a time.

mod error;
mod live;
mod stop;
mod turnstile;

use std::sync::Arc;

use ddg_core::graph::BuildError;
use ddg_core::snapshot::Snapshot;
use ddg_core::{Automa, Outcome, RunError, TypedAutoma};

pub use error::AgentError;
use live::{LiveTurn, LiveTurns, Went};
pub use stop::{Closed, ConversationState, Stopped};
use turnstile::{Admitted, OpenMailbox, Turnstile};

use crate::memory::{ConversationId, ConversationStore, ConversationVersion, MemoryConversations};
use crate::message::Message;
use crate::react::{AgentOutcome, Mailboxes, ReActAutoma, Task};

/// One agent for many conversations, to be shared by as many tasks as you like.
///
/// A conversation has one run at a time. What is said while one goes on is refused, waits for its
/// turn, or is told to the run that goes on, see [`WhenBusy`]. However a run ends, with an answer, an
/// error, a panic, or because its future is dropped, the conversation is free again.
///
/// ```
/// use ddg_agentic::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = ScriptedModel::new().reply(ChatReply::text("Hello Ada.")).reply(ChatReply::text("Ada."));
/// let agent = Agent::new(ReActAutoma::new(model))?;
/// agent.run("visitor-7", "I am Ada.").await?;
/// let outcome = agent.run("visitor-7", "What is my name?").await?;
/// assert_eq!(outcome.text(), "Ada.");
/// assert_eq!(outcome.conversation.messages.len(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Agent {
    automa: TypedAutoma<AgentOutcome>,
    conversations: Arc<dyn ConversationStore>,
    when_busy: WhenBusy,
    turnstile: Arc<Turnstile>,
    mailboxes: Arc<Mailboxes>,
    live: Arc<LiveTurns>,
}

/// What happens to what is said in a conversation while a run of it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenBusy {
    /// It is refused at once, with [`AgentError::Busy`].
    #[default]
    Refuse,
    /// It waits until the runs before it have ended, in the order in which they came.
    Queue,
    /// The run that goes on hears it before it asks its model again. If that comes too late, it waits.
    Steer,
}

/// What became of what was said.
#[derive(Debug)]
#[non_exhaustive]
pub enum Said {
    /// A run has ended.
    Ended(AgentOutcome),
    /// A run asks a person, to allow the call of a tool, say, and goes on with
    /// [`Agent::resume`] when its [questions](Outcome::questions) have been answered.
    Paused {
        /// What the run has left behind so far.
        outcome: Outcome,
        /// What was told to the run and what it has not heard: say it again later.
        unheard: Vec<Message>,
    },
    /// The run that goes on has been told; its own caller gets the outcome. If it fails before it has
    /// heard it, the message is in that caller's [error](AgentError::Run); if it is cancelled, nobody
    /// hears it.
    Steered,
}

impl Agent {
    /// An agent whose conversations are kept in memory.
    ///
    /// # Errors
    /// The agent cannot be built.
    pub fn new(agent: ReActAutoma) -> Result<Self, BuildError> {
        let (agent, mailboxes) = agent.with_mailboxes();
        Ok(Self {
            automa: agent.build()?,
            conversations: Arc::new(MemoryConversations::new()),
            when_busy: WhenBusy::default(),
            turnstile: Arc::default(),
            mailboxes,
            live: Arc::default(),
        })
    }

    /// Sets where conversations are kept; an `Arc` of a store is a store, too.
    #[must_use]
    pub fn conversations(mut self, store: impl ConversationStore) -> Self {
        self.conversations = Arc::new(store);
        self
    }

    /// Sets what happens to what is said while a run goes on.
    #[must_use]
    pub fn when_busy(mut self, when_busy: WhenBusy) -> Self {
        self.when_busy = when_busy;
        self
    }

    /// The agent's automa: to add callbacks, handlers and limits, or to look at its graph.
    pub fn automa(&mut self) -> &mut TypedAutoma<AgentOutcome> {
        &mut self.automa
    }

    /// Says something in a conversation, which begins with it if there is none, and gives what came of
    /// it.
    ///
    /// # Errors
    /// The conversation is busy, cannot be read or written, or the run fails. Nothing that was said
    /// before is lost.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run, and leaves the conversation as it was before.
    pub async fn say(
        &self,
        conversation: impl AsRef<str>,
        message: impl Into<Message>,
    ) -> Result<Said, AgentError> {
        let (id, message) = (ConversationId::new(conversation.as_ref())?, message.into());
        if self.live.is_closed() {
            return Err(AgentError::Closed);
        }
        let turn = match self.turnstile.admit(&id, self.when_busy, Some(&message)).await {
            Admitted::In(turn) => turn,
            Admitted::Steered => return Ok(Said::Steered),
            Admitted::Refused => return Err(AgentError::Busy { conversation: id }),
            Admitted::Cleared => return Err(stopped(id, vec![message])),
            Admitted::Full => return Err(AgentError::SteeringFull { conversation: id }),
        };
        let live = self.live.begin(&id).ok_or(AgentError::Closed)?;
        let stored = match self.conversations.load(&id).await {
            Ok(stored) => stored,
            Err(source) => return Err(AgentError::Unread { conversation: id, source }),
        };
        let mailbox = turn.open(&id, &self.mailboxes);
        let task = Task::new(message).after(stored.conversation).heard_from(mailbox.name());
        match live.run(self.automa.run((task,))).await {
            Went::Ended(ended) => self.end(&id, ended, stored.version, &mailbox, &live).await,
            Went::Stopped => Err(stopped(id, mailbox.close())),
        }
    }

    /// Says something as [`say`](Self::say) does, and gives the outcome of the run.
    ///
    /// # Errors
    /// As [`say`](Self::say); and the run asks a person, or the message was told to another run.
    ///
    /// # Cancel safety
    /// As [`say`](Self::say).
    pub async fn run(
        &self,
        conversation: impl AsRef<str>,
        message: impl Into<Message>,
    ) -> Result<AgentOutcome, AgentError> {
        let id = ConversationId::new(conversation.as_ref())?;
        match self.say(id.as_str(), message).await? {
            Said::Ended(outcome) => Ok(outcome),
            Said::Paused { outcome, unheard } => {
                Err(AgentError::Paused { conversation: id, outcome: Box::new(outcome), unheard })
            }
            Said::Steered => Err(AgentError::Steered { conversation: id }),
        }
    }

    /// Goes on with a run of a conversation that has paused, when its questions have been answered in
    /// the snapshot, in this process or another.
    ///
    /// # Errors
    /// As [`say`](Self::say). If something else has been said in the conversation since the run
    /// paused, the outcome cannot be written.
    ///
    /// # Cancel safety
    /// As [`say`](Self::say).
    pub async fn resume(
        &self,
        conversation: impl AsRef<str>,
        snapshot: Snapshot,
    ) -> Result<Said, AgentError> {
        let id = ConversationId::new(conversation.as_ref())?;
        let turn = match self.turnstile.admit(&id, self.when_busy, None).await {
            Admitted::In(turn) => turn,
            Admitted::Cleared => return Err(stopped(id, Vec::new())),
            Admitted::Steered | Admitted::Refused | Admitted::Full => {
                return Err(AgentError::Busy { conversation: id });
            }
        };
        let live = self.live.begin(&id).ok_or(AgentError::Closed)?;
        let version = match self.conversations.load(&id).await {
            Ok(stored) => stored.version,
            Err(source) => return Err(AgentError::Unread { conversation: id, source }),
        };
        let mailbox = turn.open(&id, &self.mailboxes);
        match live.run(self.automa.resume(snapshot)).await {
            Went::Ended(ended) => self.end(&id, ended, version, &mailbox, &live).await,
            Went::Stopped => Err(stopped(id, mailbox.close())),
        }
    }

    /// Writes what a run has left behind.
    async fn end(
        &self,
        id: &ConversationId,
        ended: Result<Outcome, RunError>,
        version: ConversationVersion,
        mailbox: &OpenMailbox<'_>,
        live: &LiveTurn<'_>,
    ) -> Result<Said, AgentError> {
        let ended = match ended {
            Ok(outcome) if outcome.is_paused() => {
                live.waits();
                return Ok(Said::Paused { outcome, unheard: mailbox.close() });
            }
            Ok(outcome) => outcome.into_output::<AgentOutcome>(),
            Err(error) => Err(error),
        };
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(error) => {
                let (source, unheard) = (Box::new(error), mailbox.close());
                return Err(AgentError::Run { conversation: id.clone(), source, unheard });
            }
        };
        match self.conversations.save(id, &outcome.conversation, version).await {
            Ok(_) => Ok(Said::Ended(outcome)),
            Err(source) => {
                let (conversation, outcome) = (id.clone(), Box::new(outcome));
                Err(AgentError::Unwritten { conversation, source, outcome })
            }
        }
    }
}

/// The turn of a conversation, or one that was to come, was stopped.
fn stopped(conversation: ConversationId, unheard: Vec<Message>) -> AgentError {
    AgentError::Stopped { conversation, unheard }
}
