//! Reads from the file.

use ddg_core::__store::{from_ms, to_ms};
use ddg_core::worker::BoxError;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{Connection, Decode, Row, Type};

use super::{
    Conversation, ConversationId, ConversationPage, ConversationRecord, ConversationVersion,
    Failed, OpenRun, SqliteConversations, StoredConversation, cause,
};
use crate::memory::{Standing, Summary};
use crate::message::Message;

/// The row of a conversation, without its messages.
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) version: ConversationVersion,
    pub(super) n_messages: usize,
}

impl SqliteConversations {
    pub(super) async fn read(&self, id: &ConversationId) -> Result<StoredConversation, Failed> {
        let mut connection = self.file.read().await?;
        let mut tx = connection.begin().await?;
        let Some(head) = self.head(&mut tx, id).await? else {
            return Ok(StoredConversation::default());
        };
        let sql = "select goal, summaries, standing, run from ddg_conversations where id = $1";
        let row = sqlx::query(sql).bind(head.id).fetch_one(&mut *tx).await?;
        let goal = column(&row, "goal").map_err(self.unreadable(id.as_str(), "the goal"))?;
        let summaries = summaries(&row).map_err(self.unreadable(id.as_str(), "a summary"))?;
        let messages = self.messages(&mut tx, id, &head).await?.into();
        let standing = standing(&row).map_err(self.unreadable(id.as_str(), "its standing"))?;
        let conversation = Conversation { messages, goal, summaries, standing };
        let check = conversation.check().map_err(Into::into);
        check.map_err(self.unreadable(id.as_str(), "a summary"))?;
        let run =
            run(&row).map_err(self.unreadable(id.as_str(), "the run that is not at its end"))?;
        Ok(StoredConversation { conversation, version: head.version, run })
    }

    /// Reads the row of a conversation, if it exists.
    pub(super) async fn head(
        &self,
        connection: &mut SqliteConnection,
        id: &ConversationId,
    ) -> Result<Option<Head>, Failed> {
        let sql = "select id, version, n_messages from ddg_conversations where conversation = $1";
        let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(connection).await?;
        let head = |row| {
            let (version, n_messages) = counts(&row)?;
            Ok(Head { id: column(&row, "id")?, version, n_messages })
        };
        row.map(head).transpose().map_err(self.unreadable(id.as_str(), "the row"))
    }

    /// Reads a message as it is in the file; `None` if it does not exist.
    pub(super) async fn body(
        &self,
        connection: &mut SqliteConnection,
        id: &ConversationId,
        head: &Head,
        place: usize,
    ) -> Result<Option<String>, Failed> {
        let sql = "select body from ddg_messages where conversation = $1 and place = $2";
        let query = sqlx::query(sql).bind(head.id).bind(place as i64);
        let row = query.fetch_optional(connection).await?;
        let body = row.map(|row| column(&row, "body")).transpose();
        body.map_err(self.unreadable(id.as_str(), format!("message {place}")))
    }

    async fn messages(
        &self,
        connection: &mut SqliteConnection,
        id: &ConversationId,
        head: &Head,
    ) -> Result<Vec<Message>, Failed> {
        let sql = "select place, body from ddg_messages where conversation = $1 order by place";
        let rows = sqlx::query(sql).bind(head.id).fetch_all(connection).await?;
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
                   where $1 is null or (updated, conversation) < ($1, $2) \
                   order by updated desc, conversation desc limit $3";
        let (updated, after) = match &page.after {
            Some((updated, id)) => (Some(to_ms(*updated)), Some(id.as_str())),
            None => (None, None),
        };
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
        let query = sqlx::query(sql).bind(updated).bind(after).bind(limit);
        let rows = query.fetch_all(&mut *self.file.read().await?).await?;
        rows.iter().map(|row| self.record(row)).collect()
    }

    fn record(&self, row: &SqliteRow) -> Result<ConversationRecord, Failed> {
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

fn column<'a, T: Decode<'a, Sqlite> + Type<Sqlite>>(
    row: &'a SqliteRow,
    name: &str,
) -> Result<T, BoxError> {
    row.try_get(name).map_err(cause)
}

/// Reads the columns version and n_messages.
fn counts(row: &SqliteRow) -> Result<(ConversationVersion, usize), BoxError> {
    let version: i64 = column(row, "version")?;
    let n_messages: i64 = column(row, "n_messages")?;
    Ok((ConversationVersion::of(version.try_into()?), n_messages.try_into()?))
}

fn summaries(row: &SqliteRow) -> Result<Vec<Summary>, BoxError> {
    Ok(serde_json::from_str(column(row, "summaries")?)?)
}

fn standing(row: &SqliteRow) -> Result<Standing, BoxError> {
    let standing: Option<&str> = column(row, "standing")?;
    Ok(standing.map(serde_json::from_str).transpose()?.unwrap_or_default())
}

fn run(row: &SqliteRow) -> Result<Option<OpenRun>, BoxError> {
    let run: Option<&str> = column(row, "run")?;
    Ok(run.map(serde_json::from_str).transpose()?)
}

/// Reads the message at `place`. Fails if the row is not that of `place` in a conversation of
/// `n_messages`.
fn message(row: Option<&SqliteRow>, place: usize, n_messages: usize) -> Result<Message, BoxError> {
    if place >= n_messages {
        return Err(format!("there should be {n_messages} messages, and there are more").into());
    }
    let found: Option<i64> = row.map(|row| column(row, "place")).transpose()?;
    match row {
        Some(row) if found == Some(place as i64) => Ok(serde_json::from_str(column(row, "body")?)?),
        _ => Err("it is missing".into()),
    }
}
