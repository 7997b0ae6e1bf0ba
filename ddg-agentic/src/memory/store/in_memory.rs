//! A store of conversations in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ddg_core::__store::{Clock, from_ms, to_ms};
use ddg_core::checkpoint::Claim;
use futures::FutureExt;

use super::lease::{Hold, lost};
use super::{
    Conversation, ConversationError, ConversationFuture, ConversationId, ConversationLease,
    ConversationPage, ConversationRecord, ConversationStore, ConversationVersion, OpenRun, Saving,
    StoredConversation, admit, appended, is_current,
};

/// A store in memory. A clone is the same store.
#[derive(Clone, Debug, Default)]
pub struct MemoryConversations {
    kept: Arc<Mutex<BTreeMap<ConversationId, Kept>>>,
    leases: Arc<Mutex<BTreeMap<ConversationId, Hold>>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Kept {
    stored: StoredConversation,
    created_ms: i64,
    updated_ms: i64,
}

impl MemoryConversations {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the time from `now` instead of the system's clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), ..self }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Hold>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(
        &self,
        id: &ConversationId,
        claim: &Claim,
    ) -> Result<ConversationLease, ConversationError> {
        let mut leases = self.leases();
        let (lease, hold) = Hold::taken(leases.get(id), id, claim, self.clock.now_ms())?;
        leases.insert(id.clone(), hold);
        Ok(lease)
    }

    fn lengthen(&self, lease: &ConversationLease) -> Result<(), ConversationError> {
        match self.leases().get_mut(&lease.conversation) {
            Some(hold) if hold.token == lease.token => {
                hold.until_ms = lease.until_ms(self.clock.now_ms());
                Ok(())
            }
            _ => Err(lost(lease)),
        }
    }

    fn put(
        &self,
        id: &ConversationId,
        conversation: &Conversation,
        expected: ConversationVersion,
        saving: Saving,
    ) -> Result<ConversationVersion, ConversationError> {
        let (mut kept, now_ms) = (self.kept(), self.clock.now_ms());
        let found = kept.get(id).map_or(ConversationVersion::NEW, |kept| kept.stored.version);
        admit(id, conversation, expected, found)?;
        let messages = kept.get(id).map(|kept| &kept.stored.conversation.messages);
        let last = messages.and_then(|messages| messages.last());
        let n_kept = match (saving, messages.zip(last)) {
            (Saving::Rewrite, _) | (Saving::Append, None) => 0,
            (Saving::Append, Some((messages, last))) => {
                appended(id, conversation, messages.len(), |message| message == last)?
            }
        };
        let new_kept = || Kept { created_ms: now_ms, ..Kept::default() };
        let Kept { stored, updated_ms, .. } = kept.entry(id.clone()).or_insert_with(new_kept);
        stored.conversation.messages.truncate(n_kept);
        let all = 0..conversation.messages.len();
        stored.conversation.messages.extend_shared(&conversation.messages, n_kept..all.end);
        stored.conversation.goal.clone_from(&conversation.goal);
        stored.conversation.summaries.clone_from(&conversation.summaries);
        stored.conversation.standing.clone_from(&conversation.standing);
        stored.run = None;
        stored.version = expected.next();
        *updated_ms = now_ms;
        Ok(stored.version)
    }

    fn put_run(
        &self,
        id: &ConversationId,
        run: Option<&OpenRun>,
        expected: ConversationVersion,
    ) -> Result<ConversationVersion, ConversationError> {
        let (mut kept, now_ms) = (self.kept(), self.clock.now_ms());
        let found = kept.get(id).map_or(ConversationVersion::NEW, |kept| kept.stored.version);
        is_current(id, expected, found)?;
        let new_kept = || Kept { created_ms: now_ms, ..Kept::default() };
        let Kept { stored, updated_ms, .. } = kept.entry(id.clone()).or_insert_with(new_kept);
        stored.run = run.cloned();
        stored.version = expected.next();
        *updated_ms = now_ms;
        Ok(stored.version)
    }
}

impl ConversationStore for MemoryConversations {
    fn load<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, StoredConversation> {
        async move { Ok(self.kept().get(id).map(|kept| kept.stored.clone()).unwrap_or_default()) }
            .boxed()
    }

    fn save<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        async move { self.put(id, conversation, expected, Saving::Append) }.boxed()
    }

    fn rewrite<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        async move { self.put(id, conversation, expected, Saving::Rewrite) }.boxed()
    }

    fn keep_run<'a>(
        &'a self,
        id: &'a ConversationId,
        run: Option<&'a OpenRun>,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        async move { self.put_run(id, run, expected) }.boxed()
    }

    fn acquire<'a>(
        &'a self,
        id: &'a ConversationId,
        claim: &'a Claim,
    ) -> ConversationFuture<'a, ConversationLease> {
        async move { self.take(id, claim) }.boxed()
    }

    fn renew<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        async move { self.lengthen(lease) }.boxed()
    }

    fn release<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        async move {
            let mut leases = self.leases();
            if leases.get(&lease.conversation).is_some_and(|hold| hold.token == lease.token) {
                leases.remove(&lease.conversation);
            }
            Ok(())
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        page: &'a ConversationPage,
    ) -> ConversationFuture<'a, Vec<ConversationRecord>> {
        async move {
            let kept = self.kept();
            let mut found: Vec<_> = kept.iter().map(|(id, kept)| (kept.updated_ms, id)).collect();
            found.sort_unstable();
            if let Some((updated, id)) = &page.after {
                found.retain(|place| *place < (to_ms(*updated), id));
            }
            let page = found.into_iter().rev().take(page.limit);
            Ok(page.map(|(_, id)| kept[id].record(id)).collect())
        }
        .boxed()
    }

    fn delete<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, bool> {
        async move { Ok(self.kept().remove(id).is_some()) }.boxed()
    }

    fn delete_older_than(&self, age: Duration) -> ConversationFuture<'_, u64> {
        async move {
            let (mut kept, before_ms) = (self.kept(), self.clock.before_ms(age));
            let n_before = kept.len();
            kept.retain(|_, kept| kept.updated_ms >= before_ms);
            Ok((n_before - kept.len()) as u64)
        }
        .boxed()
    }
}

impl Kept {
    fn record(&self, id: &ConversationId) -> ConversationRecord {
        ConversationRecord {
            id: id.clone(),
            version: self.stored.version,
            n_messages: self.stored.conversation.messages.len(),
            created: from_ms(self.created_ms),
            updated: from_ms(self.updated_ms),
            has_open_run: self.stored.run.is_some(),
        }
    }
}
