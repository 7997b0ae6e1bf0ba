//! Open runs, in the row of their conversation.

use ddg_core::__store::Transaction;
use sqlx::sqlite::SqliteConnection;

use super::super::is_current;
use super::super::written::json;
use super::{ConversationId, ConversationVersion, Failed, OpenRun, SqliteConversations};

impl SqliteConversations {
    pub(super) async fn put_run(
        &self,
        id: &ConversationId,
        run: Option<&OpenRun>,
        expected: ConversationVersion,
    ) -> Result<ConversationVersion, Failed> {
        let run = run.map(json).transpose()?;
        let mut tx = self.file.write().await?;
        let done = self.put_run_in(&mut tx, id, run, expected).await;
        tx.end(done).await
    }

    async fn put_run_in(
        &self,
        tx: &mut SqliteConnection,
        id: &ConversationId,
        run: Option<String>,
        expected: ConversationVersion,
    ) -> Result<ConversationVersion, Failed> {
        let head = self.head(tx, id).await?;
        let found = head.map_or(ConversationVersion::NEW, |head| head.version);
        is_current(id, expected, found)?;
        let version = expected.next();
        let sql = "insert into ddg_conversations \
                   (conversation, version, n_messages, summaries, created, updated, run) \
                   values ($1, $2, 0, '[]', $3, $3, $4) \
                   on conflict (conversation) do update set version = excluded.version, \
                   updated = excluded.updated, run = excluded.run";
        let query = sqlx::query(sql).bind(id.as_str()).bind(version.number() as i64);
        query.bind(self.clock.now_ms()).bind(run).execute(tx).await?;
        Ok(version)
    }
}
