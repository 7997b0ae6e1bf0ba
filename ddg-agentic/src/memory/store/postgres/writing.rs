//! Writes to the database.

use ddg_core::__store::Transaction;
use std::time::Duration;

use sqlx::postgres::PgConnection;

use super::super::written::{body, is_written, json, standing};
use super::super::{admit, appended, is_current};
use super::reading::Head;
use super::{
    Conversation, ConversationError, ConversationId, ConversationVersion, Failed, OpenRun,
    PostgresConversations, Saving,
};

impl PostgresConversations {
    pub(super) async fn put(
        &self,
        id: &ConversationId,
        conversation: &Conversation,
        expected: ConversationVersion,
        saving: Saving,
    ) -> Result<ConversationVersion, Failed> {
        let mut tx = self.write().await?;
        let done = self.put_in(&mut tx, id, conversation, expected, saving).await;
        tx.end(done).await
    }

    async fn put_in(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
        conversation: &Conversation,
        expected: ConversationVersion,
        saving: Saving,
    ) -> Result<ConversationVersion, Failed> {
        let head = self.locked(tx, id).await?;
        let found = head.as_ref().map_or(ConversationVersion::NEW, |head| head.version);
        admit(id, conversation, expected, found)?;
        let n_kept = match (saving, &head) {
            (Saving::Append, Some(head)) => self.n_kept(tx, id, head, conversation).await?,
            (Saving::Append, None) | (Saving::Rewrite, _) => 0,
        };
        let version = expected.next();
        let row = self.write_head(tx, id, head.as_ref(), expected).await?;
        let sql = "update ddg_conversations set version = $2, n_messages = $3, goal = $4, \
                   summaries = $5, updated = $6, standing = $7, run = null where id = $1";
        let goal = conversation.goal.as_ref().map(json).transpose()?;
        let query = sqlx::query(sql)
            .bind(row)
            .bind(version.number() as i64)
            .bind(conversation.messages.len() as i64)
            .bind(goal)
            .bind(json(&conversation.summaries)?)
            .bind(self.clock.now_ms())
            .bind(standing(conversation)?);
        query.execute(&mut *tx).await?;
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

    pub(super) async fn put_run(
        &self,
        id: &ConversationId,
        run: Option<&OpenRun>,
        expected: ConversationVersion,
    ) -> Result<ConversationVersion, Failed> {
        let run = run.map(json).transpose()?;
        let mut tx = self.write().await?;
        let done = self.put_run_in(&mut tx, id, run, expected).await;
        tx.end(done).await
    }

    async fn put_run_in(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
        run: Option<String>,
        expected: ConversationVersion,
    ) -> Result<ConversationVersion, Failed> {
        let head = self.locked(tx, id).await?;
        let found = head.as_ref().map_or(ConversationVersion::NEW, |head| head.version);
        is_current(id, expected, found)?;
        let version = expected.next();
        let row = self.write_head(tx, id, head.as_ref(), expected).await?;
        let sql = "update ddg_conversations set version = $2, updated = $3, run = $4 where id = $1";
        let query = sqlx::query(sql).bind(row).bind(version.number() as i64);
        query.bind(self.clock.now_ms()).bind(run).execute(tx).await?;
        Ok(version)
    }

    /// The key of the row of a conversation, which is created if it does not exist.
    ///
    /// # Errors
    /// [`ConversationError::Changed`] if another writer has created it meanwhile.
    async fn write_head(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
        head: Option<&Head>,
        expected: ConversationVersion,
    ) -> Result<i64, Failed> {
        if let Some(head) = head {
            return Ok(head.id);
        }
        let sql = "insert into ddg_conversations \
                   (conversation, version, n_messages, summaries, created, updated) \
                   values ($1, 0, 0, '[]', $2, $2) on conflict (conversation) do nothing \
                   returning id";
        let query = sqlx::query_scalar(sql).bind(id.as_str()).bind(self.clock.now_ms());
        if let Some(row) = query.fetch_optional(&mut *tx).await? {
            return Ok(row);
        }
        let found = self.locked(tx, id).await?;
        let found = found.map_or(ConversationVersion::NEW, |head| head.version);
        Err(ConversationError::Changed { id: id.clone(), expected, found }.into())
    }

    /// Number of stored messages that do not change.
    async fn n_kept(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
        head: &Head,
        conversation: &Conversation,
    ) -> Result<usize, Failed> {
        let Some(last) = head.n_messages.checked_sub(1) else { return Ok(0) };
        let body = self.body(tx, head, last).await?;
        Ok(appended(id, conversation, head.n_messages, |message| {
            body.is_some_and(|body| is_written(message, &body))
        })?)
    }

    pub(super) async fn remove(&self, id: &ConversationId) -> Result<bool, Failed> {
        let sql = "delete from ddg_conversations where conversation = $1";
        let mut tx = self.write().await?;
        let done = sqlx::query(sql).bind(id.as_str()).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    pub(super) async fn remove_older_than(&self, age: Duration) -> Result<u64, Failed> {
        let sql = "delete from ddg_conversations where updated < $1";
        let mut tx = self.write().await?;
        let done = sqlx::query(sql).bind(self.clock.before_ms(age)).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}
