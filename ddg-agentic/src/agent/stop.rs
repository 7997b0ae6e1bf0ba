//! Ending turns of conversations from the outside.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::live::settled;
use super::{Agent, AgentError};
use crate::memory::{ConversationId, ConversationVersion};
use crate::subturn::Control;

/// How a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConversationState {
    /// Nothing goes on.
    Idle,
    /// A turn goes on.
    Running,
    /// Its last turn waits for a person.
    Waiting,
}

/// What [`Agent::stop`] has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The conversation.
    pub conversation: String,
    /// Whether a turn was stopped: none went on, or it came to an end of its own, if not.
    pub turn: bool,
    /// Whether somebody else is stopping it: then that is all that is said here.
    pub under_way: bool,
    /// How many messages were dropped that waited for the turn, or to be a turn.
    pub dropped: usize,
    /// The child agents that went on, `subturn-1/subturn-2` being one of a child.
    pub children: Vec<String>,
}

/// What [`Agent::close`] has stopped, since it did not end in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Conversations whose turn was stopped.
    pub turns: Vec<String>,
    /// Child agents that were stopped, each with its conversation.
    pub children: Vec<(String, String)>,
}

impl Agent {
    /// How a conversation stands, as far as this agent knows: one that it has not heard of is idle.
    ///
    /// # Errors
    /// The id is none.
    pub fn state(&self, conversation: impl AsRef<str>) -> Result<ConversationState, AgentError> {
        let id = ConversationId::new(conversation.as_ref())?;
        Ok(match self.live.find(&id) {
            Some(_) => ConversationState::Running,
            None if self.live.is_waiting(&id) => ConversationState::Waiting,
            None => ConversationState::Idle,
        })
    }

    /// Stops the turn of a conversation with all child agents below it, critical ones included, and drops
    /// what waits for the conversation. When this returns none of them does anything any more (tools that
    /// block their thread excepted), and the conversation is what it was before the turn. Who waits for the
    /// turn, or for a turn, gets [`AgentError::Stopped`]. A run that was kept with the conversation is given up;
    /// one that waits for a person is no turn that goes on: [`give_up`](Self::give_up) ends that.
    ///
    /// Any number of tasks may ask at once: one does it, the others are told so at once.
    ///
    /// # Errors
    /// There is no such conversation, or the store fails that would know.
    ///
    /// # Cancel safety
    /// Once polled, the turn is stopped even if the future is dropped.
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

    /// Lets the turn of a conversation end with an answer now: calls of tools that have not begun are answered
    /// `skipped`, and the model is asked once more, without tools, with `hint`.
    ///
    /// # Errors
    /// No turn goes on, or it is being stopped.
    pub fn interrupt(
        &self,
        conversation: impl AsRef<str>,
        hint: impl Into<String>,
    ) -> Result<(), AgentError> {
        let control = self.running(conversation.as_ref())?;
        control.interrupt(hint.into());
        Ok(())
    }

    /// Asks the turn of a conversation to end before its next step, with what it has. Its child agents end so,
    /// too, but for critical ones.
    ///
    /// # Errors
    /// No turn goes on, or it is being stopped.
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

    /// Closes the agent: it takes nothing new (no message, answer, or run to recover or give up), and asks all
    /// turns to finish. Waits for them and for critical
    /// child agents as long as `within`; then stops what is left, and says what that was.
    ///
    /// # Cancel safety
    /// If the future is dropped the agent stays closed, and what goes on goes on; call it again.
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
        let turns = live.iter().map(|(id, live)| (id, live.control.clone()));
        let controls = turns.chain(left.iter().map(|(id, control)| (id, control.clone())));
        for (id, control) in controls {
            let children = control.children().into_iter();
            closed.children.extend(children.map(|child| (id.to_string(), child)));
            control.stop();
        }
        for (id, live) in live {
            live.ended().await;
            if live.was_stopped() {
                closed.turns.push(id.to_string());
            }
        }
        for (_, control) in left {
            settled(&control).await;
        }
        closed
    }
}
