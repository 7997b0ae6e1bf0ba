//! Messages of people to active runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::Message;

/// The mailboxes of active runs, by name.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes(Mutex<BTreeMap<String, Arc<Mailbox>>>);

/// The messages to one run. A closed mailbox accepts no more messages, so none is lost.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Mail>);

/// Result of adding a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Taken,
    /// The mailbox is closed.
    Closed,
    /// The mailbox is full.
    Full,
}

#[derive(Debug, Default)]
struct Mail {
    /// Messages for the run to read before it asks its model again.
    messages: Vec<Message>,
    /// Messages for the run to read after its answer.
    queued: Vec<Message>,
    /// All messages that were added since the mailbox was opened.
    told: Vec<Message>,
    closed: bool,
}

/// Messages that a run has not read.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    pub(crate) steered: Vec<Message>,
    pub(crate) queued: Vec<Message>,
}

impl Mailboxes {
    /// Opens the mailbox `name` with earlier messages. It replaces an older mailbox of this name.
    pub(crate) fn open(&self, name: &str, Unheard { steered, queued }: Unheard) -> Arc<Mailbox> {
        let mail = Mail { messages: steered, queued, ..Mail::default() };
        let mailbox = Arc::new(Mailbox(Mutex::new(mail)));
        self.lock().insert(name.to_owned(), Arc::clone(&mailbox));
        mailbox
    }

    /// Removes the mailbox `name`.
    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Takes the new messages. Returns none if there is no such mailbox.
    pub(super) fn take(&self, name: Option<&str>) -> Vec<Message> {
        self.find(name).map(|mailbox| mailbox.lock().take()).unwrap_or_default()
    }

    /// Takes the new messages, or else the messages that wait for the answer. If there are neither,
    /// closes the mailbox.
    pub(super) fn take_or_close(&self, name: Option<&str>) -> Vec<Message> {
        let Some(mailbox) = self.find(name) else { return Vec::new() };
        let mut mail = mailbox.lock();
        let messages = match mail.take() {
            steered if steered.is_empty() => std::mem::take(&mut mail.queued),
            steered => steered,
        };
        mail.closed = messages.is_empty();
        messages
    }

    /// Takes all messages, and closes the mailbox.
    pub(super) fn close(&self, name: Option<&str>) -> Vec<Message> {
        let Some(mailbox) = self.find(name) else { return Vec::new() };
        let Unheard { mut steered, queued } = mailbox.close();
        steered.extend(queued);
        steered
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<Mailbox>> {
        self.lock().get(name?).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Mailbox>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    /// Maximum number of unread messages.
    pub(crate) const MOST: usize = 10;

    /// Adds a message.
    pub(crate) fn put(&self, message: &Message) -> Put {
        let mut mail = self.lock();
        if mail.closed {
            return Put::Closed;
        }
        if mail.messages.len() >= Self::MOST {
            return Put::Full;
        }
        mail.told.push(message.clone());
        mail.messages.push(message.clone());
        Put::Taken
    }

    /// Drops the unread messages. Returns their number.
    pub(crate) fn clear(&self) -> usize {
        let mut mail = self.lock();
        mail.take().len() + std::mem::take(&mut mail.queued).len()
    }

    /// Takes the unread messages, and closes the mailbox.
    pub(crate) fn close(&self) -> Unheard {
        let mut mail = self.lock();
        mail.closed = true;
        Unheard { steered: mail.take(), queued: std::mem::take(&mut mail.queued) }
    }

    /// Takes all messages that were added since the mailbox was opened, read or not, and closes the
    /// mailbox.
    pub(crate) fn told(&self) -> Vec<Message> {
        let mut mail = self.lock();
        mail.closed = true;
        std::mem::take(&mut mail.told)
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }
}
