//! Where conversations are kept.

mod error;
mod id;
mod in_memory;
mod lease;
mod open_run;
mod record;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::time::Duration;

use ddg_core::checkpoint::Claim;
use futures::future::BoxFuture;

pub use error::ConversationError;
pub use id::{ConversationId, InvalidConversationId};
pub use in_memory::MemoryConversations;
pub use lease::ConversationLease;
pub use open_run::{OpenRun, OpenRunPlace};
pub use record::{ConversationPage, ConversationRecord, ConversationVersion, StoredConversation};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteConversations;

use super::Conversation;
use crate::message::Message;

/// What a method of a [`ConversationStore`] returns.
pub type ConversationFuture<'a, T> = BoxFuture<'a, Result<T, ConversationError>>;

/// A place that keeps conversations, by id.
///
/// An `Arc` of a store is a store, `Arc<dyn ConversationStore>` too. It can be used from any number of tasks and, where the store lives outside
/// the process, of processes. Whoever saves says which version the conversation has been loaded at,
/// and is refused if somebody else has saved it since; so two writers never mix their messages
/// unnoticed. A [run that is not at its end](OpenRun) is kept beside its conversation, and changes with it:
/// whatever is saved after it puts an end to it. Every method is one transaction.
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::memory::{ConversationError, ConversationId, ConversationStore, MemoryConversations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryConversations::new();                     // or SqliteConversations::open(path)
/// let id = ConversationId::new("ada/tokyo")?;
/// let mut mine = store.load(&id).await?;                      // nobody has said anything yet
/// let theirs = mine.clone();
///
/// mine.conversation.messages.push(Message::user("I want to see Tokyo."));
/// mine.version = store.save(&id, &mine.conversation, mine.version).await?;
/// mine.conversation.messages.push(Message::assistant("When?"));
/// mine.version = store.save(&id, &mine.conversation, mine.version).await?;
///
/// let refused = store.save(&id, &theirs.conversation, theirs.version).await;
/// assert!(matches!(refused, Err(ConversationError::Changed { .. })));
/// assert_eq!(store.load(&id).await?, mine);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Every method fails with [`ConversationError::Backend`] if the store itself fails; after that nobody
/// knows whether a change was made.
///
/// # Cancel safety
/// Dropping a future before it is done leaves the store as it was or as it should become.
pub trait ConversationStore: fmt::Debug + Send + Sync + 'static {
    /// A conversation; an empty one of version [`NEW`](ConversationVersion::NEW) if there is none.
    ///
    /// # Errors
    /// [`ConversationError::Unreadable`] if what is there is no conversation.
    fn load<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, StoredConversation>;

    /// Appends the messages that are new since `expected`, replaces goal and summaries, and drops the
    /// run that was kept beside them, if any. Says what the version is now.
    ///
    /// # Errors
    /// [`Changed`](ConversationError::Changed) if the conversation's version is not `expected`;
    /// [`NotAppended`](ConversationError::NotAppended) if there are fewer messages than in the store,
    /// or the last of those is another one; [`Summary`](ConversationError::Summary) if a summary
    /// does not fit. Nothing is written then.
    fn save<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion>;

    /// Replaces all of a conversation, and drops the run that was kept beside it, if any: for one of
    /// which earlier messages have been changed.
    ///
    /// # Errors
    /// As [`save`](Self::save), but [`NotAppended`](ConversationError::NotAppended).
    fn rewrite<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion>;

    /// Keeps `run` beside the conversation in place of the one before, or drops that. The messages
    /// stay as they are; there need not be any. Says what the version is now.
    ///
    /// # Errors
    /// [`Changed`](ConversationError::Changed) if the conversation's version is not `expected`. Nothing
    /// is written then.
    fn keep_run<'a>(
        &'a self,
        id: &'a ConversationId,
        run: Option<&'a OpenRun>,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion>;

    /// Gives the right to run a conversation, which need not be in the store, to who claims it. Who has
    /// it already, by the owner's name and process, is given a new lease.
    ///
    /// # Errors
    /// [`Held`](ConversationError::Held) if somebody else has it, whose process is not known to have
    /// ended.
    fn acquire<'a>(
        &'a self,
        id: &'a ConversationId,
        claim: &'a Claim,
    ) -> ConversationFuture<'a, ConversationLease>;

    /// Lets a lease last for its time from now on.
    ///
    /// # Errors
    /// [`LeaseLost`](ConversationError::LeaseLost) if somebody else has taken the conversation over.
    fn renew<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()>;

    /// Gives a lease back; nothing happens if it is somebody else's by now.
    fn release<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()>;

    /// The conversations, the one saved last first.
    fn list<'a>(
        &'a self,
        page: &'a ConversationPage,
    ) -> ConversationFuture<'a, Vec<ConversationRecord>>;

    /// Deletes a conversation; says whether there was one.
    fn delete<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, bool>;

    /// Deletes the conversations that were saved last more than `age` ago; says how many.
    fn delete_older_than(&self, age: Duration) -> ConversationFuture<'_, u64>;
}

/// What a save does with the messages that are in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saving {
    Append,
    Rewrite,
}

/// Refuses a version that is not the expected one.
fn is_current(
    id: &ConversationId,
    expected: ConversationVersion,
    found: ConversationVersion,
) -> Result<(), ConversationError> {
    if expected == found {
        return Ok(());
    }
    Err(ConversationError::Changed { id: id.clone(), expected, found })
}

/// Refuses a version that is not the expected one, and summaries that do not fit.
fn admit(
    id: &ConversationId,
    conversation: &Conversation,
    expected: ConversationVersion,
    found: ConversationVersion,
) -> Result<(), ConversationError> {
    is_current(id, expected, found)?;
    let summary = |source| ConversationError::Summary { id: id.clone(), source };
    conversation.check().map_err(summary)
}

/// From which message on a conversation is new, if `n_saved` of its messages are in the store and the
/// last of those is `is_last`.
fn appended(
    id: &ConversationId,
    conversation: &Conversation,
    n_saved: usize,
    is_last: impl FnOnce(&Message) -> bool,
) -> Result<usize, ConversationError> {
    let last = n_saved.checked_sub(1).map(|last| conversation.messages.get(last));
    match last {
        None => Ok(0),
        Some(Some(message)) if is_last(message) => Ok(n_saved),
        Some(_) => {
            let place = (n_saved - 1).min(conversation.messages.len());
            Err(ConversationError::NotAppended { id: id.clone(), n_saved, place })
        }
    }
}
