//! The log in a database.
//!
//! **Invariant.** Every write is one transaction that reads what it decides by, and no other write
//! of the log happens at the same time, in any process. So messages become visible in the order of
//! their numbers, and a reader that continues after a number misses none.

mod messages;
mod riddles;
mod schema;

#[cfg(feature = "postgres")]
use ddg_core::__store::PostgresServer;
#[cfg(feature = "sqlite")]
use ddg_core::__store::SqliteFile;
use ddg_core::__store::{Dialect, Failed as FailedWith, Row, Transaction, cause};
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Delivered, Log, LoggedMessage, MessageFilter, NewDelivery, Parent, Posed, Receipt, Reply,
};
use crate::riddles::error::RiddleError;
use crate::riddles::message::AgentMessage;
use crate::riddles::outcome::RiddleOutcome;

/// A log in a database of one kind.
#[derive(Clone, Debug)]
pub(in crate::riddles) struct SqlLog<D> {
    database: D,
    /// The name of the database in messages.
    name: String,
    /// A statement after which no other transaction of the log writes until this one has ended.
    /// SQLite has one writer in any case.
    lock: Option<&'static str>,
}

type Failed = FailedWith<RiddleError>;

impl From<RiddleError> for Failed {
    fn from(error: RiddleError) -> Self {
        Self::Refused(error)
    }
}

#[cfg(feature = "sqlite")]
impl SqlLog<SqliteFile> {
    /// The log in an SQLite file.
    pub(in crate::riddles) async fn sqlite(
        database: SqliteFile,
        name: String,
    ) -> Result<Self, RiddleError> {
        let log = Self { database, name, lock: None };
        log.migrate(&[include_str!("../../../migrations/riddles/sqlite_1.sql")]).await?;
        Ok(log)
    }
}

#[cfg(feature = "postgres")]
impl SqlLog<PostgresServer> {
    /// The log in a PostgreSQL database.
    pub(in crate::riddles) async fn postgres(
        database: PostgresServer,
        name: String,
    ) -> Result<Self, RiddleError> {
        // An arbitrary number that is the same in all processes.
        let lock = Some("select pg_advisory_xact_lock(7233203)");
        let log = Self { database, name, lock };
        log.migrate(&[include_str!("../../../migrations/riddles/postgres_1.sql")]).await?;
        Ok(log)
    }
}

impl<D: Dialect> SqlLog<D> {
    fn explain(&self, action: &'static str) -> impl Fn(Failed) -> RiddleError {
        move |failed| match failed {
            Failed::Refused(error) => error,
            Failed::Broken(error) => {
                let message = cause(error).to_string();
                RiddleError::Store { store: self.name.clone(), action, message }
            }
        }
    }

    async fn begin(&self) -> Result<D::Transaction, Failed> {
        let mut tx = self.database.write().await?;
        if let Some(lock) = self.lock {
            tx.script(lock).await?;
        }
        Ok(tx)
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, Failed> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()).into())
}

fn of_json<T: DeserializeOwned>(text: &str) -> Result<T, Failed> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()).into())
}

/// The first row, if there is one.
fn first(rows: Vec<Row>) -> Option<Row> {
    rows.into_iter().next()
}

fn unknown(id: &str) -> Failed {
    RiddleError::UnknownRiddle { id: id.to_owned() }.into()
}

impl<D: Dialect> Log for SqlLog<D> {
    fn pose<'a>(&'a self, message: &'a AgentMessage) -> BoxFuture<'a, Result<Posed, RiddleError>> {
        self.do_pose(message).map_err(self.explain("posed")).boxed()
    }

    fn pose_below<'a>(
        &'a self,
        parent: Parent<'a>,
        message: &'a AgentMessage,
    ) -> BoxFuture<'a, Result<(String, Posed), RiddleError>> {
        self.do_pose_below(parent, message).map_err(self.explain("posed")).boxed()
    }

    fn posed<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<AgentMessage, RiddleError>> {
        self.do_posed(id).map_err(self.explain("read")).boxed()
    }

    fn deliver<'a>(
        &'a self,
        new: NewDelivery<'a>,
    ) -> BoxFuture<'a, Result<Delivered, RiddleError>> {
        self.do_deliver(new).map_err(self.explain("written")).boxed()
    }

    fn delivered(&self, number: i64) -> BoxFuture<'_, Result<Option<Delivered>, RiddleError>> {
        self.do_delivered(number).map_err(self.explain("read")).boxed()
    }

    fn hold(&self, number: i64) -> BoxFuture<'_, Result<(), RiddleError>> {
        self.do_hold(number).map_err(self.explain("written")).boxed()
    }

    fn reply<'a>(
        &'a self,
        number: i64,
        agent: &'a str,
        reply: &'a Reply,
    ) -> BoxFuture<'a, Result<Receipt, RiddleError>> {
        self.do_reply(number, agent, reply).map_err(self.explain("written")).boxed()
    }

    fn end<'a>(&'a self, outcome: &'a RiddleOutcome) -> BoxFuture<'a, Result<bool, RiddleError>> {
        self.do_end(outcome).map_err(self.explain("written")).boxed()
    }

    fn riddle<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>> {
        self.do_riddle(id).map_err(self.explain("read")).boxed()
    }

    fn riddles(&self) -> BoxFuture<'_, Result<Vec<RiddleOutcome>, RiddleError>> {
        self.do_riddles().map_err(self.explain("read")).boxed()
    }

    fn running<'a>(
        &'a self,
        below: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, RiddleError>> {
        self.do_running(below).map_err(self.explain("read")).boxed()
    }

    fn messages<'a>(
        &'a self,
        filter: &'a MessageFilter,
    ) -> BoxFuture<'a, Result<Vec<LoggedMessage>, RiddleError>> {
        self.do_messages(filter).map_err(self.explain("read")).boxed()
    }

    fn last(&self) -> BoxFuture<'_, Result<i64, RiddleError>> {
        self.do_last().map_err(self.explain("read")).boxed()
    }

    fn delete_ended_before(&self, time: i64) -> BoxFuture<'_, Result<Vec<String>, RiddleError>> {
        self.do_delete(time).map_err(self.explain("deleted")).boxed()
    }
}
