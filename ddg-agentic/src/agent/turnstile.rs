//! Admission of one run at a time to each conversation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::WhenBusy;
use crate::memory::ConversationId;
use crate::message::Message;
use crate::react::{Mailbox, Mailboxes, Put, Unheard};

/// The conversations that have an active run, or runs that wait.
#[derive(Default)]
pub(super) struct Turnstile(Mutex<BTreeMap<ConversationId, Weak<Entrance>>>);

/// Entrance of the runs of one conversation.
#[derive(Default)]
struct Entrance {
    gate: Arc<Gate<()>>,
    /// The mailbox of the active run.
    mailbox: Mutex<Option<Arc<Mailbox>>>,
    waiting: Mutex<Waiting>,
}

/// The runs that wait for the active one.
#[derive(Default)]
struct Waiting {
    /// Cancelled when the runs that wait now are refused.
    cleared: CancellationToken,
    n: usize,
}

/// Guard that counts one run that waits.
struct Waits<'a>(&'a Entrance);

/// Result of asking for admission.
pub(super) enum Admitted {
    /// The run may begin.
    In(Turn),
    /// The message was passed to the active run.
    Steered,
    /// The message is refused.
    Refused,
    /// The mailbox of the active run is full.
    Full,
    /// The message waited, and was dropped.
    Cleared,
}

/// The right to run a conversation. It is released when dropped.
pub(super) struct Turn {
    entrance: Arc<Entrance>,
    _in: OwnedMutexGuard<()>,
}

/// Guard of an open mailbox: closes it when dropped.
pub(super) struct OpenMailbox<'a> {
    name: String,
    mailbox: Arc<Mailbox>,
    mailboxes: &'a Mailboxes,
    turn: &'a Turn,
}

impl Turnstile {
    /// Admits a `message` as soon as `when_busy` allows.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue.
    pub(super) async fn admit(
        &self,
        conversation: &ConversationId,
        when_busy: WhenBusy,
        message: &Message,
    ) -> Admitted {
        let entrance = self.entrance(conversation);
        if let Some(turn) = entrance.try_enter() {
            return Admitted::In(turn);
        }
        match when_busy {
            WhenBusy::Refuse => return Admitted::Refused,
            WhenBusy::Steer => {
                match entrance.mailbox().map_or(Put::Closed, |mailbox| mailbox.put(message)) {
                    Put::Taken => return Admitted::Steered,
                    Put::Full => return Admitted::Full,
                    Put::Closed => {}
                }
            }
            WhenBusy::Queue => {}
        }
        entrance.enter().await.map_or(Admitted::Cleared, Admitted::In)
    }

    /// Waits in the same queue for a turn without a message. Returns `None` if the place in the
    /// queue was dropped.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue.
    pub(super) async fn wait(&self, conversation: &ConversationId) -> Option<Turn> {
        self.entrance(conversation).enter().await
    }

    /// A turn without a message, if no run is active.
    pub(super) fn try_enter(&self, conversation: &ConversationId) -> Option<Turn> {
        self.entrance(conversation).try_enter()
    }

    /// Drops the runs that wait for a conversation, and the messages that its active run has not
    /// read. Returns the number of messages.
    pub(super) fn clear(&self, conversation: &ConversationId) -> usize {
        let entrances = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entrance) = entrances.get(conversation).and_then(Weak::upgrade) else { return 0 };
        drop(entrances);
        let unheard = entrance.mailbox().map_or(0, |mailbox| mailbox.clear());
        unheard + entrance.clear()
    }

    fn entrance(&self, conversation: &ConversationId) -> Arc<Entrance> {
        let mut entrances = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entrance) = entrances.get(conversation).and_then(Weak::upgrade) {
            return entrance;
        }
        // Entrances without a run that is active or waits.
        entrances.retain(|_, entrance| entrance.strong_count() > 0);
        let entrance = Arc::default();
        entrances.insert(conversation.clone(), Arc::downgrade(&entrance));
        entrance
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.n = waiting.n.saturating_sub(1);
    }
}

impl Entrance {
    fn try_enter(self: &Arc<Self>) -> Option<Turn> {
        let guard = Arc::clone(&self.gate).try_lock_owned().ok()?;
        Some(Turn { entrance: Arc::clone(self), _in: guard })
    }

    /// Waits until no run is active. Returns `None` if the runs that waited were refused.
    async fn enter(self: Arc<Self>) -> Option<Turn> {
        let (cleared, waits) = self.wait();
        let gate = Arc::clone(&self.gate).lock_owned();
        let entered = cleared.run_until_cancelled(gate).await;
        drop(waits);
        // The gate can open at the moment when the waiting runs are refused.
        let guard = entered.filter(|_| !cleared.is_cancelled())?;
        Some(Turn { entrance: self, _in: guard })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> (CancellationToken, Waits<'_>) {
        let mut waiting = self.waiting();
        waiting.n += 1;
        (waiting.cleared.clone(), Waits(self))
    }

    /// Refuses all runs that wait. Returns their number.
    fn clear(&self) -> usize {
        let mut waiting = self.waiting();
        std::mem::take(&mut waiting.cleared).cancel();
        waiting.n
    }

    fn mailbox(&self) -> Option<Arc<Mailbox>> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_mailbox(&self, mailbox: Option<Arc<Mailbox>>) {
        *self.mailbox.lock().unwrap_or_else(PoisonError::into_inner) = mailbox;
    }
}

impl Turn {
    /// Opens the mailbox of a conversation's run, with the messages `unheard` in it.
    pub(super) fn open<'a>(
        &'a self,
        conversation: &ConversationId,
        mailboxes: &'a Mailboxes,
        unheard: Unheard,
    ) -> OpenMailbox<'a> {
        let name = conversation.to_string();
        let mailbox = mailboxes.open(&name, unheard);
        self.entrance.set_mailbox(Some(Arc::clone(&mailbox)));
        OpenMailbox { name, mailbox, mailboxes, turn: self }
    }
}

impl OpenMailbox<'_> {
    /// Closes the mailbox. Returns the messages that the run has not read.
    pub(super) fn close(&self) -> Unheard {
        self.mailbox.close()
    }

    /// Closes the mailbox. Returns all messages that were passed to the run, read or not.
    pub(super) fn told(&self) -> Vec<Message> {
        self.mailbox.told()
    }
}

impl Drop for OpenMailbox<'_> {
    fn drop(&mut self) {
        // Removed before the gate opens: a message that comes now waits for its own turn.
        self.turn.entrance.set_mailbox(None);
        self.mailboxes.remove(&self.name);
        self.mailbox.close();
    }
}

impl fmt::Debug for Turnstile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turnstile")
    }
}
