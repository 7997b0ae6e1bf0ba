//! The differences between the databases, and the few operations that are used of them.

use std::fmt;
use std::future::Future;

use futures::future::BoxFuture;

use super::Failed as FailedRun;
use super::failed::Failed;
use crate::checkpoint::Arrival;

/// A kind of database.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// Its transactions.
    type Transaction: Transaction;

    /// The end of a `select` that locks the rows until the transaction ends.
    const LOCKED: &'static str;
    /// The end of a `select` that locks rows and skips those that are locked already.
    const LOCKED_IF_FREE: &'static str;
    /// The statements that bring the tables to each version, starting with 1.
    const MIGRATIONS: &'static [&'static str];
    /// A statement that keeps others from migrating at the same time.
    const LOCK_SCHEMA: Option<&'static str>;

    /// Begins a transaction that writes.
    fn write(&self) -> impl Future<Output = Result<Self::Transaction, sqlx::Error>> + Send;

    /// Begins a transaction that renews a lease. May use connections of its own, which belong to
    /// the thread that keeps leases.
    fn write_lease(&self) -> impl Future<Output = Result<Self::Transaction, sqlx::Error>> + Send {
        self.write()
    }

    /// The rows that one statement finds.
    fn read(
        &self,
        sql: &str,
        args: &[Arg<'_>],
    ) -> impl Future<Output = Result<Vec<Row>, sqlx::Error>> + Send;
}

/// How a kind of database executes the writes of a store. Writes that wait at the same time may
/// share a transaction.
pub trait Transacts: Dialect + Clone + 'static {
    /// The time of the server in milliseconds, if it has a clock.
    const NOW: Option<&'static str>;

    /// Executes `deed` in a transaction, and commits it unless it was refused or has failed.
    fn transact<A: Deed<Self::Transaction>>(
        &self,
        deed: A,
    ) -> impl Future<Output = Result<A::Output, FailedRun>> + Send {
        async move {
            let tx = if A::FOR_LEASE { self.write_lease().await } else { self.write().await };
            let mut tx = tx?;
            let done = deed.act(&mut tx).await;
            tx.end(done).await
        }
    }
}

/// A transaction, rolled back if it is dropped without a commit.
pub trait Transaction: Send + Sized {
    /// The rows that a statement selects.
    fn rows(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
    ) -> impl Future<Output = Result<Vec<Row>, sqlx::Error>> + Send;

    /// Executes a statement and returns the number of rows that it changed.
    fn execute(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Executes any number of statements.
    fn script(&mut self, sql: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Commits the transaction.
    fn commit(self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Rolls the transaction back.
    fn roll_back(self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Ends the transaction: commits it if `done` is `Ok`, and rolls it back if the store has
    /// refused. If the database has failed, the transaction and its connection are dropped.
    fn end<T: Send, E: Send>(
        self,
        done: Result<T, Failed<E>>,
    ) -> impl Future<Output = Result<T, Failed<E>>> + Send {
        async move {
            match done {
                Ok(output) => {
                    self.commit().await?;
                    Ok(output)
                }
                Err(Failed::Refused(refused)) => {
                    self.roll_back().await?;
                    Err(Failed::Refused(refused))
                }
                Err(Failed::Broken(error)) => {
                    drop(self);
                    Err(Failed::Broken(error))
                }
            }
        }
    }
}

/// Everything that is done in a transaction, as a value. It may be executed again if the
/// transaction is not committed.
pub trait Deed<T>: Send + Sync + 'static {
    /// What comes of it.
    type Output: Send + 'static;

    /// Whether it renews a lease.
    const FOR_LEASE: bool = false;

    /// When the run of it came. What has no run comes first.
    fn arrival(&self) -> Arrival {
        Arrival::FIRST
    }

    /// Executes it. If it is refused, it has written nothing, because others may share the
    /// transaction.
    fn act<'a>(&'a self, tx: &'a mut T) -> BoxFuture<'a, Result<Self::Output, FailedRun>>;
}

/// An argument of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// A number.
    Int(Option<i64>),
    /// A text.
    Text(Option<&'a str>),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl From<i64> for Arg<'_> {
    fn from(int: i64) -> Self {
        Self::Int(Some(int))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(int: Option<i64>) -> Self {
        Self::Int(int)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// Converts a step, a kickoff or a token, because SQL has no unsigned numbers.
///
/// # Errors
/// If the number is too large.
pub fn int(n: u64) -> Result<i64, sqlx::Error> {
    i64::try_from(n).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// The values of a row, taken one after another.
pub struct Row(std::vec::IntoIter<Cell>);

/// A value in a row.
#[derive(Debug)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Row {
    pub(super) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    /// Takes a number.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn int(&mut self) -> Result<i64, sqlx::Error> {
        self.int_or_null()?.ok_or_else(|| unexpected("a number", &Cell::Null))
    }

    /// Takes a number or nothing.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn int_or_null(&mut self) -> Result<Option<i64>, sqlx::Error> {
        match self.next() {
            Cell::Int(int) => Ok(Some(int)),
            Cell::Null => Ok(None),
            other => Err(unexpected("a number", &other)),
        }
    }

    /// Takes a number that is not negative.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn unsigned(&mut self) -> Result<u64, sqlx::Error> {
        unsigned(self.int()?)
    }

    /// Takes a number that is not negative, or nothing.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn unsigned_or_null(&mut self) -> Result<Option<u64>, sqlx::Error> {
        self.int_or_null()?.map(unsigned).transpose()
    }

    /// Takes a text.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn text(&mut self) -> Result<String, sqlx::Error> {
        self.text_or_null()?.ok_or_else(|| unexpected("a text", &Cell::Null))
    }

    /// Takes a text or nothing.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn text_or_null(&mut self) -> Result<Option<String>, sqlx::Error> {
        match self.next() {
            Cell::Text(text) => Ok(Some(text)),
            Cell::Null => Ok(None),
            other => Err(unexpected("a text", &other)),
        }
    }

    /// Takes bytes.
    ///
    /// # Errors
    /// If the next value has another type.
    pub fn bytes(&mut self) -> Result<Vec<u8>, sqlx::Error> {
        match self.next() {
            Cell::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected("bytes", &other)),
        }
    }

