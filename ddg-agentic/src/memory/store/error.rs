//! Why a store of conversations refuses or fails.

use std::time::Duration;

use ddg_core::__report::Told;
use ddg_core::checkpoint::Owner;
use ddg_core::worker::BoxError;

use super::{ConversationId, ConversationVersion};
use crate::memory::SummaryError;

/// A store did not do what it was asked to; nothing was changed, unless the variant says that this
/// is not known.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// Somebody else has saved or deleted the conversation since it was loaded.
    #[error(
        "conversation `{id}` has been changed by somebody else: {expected} was expected in the \
         store, {found} was found; load it again and go on from there"
    )]
    Changed {
        /// The conversation.
        id: ConversationId,
        /// The version that was to be there.
        expected: ConversationVersion,
        /// The version that is there.
        found: ConversationVersion,
    },
    /// Somebody else has the right to run the conversation.
    #[error("conversation `{id}` is run by {owner}, whose lease lasts for {left:?} unless renewed")]
    Held {
        /// The conversation.
        id: ConversationId,
        /// Who.
        owner: Owner,
        /// For how long, unless it is renewed.
        left: Duration,
    },
    /// Somebody else has taken over the right to run the conversation.
    #[error("conversation `{id}` has been taken over: the lease ran out before it was renewed")]
    LeaseLost {
        /// The conversation.
        id: ConversationId,
    },
    /// A message that is in the store already is missing or another.
    #[error(
        "conversation `{id}` has {n_saved} messages in the store, and its message {place} is \
         not the one there: a save only appends; to change earlier messages, rewrite the \
         conversation"
    )]
    NotAppended {
        /// The conversation.
        id: ConversationId,
        /// How many messages are in the store.
        n_saved: usize,
        /// The message, from 0.
        place: usize,
    },
    /// A summary does not fit its conversation.
    #[error("conversation `{id}` cannot be saved: {source}")]
    Summary {
        /// The conversation.
        id: ConversationId,
        /// Why.
        r#source: SummaryError,
    },
    /// A message could be written but not read again.
    #[error(
        "message {place} of conversation `{id}` cannot be kept: {}; the arguments of a call \
         may be nested too deeply",
        Told(&**.source)
    )]
    Message {
        /// The conversation.
        id: ConversationId,
        /// The message, from 0.
        place: usize,
        /// Why.
        r#source: BoxError,
    },
    /// What is in the store is no conversation.
    #[error(
        "{store}: {what} of conversation `{id}` cannot be read: {}; was it written by \
         another program, or a newer version of this one?",
        Told(&**.source)
    )]
    Unreadable {
        /// The store.
        store: String,
        /// The conversation, as the store names it.
        id: String,
        /// As "message 3".
        what: String,
        /// Why.
        r#source: BoxError,
    },
    /// The database was written by a newer version of this crate.
    #[error(
        "{store} has tables of conversations of version {found}, but this program knows versions \
         up to {known}: run it with a newer ddg-agentic"
    )]
    NewerSchema {
        /// The store.
        store: String,
        /// The version of its tables.
        found: u64,
        /// The newest version that is known here.
        known: u64,
    },
    /// The store cannot be opened.
    #[error("{store} cannot be opened: {}; {hint}", Told(&**.source))]
    Open {
        /// The store.
        store: String,
        /// What the store's driver says.
        r#source: BoxError,
        /// What to look at.
        hint: &'static str,
    },
    /// The store itself failed. Whether a change was made is not known: load the conversation again.
    #[error("{store} could not {action}: {}", Told(&**.source))]
    Backend {
        /// The store.
        store: String,
        /// What it was to do.
        action: &'static str,
        /// What the store's driver says.
        r#source: BoxError,
    },
}

ddg_core::__report::debug_is_display!(ConversationError);
