//! One run of a conversation: its admission, begin, continuation, and what is saved.
//!
//! **Invariant.** A decision is written before anything acts on it. An answer is written, and
//! applied once, before the run resumes with it. A message for an open run is accepted or refused
//! before the run resumes. A writer that loses the race for the conversation's version loads the
//! conversation again.

mod decide;
mod run;
mod stored;

use std::sync::Arc;

use ddg_core::RunError;
use ddg_core::args::Args;
use ddg_core::run::{Question, RunBuilder};
pub(super) use stored::questions;

use super::lease::HeldLease;
use super::live::LiveTurn;
use super::run::RunPlace;
use super::turnstile::{Admitted, Turn};
use super::{Agent, AgentError, Said, WhenBusy};
use crate::memory::{ConversationError, ConversationId};
use crate::message::Message;
use crate::react::AgentOutcome;

/// The right to run a conversation, with the run.
pub(super) struct Visit<'a> {
    agent: &'a Agent,
    id: ConversationId,
    turn: Turn,
    /// After `turn`, so fields drop in this order: a caller notified of the end finds the
    /// conversation free.
    live: LiveTurn<'a>,
    lease: Arc<HeldLease>,
    run: RunBuilder<AgentOutcome>,
    inputs: Args,
    place: Option<RunPlace>,
}

impl<'a> Visit<'a> {
    /// Waits until the conversation is free, in this process and in others.
    pub(super) async fn of(agent: &'a Agent, conversation: &str) -> Result<Self, AgentError> {
        let id = ConversationId::new(conversation)?;
        match agent.turnstile.wait(&id).await {
            Some(turn) => Self::enter(agent, id, turn, true).await,
            None => Err(stopped(id, Vec::new())),
        }
    }

    /// Enters a conversation if it is free now.
    pub(super) async fn if_free(agent: &'a Agent, id: ConversationId) -> Result<Self, AgentError> {
        match agent.turnstile.try_enter(&id) {
            Some(turn) => Self::enter(agent, id, turn, false).await,
            None => Err(AgentError::Busy { conversation: id }),
        }
    }

    /// Admits `message` according to the agent's [`WhenBusy`], or returns what else became of it.
    pub(super) async fn begin(
        agent: &'a Agent,
        conversation: &str,
        message: &Message,
    ) -> Result<Result<Self, Said>, AgentError> {
        let id = ConversationId::new(conversation)?;
        if agent.live.is_closed() {
            return Err(AgentError::Closed);
        }
        match agent.turnstile.admit(&id, agent.when_busy, message).await {
            Admitted::In(turn) => {
                let waits = agent.when_busy != WhenBusy::Refuse;
                match Self::enter(agent, id, turn, waits).await {
                    Ok(visit) => Ok(Ok(visit)),
                    Err(AgentError::Stopped { conversation, .. }) => {
                        Err(stopped(conversation, vec![message.clone()]))
                    }
                    Err(error) => Err(error),
                }
            }
            Admitted::Steered => Ok(Err(Said::Steered)),
            Admitted::Refused => Err(AgentError::Busy { conversation: id }),
            Admitted::Full => Err(AgentError::SteeringFull { conversation: id }),
            Admitted::Cleared => Err(stopped(id, vec![message.clone()])),
        }
    }

    /// Acquires the lease of a conversation that this process has the turn of.
    async fn enter(
        agent: &'a Agent,
        id: ConversationId,
        turn: Turn,
        waits: bool,
    ) -> Result<Self, AgentError> {
        let live = agent.live.begin(&id).ok_or(AgentError::Closed)?;
        let (store, claim) = (&agent.conversations, &agent.claim);
        let lease = async {
            match waits {
                true => HeldLease::wait(store, &id, claim).await,
                false => HeldLease::take(store, &id, claim).await,
            }
        };
        let lease = match live.until_stopped(lease).await {
            Some(Ok(lease)) => Arc::new(lease),
            Some(Err(ConversationError::Held { .. })) => {
                return Err(AgentError::Busy { conversation: id });
            }
            Some(Err(source)) => return Err(AgentError::Unread { conversation: id, source }),
            None => {
                live.stopped();
                drop(turn);
                return Err(stopped(id, Vec::new()));
            }
        };
        let (run, inputs) = (agent.automa.run(()), Args::new());
        let place = agent.runs.clone().map(|store| RunPlace { store, id: None });
        Ok(Self { agent, id, turn, live, lease, run, inputs, place })
    }

    /// The lease, which is released after the visit.
    pub(super) fn lease(&self) -> Arc<HeldLease> {
        Arc::clone(&self.lease)
    }

    /// Sets the run, with its inputs and its store.
    pub(super) fn with(
        mut self,
        run: RunBuilder<AgentOutcome>,
        inputs: Args,
        place: Option<RunPlace>,
    ) -> Self {
        (self.run, self.inputs, self.place) = (run, inputs, place);
        self
    }

    fn refused(self, questions: Vec<Question>) -> AgentError {
        let conversation = self.id;
        match questions[..] {
            [] => AgentError::Interrupted { conversation },
            _ => AgentError::Waiting {
                conversation,
                questions: questions.into_iter().map(|question| question.id).collect(),
            },
        }
    }

    fn not_paused(self) -> AgentError {
        AgentError::NotPaused { conversation: self.id }
    }

    fn unkept(&self, source: ConversationError) -> AgentError {
        AgentError::Unkept { conversation: self.id.clone(), source }
    }

    fn failed(&self, error: RunError, unheard: Vec<Message>) -> AgentError {
        AgentError::Run { conversation: self.id.clone(), source: Box::new(error), unheard }
    }
}

/// The error of a turn, or of a message waiting for one, that was stopped.
fn stopped(conversation: ConversationId, unheard: Vec<Message>) -> AgentError {
    AgentError::Stopped { conversation, unheard }
}
