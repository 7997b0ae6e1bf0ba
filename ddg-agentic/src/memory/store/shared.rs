//! Makes an `Arc` of a store a store.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::checkpoint::Claim;

use super::{
    ConversationFuture, ConversationId, ConversationLease, ConversationPage, ConversationRecord,
    ConversationStore, ConversationVersion, OpenRun, StoredConversation,
};
use crate::memory::Conversation;

impl<S: ConversationStore + ?Sized> ConversationStore for Arc<S> {
    fn load<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, StoredConversation> {
        (**self).load(id)
    }

    fn save<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        (**self).save(id, conversation, expected)
    }

    fn rewrite<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        (**self).rewrite(id, conversation, expected)
    }

    fn keep_run<'a>(
        &'a self,
        id: &'a ConversationId,
        run: Option<&'a OpenRun>,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        (**self).keep_run(id, run, expected)
    }

    fn acquire<'a>(
        &'a self,
        id: &'a ConversationId,
        claim: &'a Claim,
    ) -> ConversationFuture<'a, ConversationLease> {
        (**self).acquire(id, claim)
    }

    fn renew<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        (**self).renew(lease)
    }

    fn release<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        (**self).release(lease)
    }

    fn list<'a>(
        &'a self,
        page: &'a ConversationPage,
    ) -> ConversationFuture<'a, Vec<ConversationRecord>> {
        (**self).list(page)
    }

    fn delete<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, bool> {
        (**self).delete(id)
    }

    fn delete_older_than(&self, age: Duration) -> ConversationFuture<'_, u64> {
        (**self).delete_older_than(age)
    }
}
