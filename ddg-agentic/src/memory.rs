//! What of a conversation a model is shown.

mod conversation;
mod groups;
mod last_messages;
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

use crate::message::Message;
use crate::model::{ModelError, Usage};

/// What of a conversation a model is shown, and what is summarised when.
///
/// The first two are decisions without a wait; only [`summarise`](Self::summarise) asks anybody.
/// Between a call of a tool and its result nothing is ever cut.
pub trait Memory: Send + Sync + 'static {
    /// What the model is shown of `conversation`.
    fn window(&self, conversation: &Conversation) -> Vec<Message>;

    /// Which messages are to be summarised now; none, unless this is overridden.
    fn due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        let _ = conversation;
        None
    }

    /// Summarises the messages of `range`, which [`due`](Self::due) gave; what that took comes with
    /// it. It is called while the agent goes on, so the conversation may have grown when it ends and
    /// the summary is [applied](Conversation::apply).
    ///
    /// # Errors
    /// The model that summarises fails. The agent goes on without the summary.
    ///
    /// # Cancel safety
    /// Dropping the future gives the summary up; nothing is kept of it.
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

/// Shows everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct FullHistory;

impl Memory for FullHistory {
    fn window(&self, conversation: &Conversation) -> Vec<Message> {
        conversation.messages.clone()
    }
}

impl<M: Memory + ?Sized> Memory for Arc<M> {
    fn window(&self, conversation: &Conversation) -> Vec<Message> {
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
