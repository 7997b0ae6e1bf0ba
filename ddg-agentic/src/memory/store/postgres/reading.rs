//! Reads from the database.

use ddg_core::__store::{Transaction, from_ms, to_ms};
use ddg_core::worker::BoxError;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use sqlx::{Decode, Row, Type};

use super::{
    Conversation, ConversationId, ConversationPage, ConversationRecord, ConversationVersion,
    Failed, PostgresConversations, StoredConversation, cause,
};
use crate::message::{Message, Messages};

/// The row of a conversation, without its messages.
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) version: ConversationVersion,
    pub(super) n_messages: usize,
}

impl PostgresConversations {
    pub(super) async fn read(&self, id: &ConversationId) -> Result<StoredConversation, Failed> {
        // Also waits for commits whose callers were dropped.
        drop(self.connections.read().await?);
        let begin = "begin isolation level repeatable read read only";
        let mut tx = self.connections.write(begin).await?;
        let done = self.read_in(&mut tx, id).await;
        tx.end(done).await
    }

    async fn read_in(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
    ) -> Result<StoredConversation, Failed> {
        let sql = "select id, version, n_messages, goal, summaries, standing, run from ddg_conversations \
                   where conversation = $1";
        let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(&mut *tx).await?;
        let Some(row) = row else { return Ok(StoredConversation::default()) };
        let head = head(&row).map_err(self.unreadable(id.as_str(), "the row"))?;
        let goal = json(&row, "goal").map_err(self.unreadable(id.as_str(), "the goal"))?;
        let summaries = json(&row, "summaries");
        let summaries = summaries.map_err(self.unreadable(id.as_str(), "a summary"))?;
        let run = json(&row, "run");
        let run = run.map_err(self.unreadable(id.as_str(), "the run that is not at its end"))?;
        let messages = self.messages(tx, id, &head).await?;
        let summaries = summaries.unwrap_or_default();
        let standing = json(&row, "standing");
        let standing = standing.map_err(self.unreadable(id.as_str(), "its standing"))?;
        let standing = standing.unwrap_or_default();
        let conversation = Conversation { messages, goal, summaries, standing };
        let check = conversation.check().map_err(Into::into);
        check.map_err(self.unreadable(id.as_str(), "a summary"))?;
        Ok(StoredConversation { conversation, version: head.version, run })
    }

    /// Reads and locks the row of a conversation, if it exists.
    pub(super) async fn locked(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
    ) -> Result<Option<Head>, Failed> {
        let sql = "select id, version, n_messages from ddg_conversations \
                   where conversation = $1 for update";
        let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(tx).await?;
        let row = row.map(|row| head(&row)).transpose();
        row.map_err(self.unreadable(id.as_str(), "the row"))
    }

    /// Reads a message as it is in the database; `None` if it does not exist.
    pub(super) async fn body(
        &self,
        tx: &mut PgConnection,
        head: &Head,
        place: usize,
    ) -> Result<Option<String>, Failed> {
        let sql = "select body from ddg_messages where conversation = $1 and place = $2";
        let query = sqlx::query_scalar(sql).bind(head.id).bind(place as i64);
        Ok(query.fetch_optional(tx).await?)
    }

    async fn messages(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
        head: &Head,
    ) -> Result<Messages, Failed> {
        let sql = "select place, body from ddg_messages where conversation = $1 order by place";
        let rows = sqlx::query(sql).bind(head.id).fetch_all(tx).await?;
        let n_messages = rows.len().max(head.n_messages);
        let message = |place| {
            let found = message(rows.get(place), place, head.n_messages);
            found.map_err(self.unreadable(id.as_str(), format!("message {place}")))
        };
        (0..n_messages).map(message).collect()
    }

    pub(super) async fn records(
        &self,
        page: &ConversationPage,
    ) -> Result<Vec<ConversationRecord>, Failed> {
        let sql = "select conversation, version, n_messages, created, updated, \
                          run is not null as open \
                   from ddg_conversations \
                   where $1::bigint is null or (updated, conversation) < ($1, $2::text) \
                   order by updated desc, conversation desc limit $3";
        let (updated, after) = match &page.after {
            Some((updated, id)) => (Some(to_ms(*updated)), Some(id.as_str())),
            None => (None, None),
        };
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
        let query = sqlx::query(sql).bind(updated).bind(after).bind(limit);
        let rows = query.fetch_all(&mut *self.connections.read().await?).await?;
        rows.iter().map(|row| self.record(row)).collect()
    }

    fn record(&self, row: &PgRow) -> Result<ConversationRecord, Failed> {
        let id: String = row.try_get("conversation")?;
        let record = |id: &str| {
            let (version, n_messages) = counts(row)?;
            let (created, updated) = (column(row, "created")?, column(row, "updated")?);
            let (id, created, updated) = (id.parse()?, from_ms(created), from_ms(updated));
            let has_open_run = column(row, "open")?;
            Ok(ConversationRecord { id, version, n_messages, created, updated, has_open_run })
        };
        record(&id).map_err(self.unreadable(&id, "the row"))
    }
}

fn column<'a, T: Decode<'a, Postgres> + Type<Postgres>>(
    row: &'a PgRow,
    name: &str,
) -> Result<T, BoxError> {
    row.try_get(name).map_err(cause)
}

fn head(row: &PgRow) -> Result<Head, BoxError> {
    let (version, n_messages) = counts(row)?;
    Ok(Head { id: column(row, "id")?, version, n_messages })
}

/// Reads the columns version and n_messages.
fn counts(row: &PgRow) -> Result<(ConversationVersion, usize), BoxError> {
    let version: i64 = column(row, "version")?;
    let n_messages: i64 = column(row, "n_messages")?;
    Ok((ConversationVersion::of(version.try_into()?), n_messages.try_into()?))
}

/// Reads a column of JSON, which may be null.
fn json<T: serde::de::DeserializeOwned>(row: &PgRow, name: &str) -> Result<Option<T>, BoxError> {
    let text: Option<&str> = column(row, name)?;
    Ok(text.map(serde_json::from_str).transpose()?)
}

/// Reads the message at `place`. Fails if the row is not that of `place` in a conversation of
/// `n_messages`.
fn message(row: Option<&PgRow>, place: usize, n_messages: usize) -> Result<Message, BoxError> {
    if place >= n_messages {
        return Err(format!("there should be {n_messages} messages, and there are more").into());
    }
    let found: Option<i64> = row.map(|row| column(row, "place")).transpose()?;
    match row {
        Some(row) if found == Some(place as i64) => Ok(serde_json::from_str(column(row, "body")?)?),
        _ => Err("it is missing".into()),
    }
}
