//! A store in a PostgreSQL database.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use futures::{FutureExt, TryFutureExt};
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgRow, Postgres};
use sqlx::{ConnectOptions, Connection as _};

use super::connection::{Connections, Write};
use super::dialect::{Arg, Cell, Dialect, Row, Transacts, speaks_sqlx};
use super::{SqlStore, cause, nul, stores_by_sql};
use crate::checkpoint::{
    Checkpoint, Claim, Entry, Lease, Page, Rest, RunFilter, RunId, RunRecord, RunStatus,
    SignalRecord, StepRecord, StoreError, StoreFuture,
};

/// A store in a PostgreSQL database, in tables whose names begin with `ddg_`.
///
/// The connection is encrypted if the server supports it. The URL can require this
/// (`?sslmode=require`) and can require that the server's certificate is verified
/// (`?sslmode=verify-full`, against the system's roots or those in `&sslrootcert=FILE`).
///
/// Leases expire and runs wake by the clock of the server. The clocks of the processes do not
/// matter.
///
/// ```no_run
/// use ddg_core::checkpoint::PostgresStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://user:secret@localhost/runs").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresStore {
    sql: SqlStore<PostgresServer>,
}

/// A PostgreSQL database. A clone is the same database.
#[derive(Clone, Debug)]
pub struct PostgresServer {
    connections: Connections<Postgres>,
    /// A pool for renewals alone. A connection is driven by the runtime that opened it: if a worker
    /// blocks that runtime, every user of the connection waits, and leases would expire.
    leases: Connections<Postgres>,
}

/// Maximum number of connections. They are opened as needed.
const MAX_CONNECTIONS: u32 = 8;

impl PostgresStore {
    /// Connects to a database by its URL, `postgres://user:password@host:port/database`, and
    /// creates the tables if they do not exist.
    ///
    /// Parts missing from the URL are taken from the environment, as `psql` does. The tables are in
    /// the first schema of the search path, which `?options[search_path]=name` sets.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses the connection, and if its tables are newer than
    /// this crate knows.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        // The URL is not part of the error, because it may contain a password.
        let options = PgConnectOptions::from_str(url).map_err(|error| StoreError::Open {
            store: "a PostgreSQL database".to_owned(),
            source: cause(error),
            hint: "its URL should read `postgres://user:password@host:port/database`",
        })?;
        let options = options.disable_statement_logging();
        let name = name(&options);
        // A pool would retry until its timeout; a single connection fails at once with the cause.
        let connection = options.connect().await;
        let closed = async { connection?.close().await }.await;
        closed.map_err(|error| StoreError::Open {
            store: name.clone(),
            source: cause(error),
            hint: "the server must run and accept the URL's user, password and database",
        })?;
        let connections = Connections::new(MAX_CONNECTIONS, options.clone());
        let leases = Connections::new(1, options).sharing_commits(&connections);
        let sql = SqlStore::new(PostgresServer { connections, leases }, name);
        sql.migrate().map_err(sql.explain("prepare its tables")).await?;
        Ok(Self { sql })
    }

    /// Takes the time from `now` instead of the server's clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { sql: self.sql.with_clock(now) }
    }

    /// The database, for other stores in it. Not part of the public API.
    #[doc(hidden)]
    pub fn database(&self) -> &PostgresServer {
        &self.sql.database
    }

    /// Closes the connections.
    pub async fn close(self) {
        self.sql.database.connections.close().await;
        self.sql.database.leases.close().await;
    }
}

/// The name of the database in messages.
fn name(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!("PostgreSQL database `{database}` at {place}")
}

/// Whether a retry may succeed, by the [class of the error code][codes].
///
/// The classes are connection exceptions, transaction rollbacks, insufficient resources, operator
/// intervention and system errors; and a read-only server, because another one is taking over.
///
/// [codes]: https://www.postgresql.org/docs/current/errcodes-appendix.html
pub(super) fn is_transient(error: &PgDatabaseError) -> bool {
    const READ_ONLY: &str = "25006";
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let code = error.code();
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58")
        || [READ_ONLY, LOCK_NOT_AVAILABLE].contains(&code)
}

impl Dialect for PostgresServer {
    type Transaction = Write<Postgres>;

    const LOCKED: &'static str = " for update";
    const LOCKED_IF_FREE: &'static str = " for update skip locked";
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("../../../migrations/postgres/1.sql"),
        include_str!("../../../migrations/postgres/2.sql"),
    ];
    // An arbitrary number that is the same in all processes.
    const LOCK_SCHEMA: Option<&'static str> = Some("select pg_advisory_xact_lock(7233201)");

    async fn write(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.connections.write("begin").await
    }

    async fn write_lease(&self) -> Result<Write<Postgres>, sqlx::Error> {
        self.leases.write("begin").await
    }

    async fn read(&self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>, sqlx::Error> {
        read_from(&mut *self.connections.read().await?, sql, args).await
    }
}

impl Transacts for PostgresServer {
    const NOW: Option<&'static str> =
        Some("cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)");
}

speaks_sqlx!(Postgres, PgRow, nul::stored, nul::restored);
stores_by_sql!(PostgresStore);
