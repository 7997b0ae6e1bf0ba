//! Leases of conversations.

use ddg_core::__store::{Transaction, nul};
use ddg_core::checkpoint::{Claim, Owner};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use super::super::lease::{Hold, lost};
use super::{ConversationId, ConversationLease, Failed, PostgresConversations};

impl PostgresConversations {
    pub(super) async fn take(
        &self,
        id: &ConversationId,
        claim: &Claim,
    ) -> Result<ConversationLease, Failed> {
        loop {
            let mut tx = self.write().await?;
            let done = self.take_in(&mut tx, id, claim).await;
            if let Some(lease) = tx.end(done).await? {
                return Ok(lease);
            }
        }
    }

    /// Returns `None` if another process has created the row meanwhile: it has to be read then.
    async fn take_in(
        &self,
        tx: &mut PgConnection,
        id: &ConversationId,
        claim: &Claim,
    ) -> Result<Option<ConversationLease>, Failed> {
        let sql = "select token, owner, process, held_until from ddg_conversation_leases \
                   where conversation = $1 for update";
        let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(&mut *tx).await?;
        let found = row.map(|row| hold(&row)).transpose()?;
        let (lease, hold) = Hold::taken(found.as_ref(), id, claim, self.clock.now_ms())?;
        let sql = match found {
            Some(_) => {
                "update ddg_conversation_leases \
                 set token = $2, owner = $3, process = $4, held_until = $5 where conversation = $1"
            }
            None => {
                "insert into ddg_conversation_leases \
                 (conversation, token, owner, process, held_until) values ($1, $2, $3, $4, $5) \
                 on conflict (conversation) do nothing"
            }
        };
        let query = sqlx::query(sql)
            .bind(id.as_str())
            .bind(&hold.token)
            .bind(nul::stored(hold.owner.name()))
            .bind(hold.owner.process())
            .bind(hold.until_ms);
        let done = query.execute(tx).await?;
        Ok((done.rows_affected() > 0).then_some(lease))
    }

    pub(super) async fn lengthen(&self, lease: &ConversationLease) -> Result<(), Failed> {
        let sql = "update ddg_conversation_leases set held_until = $3 \
                   where conversation = $1 and token = $2";
        let mut tx = self.leases.write("begin").await?;
        let query = sqlx::query(sql).bind(lease.conversation.as_str()).bind(&lease.token);
        let done = query.bind(lease.until_ms(self.clock.now_ms())).execute(&mut *tx).await?;
        tx.commit().await?;
        match done.rows_affected() {
            0 => Err(lost(lease).into()),
            _ => Ok(()),
        }
    }

    pub(super) async fn drop_lease(&self, lease: &ConversationLease) -> Result<(), Failed> {
        let sql = "delete from ddg_conversation_leases where conversation = $1 and token = $2";
        let mut tx = self.write().await?;
        let query = sqlx::query(sql).bind(lease.conversation.as_str()).bind(&lease.token);
        query.execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

fn hold(row: &PgRow) -> Result<Hold, sqlx::Error> {
    let owner = Owner::kept(nul::restored(row.try_get("owner")?), row.try_get("process")?);
    Ok(Hold { token: row.try_get("token")?, owner, until_ms: row.try_get("held_until")? })
}
