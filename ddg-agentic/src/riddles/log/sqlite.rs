//! The log in an SQLite database.
//!
//! **Invariant.** Every write is one immediate transaction that reads what it decides by, so that
//! calls of several processes are serialised.

use std::path::Path;

use ddg_core::__store::{SqliteFile, Write};
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow, SqliteSynchronous};

use super::{
    Delivered, Log, LoggedMessage, MANAGEMENT, MessageFilter, NewDelivery, Parent, Posed, Receipt,
    Reply, no_depth, no_longer, no_number, now, sub_id,
};
use crate::riddles::error::RiddleError;
use crate::riddles::message::AgentMessage;
use crate::riddles::outcome::RiddleOutcome;
use crate::riddles::stage::Stage;

/// The statements that bring the tables to each version, starting with 1.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/riddles/1.sql")];

/// A log in an SQLite database.
#[derive(Clone, Debug)]
pub(in crate::riddles) struct SqliteLog {
    file: SqliteFile,
    /// The name of the database in messages.
    name: String,
}

/// Why a transaction was not committed.
enum Failed {
    Refused(RiddleError),
    Broken(String),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<RiddleError> for Failed {
    fn from(error: RiddleError) -> Self {
        Self::Refused(error)
    }
}

impl SqliteLog {
    /// Opens the database at `path`, and creates it if it does not exist.
    pub(in crate::riddles) async fn open(path: &Path) -> Result<Self, RiddleError> {
        let name = format!("SQLite database `{}`", path.display());
        let failed =
            |message: String| RiddleError::Store { store: name.clone(), action: "opened", message };
        let file = SqliteFile::open(path, SqliteSynchronous::Full).await;
        let file = file.map_err(|error| failed(error.to_string()))?;
        let known = MIGRATIONS.len() as u64;
        let found = file.migrate("ddg_riddle_schema", MIGRATIONS).await;
        let found = found.map_err(|error| failed(error.to_string()))?;
        if found > known {
            return Err(failed(format!(
                "it has tables of version {found}, and this program knows versions up to {known}: run \
                 it with a newer ddg-agentic"
            )));
        }
        Ok(Self { file, name })
    }

    fn explain(&self, action: &'static str) -> impl Fn(Failed) -> RiddleError {
        move |failed| match failed {
            Failed::Refused(error) => error,
            Failed::Broken(message) => {
                RiddleError::Store { store: self.name.clone(), action, message }
            }
        }
    }

    async fn begin(&self) -> Result<Write<sqlx::Sqlite>, Failed> {
        Ok(self.file.write().await?)
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, Failed> {
    Ok(serde_json::to_string(value)?)
}

fn of_json<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, Failed> {
    Ok(serde_json::from_str(row.try_get(column)?)?)
}

/// Writes a message, and returns its number.
async fn write_message(
    tx: &mut SqliteConnection,
    riddle: &str,
    (from, to): (&str, &str),
    stage: &str,
    message: &AgentMessage,
) -> Result<i64, Failed> {
    let sql = "insert into ddg_riddle_messages (time, riddle, sender, receiver, stage, message) \
               values ($1, $2, $3, $4, $5, $6)";
    let query = sqlx::query(sql).bind(now()).bind(riddle).bind(from).bind(to).bind(stage);
    let done = query.bind(json(message)?).execute(tx).await?;
    Ok(done.last_insert_rowid())
}

async fn insert_riddle(
    tx: &mut SqliteConnection,
    message: &AgentMessage,
    parent: Option<Parent<'_>>,
    depth: u32,
) -> Result<Posed, Failed> {
    let sql = "insert into ddg_riddles (id, parent, cause, depth, posed) values ($1, $2, $3, $4, $5) \
               on conflict (id) do nothing";
    let query = sqlx::query(sql).bind(&message.id).bind(parent.map(|parent| parent.id));
    let query = query.bind(parent.map(|parent| parent.cause)).bind(depth).bind(json(message)?);
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(Posed::Known);
    }
    write_message(tx, &message.id, ("author", MANAGEMENT), "posed", message).await?;
    Ok(Posed::New)
}

/// A delivery by a condition on its row, with what the log has of it.
async fn find_delivery(
    tx: &mut SqliteConnection,
    number: i64,
) -> Result<Option<(Delivered, bool)>, Failed> {
    let sql = "select d.number, d.time, d.riddle, d.stage, d.agent, d.is_held, d.is_late, d.reply, \
               m.message, r.ended_at is not null as has_ended, r.n_below \
               from ddg_riddle_deliveries d \
               join ddg_riddle_messages m on m.number = d.number \
               join ddg_riddles r on r.id = d.riddle where d.number = $1";
    let Some(row) = sqlx::query(sql).bind(number).fetch_optional(tx).await? else {
        return Ok(None);
    };
    let stage: String = row.try_get("stage")?;
    let reply: Option<String> = row.try_get("reply")?;
    let delivered = Delivered {
        number: row.try_get("number")?,
        time: row.try_get("time")?,
        stage: serde_json::from_value::<Stage>(stage.into())?,
        agent: row.try_get("agent")?,
        riddle: row.try_get("riddle")?,
        message: of_json(&row, "message")?,
        is_held: row.try_get("is_held")?,
        reply: reply.map(|reply| serde_json::from_str(&reply)).transpose()?,
        has_ended: row.try_get("has_ended")?,
        n_below: row.try_get("n_below")?,
    };
    Ok(Some((delivered, row.try_get("is_late")?)))
}

fn outcome(row: &SqliteRow) -> Result<RiddleOutcome, Failed> {
    match row.try_get::<Option<String>, _>("outcome")? {
        Some(outcome) => Ok(serde_json::from_str(&outcome)?),
        None => Ok(RiddleOutcome::running(of_json(row, "posed")?)),
    }
}

fn unknown(id: &str) -> Failed {
    RiddleError::UnknownRiddle { id: id.to_owned() }.into()
}

impl SqliteLog {
    async fn do_pose(&self, message: &AgentMessage) -> Result<Posed, Failed> {
        let mut tx = self.begin().await?;
        let posed = insert_riddle(&mut tx, message, None, 0).await?;
        tx.commit().await?;
        Ok(posed)
    }

