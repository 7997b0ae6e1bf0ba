//! Stopping and finishing turns from outside of them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::live::settled;
use super::{Agent, AgentError};
use crate::memory::{ConversationId, ConversationVersion};
use crate::subturn::Control;

/// State of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConversationState {
    /// No turn is active.
    Idle,
    /// A turn is active.
    Running,
    /// The last turn waits for a person.
    Waiting,
}

/// Result of [`Agent::stop`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The conversation.
    pub conversation: String,
    /// Whether this call stopped a turn. `false` if no turn was active, or if it ended by itself.
    pub turn: bool,
    /// Whether another caller is stopping the turn already. The other fields are not set then,
    /// except for `dropped`.
    pub under_way: bool,
    /// Number of messages that were dropped: those that waited for the active turn, or for a turn
    /// of their own.
    pub dropped: usize,
    /// The child agents that were active. `subturn-1/subturn-2` is a child of the child
    /// `subturn-1`.
    pub children: Vec<String>,
}

/// The turns and child agents that [`Agent::close`] has stopped because they did not end in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The conversations whose turn was stopped.
    pub turns: Vec<String>,
    /// The child agents that were stopped, each with its conversation.
    pub children: Vec<(String, String)>,
}

impl Agent {
    /// State of a conversation, as far as this agent knows it. An unknown conversation is idle.
    ///
    /// # Errors
    /// If the id is invalid.
    pub fn state(&self, conversation: impl AsRef<str>) -> Result<ConversationState, AgentError> {
        let id = ConversationId::new(conversation.as_ref())?;
        Ok(match self.live.find(&id) {
            Some(_) => ConversationState::Running,
            None if self.live.is_waiting(&id) => ConversationState::Waiting,
            None => ConversationState::Idle,
        })
    }

    /// Stops the turn of a conversation with all child agents below it, including critical ones,
    /// and drops the messages that wait for the conversation. Their callers, and the caller of the
    /// turn, get [`AgentError::Stopped`].
    ///
    /// When this returns, the turn and its children have ended (except for tools that block their
    /// thread), and the conversation is as it was before the turn. A run that was saved with the
    /// conversation is dropped. A run that waits for a person is not an active turn; use
    /// [`give_up`](Self::give_up) to drop it.
    ///
    /// Any number of tasks can call this concurrently. One of them stops the turn; the others
    /// return at once, with [`under_way`](Stopped::under_way).
    ///
    /// # Errors
    /// If the conversation does not exist, or the store fails when it is asked for the
    /// conversation.
    ///
    /// # Cancel safety
    /// Once the future has been polled, the turn is stopped even if the future is dropped.
    pub async fn stop(&self, conversation: impl AsRef<str>) -> Result<Stopped, AgentError> {
        let id = ConversationId::new(conversation.as_ref())?;
        let mut stopped = Stopped {
            conversation: id.to_string(),
            turn: false,
            under_way: false,
            dropped: self.turnstile.clear(&id),
            children: Vec::new(),
        };
        let Some(live) = self.live.find(&id) else {
            self.check_known(&id, stopped.dropped > 0).await?;
            return Ok(stopped);
        };
        let children = live.control.children();
        if live.control.stop() {
            live.ended().await;
            stopped.turn = live.was_stopped();
            stopped.children = children;
        } else {
            stopped.under_way = true;
        }
        Ok(stopped)
    }

    async fn check_known(&self, id: &ConversationId, waits: bool) -> Result<(), AgentError> {
        if waits || self.live.is_waiting(id) {
            return Ok(());
        }
        let unread = |source| AgentError::Unread { conversation: id.clone(), source };
        match self.conversations.load(id).await.map_err(unread)?.version {
            ConversationVersion::NEW => Err(AgentError::Unknown { conversation: id.clone() }),
            _ => Ok(()),
        }
    }

    /// Makes the turn of a conversation end with an answer now. Tool calls that have not begun get
    /// the result `skipped`, and the model is asked once more, without tools, with `hint`.
    ///
    /// # Errors
    /// If no turn is active, or if the turn is being stopped.
    pub fn interrupt(
        &self,
        conversation: impl AsRef<str>,
        hint: impl Into<String>,
    ) -> Result<(), AgentError> {
        let control = self.running(conversation.as_ref())?;
        control.interrupt(hint.into());
        Ok(())
    }

    /// Asks the turn of a conversation to end before its next step, with the result so far. Its
    /// child agents end in the same way, except for critical ones.
    ///
    /// # Errors
    /// If no turn is active, or if the turn is being stopped.
    pub fn finish(&self, conversation: impl AsRef<str>) -> Result<(), AgentError> {
        self.running(conversation.as_ref())?.ask_to_finish();
        Ok(())
    }

    fn running(&self, conversation: &str) -> Result<Control, AgentError> {
        let id = ConversationId::new(conversation)?;
        let Some(live) = self.live.find(&id) else {
            return Err(AgentError::NotRunning { conversation: id });
        };
        if live.control.is_stopped() {
            return Err(AgentError::Stopped { conversation: id, unheard: Vec::new() });
        }
        Ok(live.control.clone())
    }

    /// Closes the agent: it refuses new messages and answers, and recovers and drops no more runs.
    /// All turns are asked to finish. Waits up to `within` for them and for critical child agents,
    /// then stops the rest, and returns what it has stopped.
    ///
    /// # Cancel safety
    /// If the future is dropped, the agent stays closed, and what is still active continues. Call
    /// it again.
    pub async fn close(&self, within: Duration) -> Closed {
        let until = Instant::now() + within;
        self.live.close();
        let live = self.live.live();
        live.iter().for_each(|(_, live)| live.control.ask_to_finish());
        for (_, live) in live {
            _ = timeout_at(until, live.ended()).await;
        }
        for (_, control) in self.live.left() {
            control.tasks().close();
            _ = timeout_at(until, control.tasks().wait()).await;
        }
        let mut closed = Closed::default();
        let (live, left) = (self.live.live(), self.live.left());
        let turns = live.iter().map(|(id, live)| (id, &live.control, true));
        let controls = turns.chain(left.iter().map(|(id, control)| (id, control, false)));
        let mut stopped = BTreeSet::new();
        for (id, control, is_turn) in controls {
            let children = control.children();
            // Another caller that stops the turn reports it.
            if control.stop() {
                let children = children.into_iter().map(|child| (id.to_string(), child));
                closed.children.extend(children);
                stopped.extend(is_turn.then(|| id.clone()));
            }
        }
        for (id, live) in live {
            live.ended().await;
            if live.was_stopped() && stopped.contains(&id) {
                closed.turns.push(id.to_string());
            }
        }
        for (_, control) in left {
            settled(&control).await;
        }
        closed
    }
}
