//! Memories: which part of a conversation a model sees.

mod conversation;
mod groups;
mod last_messages;
mod standing;
mod store;
mod summarising;
mod summary;
#[cfg(feature = "tiktoken")]
mod tiktoken;
mod token_window;
mod tokens;
mod window;

use std::ops::Range;
use std::sync::Arc;

use futures::future::BoxFuture;

pub use conversation::Conversation;
pub use last_messages::LastMessages;
pub use standing::{ActiveAgent, Standing};
#[cfg(feature = "postgres")]
pub use store::PostgresConversations;
#[cfg(feature = "sqlite")]
pub use store::SqliteConversations;
pub use store::{
    ConversationError, ConversationFuture, ConversationId, ConversationLease, ConversationPage,
    ConversationRecord, ConversationStore, ConversationVersion, InvalidConversationId,
    MemoryConversations, OpenRun, OpenRunPlace, StoredConversation,
};
pub use summarising::Summarising;
pub use summary::{Summary, SummaryError};
#[cfg(feature = "tiktoken")]
pub use tiktoken::TiktokenTokens;
pub use token_window::TokenWindow;
pub use tokens::{CountTokens, EstimatedTokens};

use crate::message::Messages;
use crate::model::{ModelError, Usage};

/// A memory decides which part of a conversation a model sees, and what is summarised when.
///
/// The first two methods decide without waiting; only [`summarise`](Self::summarise) may ask a
/// model. A conversation is never cut between a tool call and its result.
pub trait Memory: Send + Sync + 'static {
    /// The messages of `conversation` that the model sees.
    fn window(&self, conversation: &Conversation) -> Messages;

    /// The messages to summarise now. Defaults to none.
    fn due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        let _ = conversation;
        None
    }

    /// Summarises the messages of `range`, as returned by [`due`](Self::due). Returns the summary
    /// with its usage. The agent continues meanwhile, so the conversation may have grown when the
    /// summary is [applied](Conversation::apply).
    ///
    /// # Errors
    /// If the model that summarises fails. The agent continues without the summary.
    ///
    /// # Cancel safety
    /// Dropping the future drops the summary.
    fn summarise<'a>(
        &'a self,
        conversation: &'a Conversation,
        range: Range<usize>,
    ) -> BoxFuture<'a, Result<(Summary, Usage), ModelError>> {
        let _ = conversation;
        let summary = Summary::new(range, "");
        Box::pin(async move { Ok((summary, Usage::default())) })
    }
}

/// A memory that shows the whole conversation.
#[derive(Clone, Copy, Debug, Default)]
pub struct FullHistory;

impl Memory for FullHistory {
    fn window(&self, conversation: &Conversation) -> Messages {
        conversation.messages.clone()
    }
}

impl<M: Memory + ?Sized> Memory for Arc<M> {
    fn window(&self, conversation: &Conversation) -> Messages {
        (**self).window(conversation)
    }

    fn due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        (**self).due(conversation)
    }

    fn summarise<'a>(
        &'a self,
        conversation: &'a Conversation,
        range: Range<usize>,
    ) -> BoxFuture<'a, Result<(Summary, Usage), ModelError>> {
        (**self).summarise(conversation, range)
    }
}
