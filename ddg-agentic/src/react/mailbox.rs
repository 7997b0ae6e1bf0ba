//! What people say to a run that goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::Message;

/// The mailboxes of the runs that go on, by name.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes(Mutex<BTreeMap<String, Arc<Mailbox>>>);

/// What has been said to one run. Once it is closed nothing more goes in, so nothing is lost.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Mail>);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Taken,
    /// Nothing more can come.
    Closed,
    /// There is no room.
    Full,
}

#[derive(Debug, Default)]
struct Mail {
    /// To be heard before the model is asked again.
    messages: Vec<Message>,
    /// To be heard after the answer.
    queued: Vec<Message>,
    /// All that has been put in since it was opened.
    told: Vec<Message>,
    closed: bool,
}

/// What a run has not heard.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    pub(crate) steered: Vec<Message>,
    pub(crate) queued: Vec<Message>,
}

impl Mailboxes {
    /// Opens the mailbox `name`, in place of an older one, with what has been said before.
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

    /// What has come since; nothing if there is no such mailbox.
    pub(super) fn take(&self, name: Option<&str>) -> Vec<Message> {
        self.find(name).map(|mailbox| mailbox.lock().take()).unwrap_or_default()
    }

    /// What has come since, or what was to wait for the answer; if nothing has, nothing more can come.
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

    /// What has come since, and nothing more can come.
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
    /// How many messages may wait in it.
    pub(crate) const MOST: usize = 10;

    /// Puts a message in.
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

    /// Drops what has not been heard; gives how many messages that were.
    pub(crate) fn clear(&self) -> usize {
        let mut mail = self.lock();
        mail.take().len() + std::mem::take(&mut mail.queued).len()
    }

    /// What has not been heard, and nothing more can come.
    pub(crate) fn close(&self) -> Unheard {
        let mut mail = self.lock();
        mail.closed = true;
        Unheard { steered: mail.take(), queued: std::mem::take(&mut mail.queued) }
    }

    /// What has been put in since it was opened, heard or not, and nothing more can come.
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
