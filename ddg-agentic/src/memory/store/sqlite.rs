//! A store of conversations in an SQLite file.
//!
//! **Invariant.** Every write is one immediate transaction that reads the conversation's row,
//! decides by what it finds there, and writes. So writers are serialised, in whichever process they
//! are. A conversation is read in one transaction, which sees one moment of the database.

mod leasing;
mod open_run;
mod reading;
mod schema;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ddg_core::__store::{Clock, SqliteFile, cause};
use ddg_core::checkpoint::Claim;
use ddg_core::worker::BoxError;
use futures::{FutureExt, TryFutureExt};
use sqlx::sqlite::SqliteSynchronous;

use super::written::Failed;
use super::{
    Conversation, ConversationError, ConversationFuture, ConversationId, ConversationLease,
    ConversationPage, ConversationRecord, ConversationStore, ConversationVersion, OpenRun, Saving,
    StoredConversation,
};

/// A store of conversations in an SQLite database file. It may be the file in which ddg-core keeps
/// runs.
///
/// Any number of processes of one machine can have the file open at once. It must not be on a
/// network file system. While it is open, two more files named `-wal` and `-shm` are next to it and
/// belong to it. A clone is the same store. Confirmed writes survive a power failure.
///
/// ```no_run
/// use ddg_agentic::Message;
/// use ddg_agentic::memory::{ConversationId, ConversationStore, SqliteConversations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteConversations::open("conversations.db").await?;
/// let id = ConversationId::new("ada/tokyo")?;
/// let mut stored = store.load(&id).await?;
/// stored.conversation.messages.push(Message::user("And June?"));
/// store.save(&id, &stored.conversation, stored.version).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteConversations {
    file: SqliteFile,
    /// The name of the store in messages.
    name: Arc<str>,
    clock: Clock,
}

impl SqliteConversations {
    /// Opens the database at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a database, and if its tables are newer than this
    /// crate knows.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, ConversationError> {
        let path = path.as_ref();
        let name = format!("SQLite database `{}`", path.display());
        let file = match SqliteFile::open(path, SqliteSynchronous::Full).await {
            Ok(file) => file,
            Err(error) => {
                let (store, source) = (name, cause(error));
                let hint = "the folder must exist and be writable, and the file, if there is one, must be an SQLite database";
                return Err(ConversationError::Open { store, source, hint });
            }
        };
        let store = Self { file, name: name.into(), clock: Clock::default() };
        store.migrate().map_err(store.explain("prepare its tables")).await?;
        Ok(store)
    }

    /// Takes the time from `now` instead of the system's clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), ..self }
    }

    /// Closes the file. If no other process has it open, all data is in the one file afterwards.
    ///
    /// A store that is dropped without being closed loses nothing.
    pub async fn close(self) {
        self.file.close().await;
    }

    /// Creates a function that converts failures of `action` into errors.
    fn explain(&self, action: &'static str) -> impl Fn(Failed) -> ConversationError {
        move |failed| match failed {
            Failed::Refused(refused) => refused,
            Failed::Broken(error) => ConversationError::Backend {
                store: self.name.to_string(),
                action,
                source: cause(error),
            },
        }
    }

    /// Creates a function that converts an error into one that says which part of a conversation
    /// cannot be read.
    fn unreadable(&self, id: &str, what: impl Into<String>) -> impl FnOnce(BoxError) -> Failed {
        let (store, id, what) = (self.name.to_string(), id.to_owned(), what.into());
        |source| Failed::Refused(ConversationError::Unreadable { store, id, what, source })
    }
}

impl ConversationStore for SqliteConversations {
    fn load<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, StoredConversation> {
        self.read(id).map_err(self.explain("read a conversation")).boxed()
    }

    fn save<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        let done = self.put(id, conversation, expected, Saving::Append);
        done.map_err(self.explain("save a conversation")).boxed()
    }

    fn rewrite<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        let done = self.put(id, conversation, expected, Saving::Rewrite);
        done.map_err(self.explain("rewrite a conversation")).boxed()
    }

    fn keep_run<'a>(
        &'a self,
        id: &'a ConversationId,
        run: Option<&'a OpenRun>,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        let done = self.put_run(id, run, expected);
        done.map_err(self.explain("keep the run of a conversation")).boxed()
    }

    fn acquire<'a>(
        &'a self,
        id: &'a ConversationId,
        claim: &'a Claim,
    ) -> ConversationFuture<'a, ConversationLease> {
        self.take(id, claim).map_err(self.explain("claim a conversation")).boxed()
    }

    fn renew<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        self.lengthen(lease).map_err(self.explain("renew a lease")).boxed()
    }

    fn release<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        self.drop_lease(lease).map_err(self.explain("release a lease")).boxed()
    }

    fn list<'a>(
        &'a self,
        page: &'a ConversationPage,
    ) -> ConversationFuture<'a, Vec<ConversationRecord>> {
        self.records(page).map_err(self.explain("list conversations")).boxed()
    }

    fn delete<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, bool> {
        self.remove(id).map_err(self.explain("delete a conversation")).boxed()
    }

    fn delete_older_than(&self, age: Duration) -> ConversationFuture<'_, u64> {
        self.remove_older_than(age).map_err(self.explain("delete old conversations")).boxed()
    }
}