    async fn do_pose_below(
        &self,
        parent: Parent<'_>,
        message: &AgentMessage,
    ) -> Result<(String, Posed), Failed> {
        let mut tx = self.begin().await?;
        let sql = "select id from ddg_riddles where parent = $1 and cause = $2";
        let known = sqlx::query_scalar(sql).bind(parent.id).bind(parent.cause);
        if let Some(id) = known.fetch_optional(&mut *tx).await? {
            tx.roll_back().await?;
            return Ok((id, Posed::Known));
        }
        let sql = "select depth, n_below, ended_at is not null as has_ended from ddg_riddles where id = $1";
        let row = sqlx::query(sql).bind(parent.id).fetch_optional(&mut *tx).await?;
        let row = row.ok_or_else(|| unknown(parent.id))?;
        let (depth, n): (u32, u32) = (row.try_get("depth")?, row.try_get("n_below")?);
        let ended = row.try_get::<bool, _>("has_ended")?.then(|| no_longer(parent));
        let refused = ended.or_else(|| no_depth(parent, depth)).or_else(|| no_number(parent, n));
        if let Some(refused) = refused {
            tx.roll_back().await?;
            return Err(refused.into());
        }
        let sql = "update ddg_riddles set n_below = n_below + 1 where id = $1";
        sqlx::query(sql).bind(parent.id).execute(&mut *tx).await?;
        let id = sub_id(parent.id, n + 1);
        let mut message = message.clone();
        message.id.clone_from(&id);
        let posed = insert_riddle(&mut tx, &message, Some(parent), depth + 1).await?;
        tx.commit().await?;
        Ok((id, posed))
    }

    async fn do_posed(&self, id: &str) -> Result<AgentMessage, Failed> {
        let sql = "select posed from ddg_riddles where id = $1";
        let mut connection = self.file.read().await?;
        let row = sqlx::query(sql).bind(id).fetch_optional(&mut *connection).await?;
        of_json(&row.ok_or_else(|| unknown(id))?, "posed")
    }

    async fn do_deliver(&self, new: NewDelivery<'_>) -> Result<Delivered, Failed> {
        let mut tx = self.begin().await?;
        let sql = "select number from ddg_riddle_deliveries where riddle = $1 and key = $2";
        let known = sqlx::query_scalar(sql).bind(new.riddle).bind(new.key);
        let number: i64 = match known.fetch_optional(&mut *tx).await? {
            Some(number) => number,
            None => {
                let ends = (MANAGEMENT, new.agent);
                let stage = new.stage.word();
                let number = write_message(&mut tx, new.riddle, ends, stage, new.message).await?;
                let sql = "insert into ddg_riddle_deliveries (number, time, riddle, key, stage, agent) \
                           values ($1, $2, $3, $4, $5, $6)";
                let query = sqlx::query(sql).bind(number).bind(now()).bind(new.riddle);
                query.bind(new.key).bind(stage).bind(new.agent).execute(&mut *tx).await?;
                number
            }
        };
        let found = find_delivery(&mut tx, number).await?;
        let (delivered, _) = found.ok_or_else(|| unknown(new.riddle))?;
        tx.commit().await?;
        Ok(delivered)
    }

    async fn do_delivered(&self, number: i64) -> Result<Option<Delivered>, Failed> {
        let mut connection = self.file.read().await?;
        let found = find_delivery(&mut connection, number).await?;
        Ok(found.map(|(delivered, _)| delivered))
    }

