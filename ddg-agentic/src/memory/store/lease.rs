//! The right to run a conversation.

use std::time::Duration;

use ddg_core::__store::{from_ms, millis};
use ddg_core::checkpoint::{Claim, Owner};
use uuid::Uuid;

use super::{ConversationError, ConversationId};

/// The lease for running a conversation, until it is released or expires.
///
/// It keeps others from acting at the same time. Messages are safe without it: their versions keep
/// writers from overwriting each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationLease {
    /// The conversation.
    pub conversation: ConversationId,
    /// The token, which is unique to each lease.
    pub token: String,
    /// The time after which the lease expires, counted from the last renewal.
    pub ttl: Duration,
}

/// A lease as a store keeps it.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) token: String,
    pub(super) owner: Owner,
    pub(super) until_ms: i64,
}

impl ConversationLease {
    /// Creates a lease of `conversation`.
    pub fn new(conversation: ConversationId, token: impl Into<String>, ttl: Duration) -> Self {
        Self { conversation, token: token.into(), ttl }
    }

    pub(super) fn until_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(millis(self.ttl))
    }
}

impl Hold {
    /// Acquires the lease for a claim, if no other owner holds it.
    ///
    /// # Errors
    /// [`ConversationError::Held`].
    pub(super) fn taken(
        found: Option<&Self>,
        conversation: &ConversationId,
        claim: &Claim,
        now_ms: i64,
    ) -> Result<(ConversationLease, Self), ConversationError> {
        if let Some(Self { owner, until_ms, .. }) = found
            && now_ms < *until_ms
            && *owner != claim.owner
            && !owner.has_ended()
        {
            let left = from_ms(*until_ms).duration_since(from_ms(now_ms)).unwrap_or_default();
            let (id, owner) = (conversation.clone(), owner.clone());
            return Err(ConversationError::Held { id, owner, left });
        }
        let token = Uuid::now_v7().to_string();
        let lease = ConversationLease::new(conversation.clone(), &token, claim.ttl);
        let (owner, until_ms) = (claim.owner.clone(), lease.until_ms(now_ms));
        Ok((lease, Self { token, owner, until_ms }))
    }
}

/// The error of a lease that another owner holds now.
pub(super) fn lost(lease: &ConversationLease) -> ConversationError {
    ConversationError::LeaseLost { id: lease.conversation.clone() }
}
