//! Stores of conversations.

mod error;
mod id;
mod in_memory;
mod lease;
mod open_run;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod written;

use std::fmt;
use std::time::Duration;

use ddg_core::checkpoint::Claim;
use futures::future::BoxFuture;

pub use error::ConversationError;
pub use id::{ConversationId, InvalidConversationId};
pub use in_memory::MemoryConversations;
pub use lease::ConversationLease;
pub use open_run::{OpenRun, OpenRunPlace};
#[cfg(feature = "postgres")]
pub use postgres::PostgresConversations;
pub use record::{ConversationPage, ConversationRecord, ConversationVersion, StoredConversation};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteConversations;

use super::Conversation;
use crate::message::Message;

/// The future that a method of a [`ConversationStore`] returns.
pub type ConversationFuture<'a, T> = BoxFuture<'a, Result<T, ConversationError>>;

/// A store of conversations by id.
///
/// An `Arc` of a store is a store, and so is `Arc<dyn ConversationStore>`. A store can be used from
/// any number of tasks and, if it is outside the process, from any number of processes. A save
/// names the version that was loaded, and is refused if the conversation has been saved since. So
/// two writers never mix their messages unnoticed. An [open run](OpenRun) is kept with its
/// conversation, and ends with the next save. Every method is one transaction.
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
/// Every method fails with [`ConversationError::Backend`] if the store itself fails. It is then
/// unknown whether the change was made.
///
/// # Cancel safety
/// If a future is dropped before it is done, the call has either taken effect as a whole or not at
/// all.
pub trait ConversationStore: fmt::Debug + Send + Sync + 'static {
    /// Loads a conversation. If it does not exist, the result is empty with the version
    /// [`NEW`](ConversationVersion::NEW).
    ///
    /// # Errors
    /// [`ConversationError::Unreadable`] if the stored data is not a conversation.
    fn load<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, StoredConversation>;

    /// Appends the messages that are new since `expected`, replaces goal and summaries, and drops
    /// the open run, if any. Returns the new version.
    ///
    /// # Errors
    /// [`Changed`](ConversationError::Changed) if the conversation's version is not `expected`,
    /// [`NotAppended`](ConversationError::NotAppended) if there are fewer messages than in the
    /// store or the last stored one differs, and [`Summary`](ConversationError::Summary) if a
    /// summary does not fit. Nothing is written then.
    fn save<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion>;

    /// Replaces a conversation as a whole, after earlier messages have been changed, and drops its
    /// open run, if any.
    ///
    /// # Errors
    /// As [`save`](Self::save), without [`NotAppended`](ConversationError::NotAppended).
    fn rewrite<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion>;

    /// Replaces or drops the open run of a conversation, and leaves the messages as they are. There
    /// may be none. Returns the new version.
    ///
    /// # Errors
    /// [`Changed`](ConversationError::Changed) if the conversation's version is not `expected`.
    /// Nothing is written then.
    fn keep_run<'a>(
        &'a self,
        id: &'a ConversationId,
        run: Option<&'a OpenRun>,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion>;

    /// Acquires the lease for running a conversation, which need not be in the store. The current
    /// holder, by the owner's name and process, gets a new lease.
    ///
    /// # Errors
    /// [`Held`](ConversationError::Held) if another owner holds the lease and its process is not
    /// known to have ended.
    fn acquire<'a>(
        &'a self,
        id: &'a ConversationId,
        claim: &'a Claim,
    ) -> ConversationFuture<'a, ConversationLease>;

    /// Renews a lease for its time to live from now.
    ///
    /// # Errors
    /// [`LeaseLost`](ConversationError::LeaseLost) if another owner has acquired the lease.
    fn renew<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()>;

    /// Releases a lease. Does nothing if another owner holds it by now.
    fn release<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()>;

    /// Lists the conversations, last saved first.
    fn list<'a>(
        &'a self,
        page: &'a ConversationPage,
    ) -> ConversationFuture<'a, Vec<ConversationRecord>>;

    /// Deletes a conversation. Returns whether it existed.
    fn delete<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, bool>;

    /// Deletes the conversations that were last saved more than `age` ago. Returns their number.
    fn delete_older_than(&self, age: Duration) -> ConversationFuture<'_, u64>;
}

/// What a save does with the stored messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saving {
    Append,
    Rewrite,
}

/// Refuses an unexpected version.
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

/// Refuses an unexpected version, and summaries that do not fit.
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

/// The index of the first new message, if `n_saved` messages are stored and `is_last` is the last
/// of them.
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