    async fn do_hold(&self, number: i64) -> Result<(), Failed> {
        let mut tx = self.begin().await?;
        let sql = "update ddg_riddle_deliveries set is_held = 1 where number = $1";
        sqlx::query(sql).bind(number).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn do_reply(&self, number: i64, agent: &str, reply: &Reply) -> Result<Receipt, Failed> {
        let mut tx = self.begin().await?;
        let found = find_delivery(&mut tx, number).await?;
        let Some((sent, has_late)) = found.filter(|(sent, _)| sent.agent == agent) else {
            tx.roll_back().await?;
            return Err(RiddleError::UnknownMessage { number, agent: agent.to_owned() }.into());
        };
        let receipt = super::receipt(&sent, has_late);
        if receipt == Receipt::Repeated {
            tx.roll_back().await?;
            return Ok(receipt);
        }
        let message = reply.message().unwrap_or(&sent.message);
        let ends = (agent, MANAGEMENT);
        let (word, sql) = match receipt {
            Receipt::Late => {
                ("late", "update ddg_riddle_deliveries set is_late = 1 where number = $1")
            }
            _ => (
                reply.word(sent.stage),
                "update ddg_riddle_deliveries set reply = $2 where number = $1",
            ),
        };
        write_message(&mut tx, &sent.riddle, ends, word, message).await?;
        let update = sqlx::query(sql).bind(number);
        let update = if receipt == Receipt::Late { update } else { update.bind(json(reply)?) };
        update.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(receipt)
    }

    async fn do_end(&self, outcome: &RiddleOutcome) -> Result<bool, Failed> {
        let mut tx = self.begin().await?;
        let sql =
            "update ddg_riddles set ended_at = $2, outcome = $3 where id = $1 and ended_at is null";
        let query = sqlx::query(sql).bind(&outcome.id).bind(now()).bind(json(outcome)?);
        if query.execute(&mut *tx).await?.rows_affected() == 0 {
            tx.roll_back().await?;
            return Ok(false);
        }
        let ends = (MANAGEMENT, "author");
        write_message(&mut tx, &outcome.id, ends, "ended", &outcome.message).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn do_riddle(&self, id: &str) -> Result<RiddleOutcome, Failed> {
        let sql = "select posed, outcome from ddg_riddles where id = $1";
        let mut connection = self.file.read().await?;
        let row = sqlx::query(sql).bind(id).fetch_optional(&mut *connection).await?;
        outcome(&row.ok_or_else(|| unknown(id))?)
    }

    async fn do_riddles(&self) -> Result<Vec<RiddleOutcome>, Failed> {
        let sql = "select posed, outcome from ddg_riddles order by seq desc";
        let rows = sqlx::query(sql).fetch_all(&mut *self.file.read().await?).await?;
        rows.iter().map(outcome).collect()
    }

    async fn do_running(&self, below: Option<&str>) -> Result<Vec<String>, Failed> {
        let sql = "select id from ddg_riddles where ended_at is null and ($1 is null or parent = $1) \
                   order by seq";
        let query = sqlx::query_scalar(sql).bind(below);
        Ok(query.fetch_all(&mut *self.file.read().await?).await?)
    }

    async fn do_messages(&self, filter: &MessageFilter) -> Result<Vec<LoggedMessage>, Failed> {
        let sql = "select number, time, riddle, sender, receiver, stage, message \
                   from ddg_riddle_messages \
                   where number > $1 and ($2 is null or riddle = $2) order by number limit $3";
        let query = sqlx::query(sql).bind(filter.after).bind(&filter.riddle).bind(filter.n());
        let rows = query.fetch_all(&mut *self.file.read().await?).await?;
        let message = |row: &SqliteRow| {
            Ok(LoggedMessage {
                number: row.try_get("number")?,
                time: row.try_get("time")?,
                riddle: row.try_get("riddle")?,
                from: row.try_get("sender")?,
                to: row.try_get("receiver")?,
                stage: row.try_get("stage")?,
                message: of_json(row, "message")?,
            })
        };
        rows.iter().map(message).collect()
    }

    async fn do_delete(&self, time: i64) -> Result<Vec<String>, Failed> {
        let mut tx = self.begin().await?;
        let sql = "delete from ddg_riddles where ended_at < $1 returning id";
        let old: Vec<String> = sqlx::query_scalar(sql).bind(time).fetch_all(&mut *tx).await?;
        for id in &old {
            for sql in [
                "delete from ddg_riddle_messages where riddle = $1",
                "delete from ddg_riddle_deliveries where riddle = $1",
            ] {
                sqlx::query(sql).bind(id).execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(old)
    }
}

impl Log for SqliteLog {
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

    fn delete_ended_before(&self, time: i64) -> BoxFuture<'_, Result<Vec<String>, RiddleError>> {
        self.do_delete(time).map_err(self.explain("deleted")).boxed()
    }
}