    fn next(&mut self) -> Cell {
        self.0.next().unwrap_or(Cell::Null)
    }
}

fn unsigned(int: i64) -> Result<u64, sqlx::Error> {
    let refuse = |_| sqlx::Error::Decode(format!("a number in a row is negative: {int}").into());
    u64::try_from(int).map_err(refuse)
}

fn unexpected(expected: &str, found: &Cell) -> sqlx::Error {
    let found = match found {
        Cell::Null => "nothing",
        Cell::Int(_) => "a number",
        Cell::Text(_) => "a text",
        Cell::Bytes(_) => "bytes",
    };
    sqlx::Error::Decode(format!("expected {expected} in a row, found {found}").into())
}

/// Implements [`Transaction`] for sqlx, and defines a function that reads from a connection. Texts
/// are stored as `$stored` writes them, and read by `$restored`.
macro_rules! speaks_sqlx {
    ($Database:ty, $Row:ty, $stored:path, $restored:path) => {
        impl crate::checkpoint::sql::dialect::Transaction for Write<$Database> {
            async fn rows(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>, sqlx::Error> {
                let found = bound(sql, args).fetch_all(&mut **self).await?;
                found.iter().map(row).collect()
            }

            async fn execute(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64, sqlx::Error> {
                Ok(bound(sql, args).execute(&mut **self).await?.rows_affected())
            }

            async fn script(&mut self, sql: &str) -> Result<(), sqlx::Error> {
                let sql = sqlx::AssertSqlSafe(sql.to_owned());
                sqlx::raw_sql(sql).execute(&mut **self).await?;
                Ok(())
            }

            async fn commit(self) -> Result<(), sqlx::Error> {
                self.commit().await
            }

            async fn roll_back(self) -> Result<(), sqlx::Error> {
                self.roll_back().await
            }
        }

        async fn read_from(
            connection: &mut <$Database as sqlx::Database>::Connection,
            sql: &str,
            args: &[Arg<'_>],
        ) -> Result<Vec<Row>, sqlx::Error> {
            bound(sql, args).fetch_all(connection).await?.iter().map(row).collect()
        }

        type Query<'a> =
            sqlx::query::Query<'a, $Database, <$Database as sqlx::Database>::Arguments>;

        /// The statements are texts of this crate, and all external data is an argument, so they
        /// are safe.
        fn bound<'a>(sql: &str, args: &[Arg<'a>]) -> Query<'a> {
            let query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()));
            args.iter().fold(query, |query, arg| match *arg {
                Arg::Int(int) => query.bind(int),
                Arg::Text(text) => query.bind(text.map(|text| $stored(text).into_owned())),
                Arg::Bytes(bytes) => query.bind(bytes.to_owned()),
            })
        }

        fn row(found: &$Row) -> Result<Row, sqlx::Error> {
            use sqlx::{Row as _, TypeInfo, ValueRef};
            let cell = |idx| {
                let raw = found.try_get_raw(idx)?;
                if raw.is_null() {
                    return Ok(Cell::Null);
                }
                match raw.type_info().name() {
                    "INT8" | "INTEGER" => found.try_get(idx).map(Cell::Int),
                    "TEXT" => found.try_get(idx).map(|text| Cell::Text($restored(text))),
                    _ => found.try_get(idx).map(Cell::Bytes),
                }
            };
            Ok(Row::new((0..found.len()).map(cell).collect::<Result<_, sqlx::Error>>()?))
        }
    };
}
pub(super) use speaks_sqlx;
