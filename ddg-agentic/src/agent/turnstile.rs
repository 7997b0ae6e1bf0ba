//! Lets one run of a conversation in at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::WhenBusy;
use crate::memory::ConversationId;
use crate::message::Message;
use crate::react::{Mailbox, Mailboxes, Put, Unheard};

/// The conversations that a run goes on of, or that are waited for.
#[derive(Default)]
pub(super) struct Turnstile(Mutex<BTreeMap<ConversationId, Weak<Entrance>>>);

/// Where the runs of one conversation come in.
#[derive(Default)]
struct Entrance {
    gate: Arc<Gate<()>>,
    /// That of the run that is in.
    mailbox: Mutex<Option<Arc<Mailbox>>>,
    waiting: Mutex<Waiting>,
}

/// Those who wait to come in.
#[derive(Default)]
struct Waiting {
    /// Sends away who waits now.
    cleared: CancellationToken,
    n: usize,
}

/// Counts one who waits, as long as this is not dropped.
struct Waits<'a>(&'a Entrance);

/// Who wants to come in.
pub(super) enum Admitted {
    /// May run now.
    In(Turn),
    /// Has been told to the run that is in.
    Steered,
    /// May not.
    Refused,
    /// Too many messages wait for the run that is in.
    Full,
    /// What waited was dropped.
    Cleared,
}

/// The right to run a conversation, given back when it is dropped, however that comes about.
pub(super) struct Turn {
    entrance: Arc<Entrance>,
    _in: OwnedMutexGuard<()>,
}

/// A mailbox that is open as long as this is not dropped.
pub(super) struct OpenMailbox<'a> {
    name: String,
    mailbox: Arc<Mailbox>,
    mailboxes: &'a Mailboxes,
    turn: &'a Turn,
}

impl Turnstile {
    /// Lets `message` of a conversation in, as soon as `when_busy` allows it.
    ///
    /// # Cancel safety
    /// Dropping the future gives the place in the queue up.
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

    /// Waits for the turn of something else than a message, in the same queue; `None` if what waited was
    /// dropped.
    ///
    /// # Cancel safety
    /// Dropping the future gives the place in the queue up.
    pub(super) async fn wait(&self, conversation: &ConversationId) -> Option<Turn> {
        self.entrance(conversation).enter().await
    }

    /// The turn of something else than a message, if nobody is in.
    pub(super) fn try_enter(&self, conversation: &ConversationId) -> Option<Turn> {
        self.entrance(conversation).try_enter()
    }

    /// Drops what waits for a conversation: runs that are to come, and what the one that is in has not heard.
    /// Gives how many messages that were.
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
        // Those that nobody is in or waits at any more.
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

    /// Waits until nobody is in; `None` if those who waited were sent away.
    async fn enter(self: Arc<Self>) -> Option<Turn> {
        let (cleared, waits) = self.wait();
        let gate = Arc::clone(&self.gate).lock_owned();
        let entered = cleared.run_until_cancelled(gate).await;
        drop(waits);
        // The one before may have gone and everybody else been sent away at the same moment.
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

    /// Sends all away who wait; gives how many.
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
    /// Lets others tell the run of a conversation something; it has not heard this yet.
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
    /// What nobody has heard; nothing more can come.
    pub(super) fn close(&self) -> Unheard {
        self.mailbox.close()
    }

    /// What has been told to the run, heard or not; nothing more can come.
    pub(super) fn told(&self) -> Vec<Message> {
        self.mailbox.told()
    }
}

impl Drop for OpenMailbox<'_> {
    fn drop(&mut self) {
        // Before the gate opens: what comes now waits for a turn of its own.
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
