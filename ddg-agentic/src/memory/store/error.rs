//! Errors of stores of conversations.

use std::time::Duration;

use ddg_core::__report::{Told, shown, shown_lines};
use ddg_core::checkpoint::Owner;
use ddg_core::worker::BoxError;

use super::{ConversationId, ConversationVersion};
use crate::memory::SummaryError;

/// A store refused or failed. Nothing was changed, unless the variant says that this is unknown.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The conversation has been saved or deleted since it was loaded.
    #[error(
        "conversation `{id}` has been changed by another writer: {expected} was expected in the \
         store, but {found} was found; load it again and continue from there",
        id = shown(.id)
    )]
    Changed {
        /// The conversation.
        id: ConversationId,
        /// The expected version.
        expected: ConversationVersion,
        /// The version in the store.
        found: ConversationVersion,
    },
    /// Another owner holds the lease of the conversation.
    #[error(
        "conversation `{id}` is run by {owner}, whose lease lasts for {left:?} unless renewed",
        id = shown(.id), owner = shown(.owner)
    )]
    Held {
        /// The conversation.
        id: ConversationId,
        /// The holder.
        owner: Owner,
        /// The time until the lease expires, unless it is renewed.
        left: Duration,
    },
    /// Another owner has acquired the lease of the conversation.
    #[error(
        "conversation `{id}` has been taken over: its lease expired before it was renewed",
        id = shown(.id)
    )]
    LeaseLost {
        /// The conversation.
        id: ConversationId,
    },
    /// A stored message is missing or differs.
    #[error(
        "conversation `{id}` has {n_saved} messages in the store, and its message {place} is \
         not the one there: a save only appends; to change earlier messages, rewrite the \
         conversation",
        id = shown(.id)
    )]
    NotAppended {
        /// The conversation.
        id: ConversationId,
        /// Number of stored messages.
        n_saved: usize,
        /// The index of the message, from 0.
        place: usize,
    },
    /// A summary does not fit its conversation.
    #[error("conversation `{id}` cannot be saved: {source}", id = shown(.id))]
    Summary {
        /// The conversation.
        id: ConversationId,
        /// The cause.
        r#source: SummaryError,
    },
    /// A message can be serialised, but not deserialised again.
    #[error(
        "message {place} of conversation `{id}` cannot be kept: {}; the arguments of a call \
         may be nested too deeply",
        Told(&**.source), id = shown(.id)
    )]
    Message {
        /// The conversation.
        id: ConversationId,
        /// The index of the message, from 0.
        place: usize,
        /// The cause.
        r#source: BoxError,
    },
    /// The stored data is not a conversation.
    #[error(
        "{store}: {what} of conversation `{id}` cannot be read: {}; was it written by \
         another program, or a newer version of this one?",
        Told(&**.source), store = shown(.store), what = shown_lines(.what), id = shown(.id)
    )]
    Unreadable {
        /// The store.
        store: String,
        /// The id of the conversation in the store.
        id: String,
        /// The part that cannot be read, such as "message 3".
        what: String,
        /// The cause.
        r#source: BoxError,
    },
    /// The tables were written by a newer version of this crate.
    #[error(
        "{store} has tables of conversations of version {found}, but this program knows versions \
         up to {known}: run it with a newer ddg-agentic",
        store = shown(.store)
    )]
    NewerSchema {
        /// The store.
        store: String,
        /// The version of its tables.
        found: u64,
        /// The newest version that this crate knows.
        known: u64,
    },
    /// The store could not be opened.
    #[error("{store} cannot be opened: {}; {hint}", Told(&**.source), store = shown(.store))]
    Open {
        /// The store.
        store: String,
        /// The error of the store's driver.
        r#source: BoxError,
        /// What to check.
        hint: &'static str,
    },
    /// The store itself failed. Whether a change was made is unknown: load the conversation again.
    #[error("{store} could not {action}: {}", Told(&**.source), store = shown(.store))]
    Backend {
        /// The store.
        store: String,
        /// The operation that failed.
        action: &'static str,
        /// The error of the store's driver.
        r#source: BoxError,
    },
}

ddg_core::__report::debug_is_display!(ConversationError);
