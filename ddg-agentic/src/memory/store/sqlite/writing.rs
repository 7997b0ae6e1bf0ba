//! Writes to the file.

use std::time::Duration;

use ddg_core::__store::Transaction;
use sqlx::sqlite::SqliteConnection;

use super::super::written::{body, is_written, json, standing};
use super::super::{admit, appended};
use super::reading::Head;
use super::{
    Conversation, ConversationId, ConversationVersion, Failed, Saving, SqliteConversations,
};

impl SqliteConversations {
    pub(super) async fn put(
        &self,
        id: &ConversationId,
        conversation: &Conversation,
        expected: ConversationVersion,
        saving: Saving,
    ) -> Result<ConversationVersion, Failed> {
        let mut tx = self.file.write().await?;
        let done = self.put_in(&mut tx, id, conversation, expected, saving).await;
        tx.end(done).await
    }

    async fn put_in(
        &self,
        tx: &mut SqliteConnection,
        id: &ConversationId,
        conversation: &Conversation,
        expected: ConversationVersion,
        saving: Saving,
    ) -> Result<ConversationVersion, Failed> {
        let head = self.head(tx, id).await?;
        let found = head.as_ref().map_or(ConversationVersion::NEW, |head| head.version);
        admit(id, conversation, expected, found)?;
        let n_kept = match (saving, &head) {
            (Saving::Append, Some(head)) => self.n_kept(tx, id, head, conversation).await?,
            (Saving::Append, None) | (Saving::Rewrite, _) => 0,
        };
        let version = expected.next();
        let row = self.write_head(tx, id, conversation, version).await?;
        if saving == Saving::Rewrite {
            let sql = "delete from ddg_messages where conversation = $1";
            sqlx::query(sql).bind(row).execute(&mut *tx).await?;
        }
        for (place, message) in conversation.messages.iter().enumerate().skip(n_kept) {
            let sql = "insert into ddg_messages (conversation, place, body) values ($1, $2, $3)";
            let query = sqlx::query(sql).bind(row).bind(place as i64);
            query.bind(body(id, place, message)?).execute(&mut *tx).await?;
        }
        Ok(version)
    }

    /// Number of stored messages that do not change.
    async fn n_kept(
        &self,
        connection: &mut SqliteConnection,
        id: &ConversationId,
        head: &Head,
        conversation: &Conversation,
    ) -> Result<usize, Failed> {
        let Some(last) = head.n_messages.checked_sub(1) else { return Ok(0) };
        let body = self.body(connection, id, head, last).await?;
        Ok(appended(id, conversation, head.n_messages, |message| {
            body.is_some_and(|body| is_written(message, &body))
        })?)
    }

    /// Writes the row of a conversation, and returns its key.
    async fn write_head(
        &self,
        connection: &mut SqliteConnection,
        id: &ConversationId,
        conversation: &Conversation,
        version: ConversationVersion,
    ) -> Result<i64, Failed> {
        let sql = "insert into ddg_conversations \
                   (conversation, version, n_messages, goal, summaries, created, updated, standing) \
                   values ($1, $2, $3, $4, $5, $6, $6, $7) \
                   on conflict (conversation) do update set version = excluded.version, \
                   n_messages = excluded.n_messages, goal = excluded.goal, \
                   summaries = excluded.summaries, updated = excluded.updated, \
                   standing = excluded.standing, run = null \
                   returning id";
        let query = sqlx::query_scalar(sql)
            .bind(id.as_str())
            .bind(version.number() as i64)
            .bind(conversation.messages.len() as i64)
            .bind(conversation.goal.as_deref())
            .bind(json(&conversation.summaries)?)
            .bind(self.clock.now_ms())
            .bind(standing(conversation)?);
        Ok(query.fetch_one(connection).await?)
    }

    pub(super) async fn remove(&self, id: &ConversationId) -> Result<bool, Failed> {
        let sql = "delete from ddg_conversations where conversation = $1";
        let mut tx = self.file.write().await?;
        let done = sqlx::query(sql).bind(id.as_str()).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    pub(super) async fn remove_older_than(&self, age: Duration) -> Result<u64, Failed> {
        let sql = "delete from ddg_conversations where updated < $1";
        let mut tx = self.file.write().await?;
        let done = sqlx::query(sql).bind(self.clock.before_ms(age)).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}
