//! A store of conversations in a PostgreSQL database.
//!
//! **Invariant.** Every write is one transaction that locks the conversation's row, decides by what
//! it finds there, and writes. A row that does not exist cannot be locked, so it is inserted only
//! if it still does not exist. A conversation is read in one transaction, which sees one moment of
//! the database.

mod leasing;
mod reading;
mod schema;
mod writing;

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ddg_core::__store::{Clock, Connections, Write, cause};
use ddg_core::checkpoint::Claim;
use ddg_core::worker::BoxError;
use futures::{FutureExt, TryFutureExt};
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::{ConnectOptions, Connection as _};

use super::written::Failed;
use super::{
    Conversation, ConversationError, ConversationFuture, ConversationId, ConversationLease,
    ConversationPage, ConversationRecord, ConversationStore, ConversationVersion, OpenRun, Saving,
    StoredConversation,
};

/// Maximum number of connections. They are opened as needed.
const MAX_CONNECTIONS: u32 = 8;

/// A store of conversations in a PostgreSQL database, in tables whose names begin with `ddg_`. It
/// may be the database in which ddg-core keeps runs. A clone is the same store.
///
/// The connection is encrypted if the server supports it. The URL can require this
/// (`?sslmode=require`), and that the server's certificate is verified (`?sslmode=verify-full`).
///
/// Processes on several machines compare the expiry of leases by their own clocks. If the clocks
/// differ by more than the time to live of a lease, two processes may run a conversation at the
/// same time; one of them cannot save its messages then.
///
/// ```no_run
/// use ddg_agentic::memory::PostgresConversations;
/// use ddg_agentic::prelude::*;
/// use ddg_core::checkpoint::PostgresStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("DATABASE_URL")?;
/// let agent = Agent::new(ReActAutoma::new(OfflineModel::new()))?
///     .conversations(PostgresConversations::connect(&url).await?)
///     .stored_in(&PostgresStore::connect(&url).await?);
/// agent.say("visitor-7", "Hello.").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresConversations {
    connections: Connections<Postgres>,
    /// A connection for renewals alone, which must not wait for anything else.
    leases: Connections<Postgres>,
    /// The name of the store in messages.
    name: Arc<str>,
    clock: Clock,
}

impl PostgresConversations {
    /// Connects to a database by its URL, `postgres://user:password@host:port/database`, and
    /// creates the tables if they do not exist.
    ///
    /// Parts missing from the URL are taken from the environment, as `psql` does. The tables are in
    /// the first schema of the search path, which `?options[search_path]=name` sets.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses the connection, and if its tables are newer than
    /// this crate knows.
    pub async fn connect(url: &str) -> Result<Self, ConversationError> {
        // The URL is not part of the error, because it may contain a password.
        let options = PgConnectOptions::from_str(url).map_err(|error| ConversationError::Open {
            store: "a PostgreSQL database".to_owned(),
            source: cause(error),
            hint: "its URL should read `postgres://user:password@host:port/database`",
        })?;
        let options = options.disable_statement_logging();
        let name = name_of(&options);
        // A pool would retry until its timeout; a single connection fails at once with the cause.
        let connection = options.connect().await;
        let closed = async { connection?.close().await }.await;
        closed.map_err(|error| ConversationError::Open {
            store: name.clone(),
            source: cause(error),
            hint: "the server must run and accept the URL's user, password and database",
        })?;
        let connections = Connections::new(MAX_CONNECTIONS, options.clone());
        let leases = Connections::new(1, options).sharing_commits(&connections);
        let store = Self { connections, leases, name: name.into(), clock: Clock::default() };
        store.migrate().map_err(store.explain("prepare its tables")).await?;
        Ok(store)
    }

    /// Takes the time from `now` instead of the system's clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), ..self }
    }

    /// Closes the connections.
    pub async fn close(self) {
        self.connections.close().await;
        self.leases.close().await;
    }

    async fn write(&self) -> Result<Write<Postgres>, sqlx::Error> {
        self.connections.write("begin").await
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

/// The name of the database in messages.
fn name_of(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!("PostgreSQL database `{database}` at {place}")
}

impl ConversationStore for PostgresConversations {
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
