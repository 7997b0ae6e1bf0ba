//! Riddles in the database: posed, read, ended, deleted.

use ddg_core::__store::{Arg, Dialect, Row, Transaction};

use super::messages::write_message;
use super::{Failed, SqlLog, first, json, of_json, unknown};
use crate::riddles::log::{
    MANAGEMENT, Parent, Posed, no_depth, no_longer, no_number, now, sub_ids_after,
};
use crate::riddles::message::AgentMessage;
use crate::riddles::outcome::RiddleOutcome;

async fn insert<T: Transaction>(
    tx: &mut T,
    message: &AgentMessage,
    parent: Option<Parent<'_>>,
    depth: u32,
) -> Result<Posed, Failed> {
    let sql = "insert into ddg_riddles (id, parent, cause, depth, posed) values ($1, $2, $3, $4, $5) \
               on conflict (id) do nothing";
    let posed = json(message)?;
    let args = [
        message.id.as_str().into(),
        Arg::Text(parent.map(|parent| parent.id)),
        Arg::Text(parent.map(|parent| parent.cause)),
        i64::from(depth).into(),
        posed.as_str().into(),
    ];
    if tx.execute(sql, &args).await? == 0 {
        return Ok(Posed::Known);
    }
    write_message(tx, &message.id, ("author", MANAGEMENT), "posed", message).await?;
    Ok(Posed::New)
}

async fn insert_below<T: Transaction>(
    tx: &mut T,
    parent: Parent<'_>,
    message: &AgentMessage,
) -> Result<(String, Posed), Failed> {
    let sql = "select id from ddg_riddles where parent = $1 and cause = $2";
    if let Some(mut known) = first(tx.rows(sql, &[parent.id.into(), parent.cause.into()]).await?) {
        return Ok((known.text()?, Posed::Known));
    }
    let sql = "select depth, n_below, ended_at from ddg_riddles where id = $1";
    let mut row =
        first(tx.rows(sql, &[parent.id.into()]).await?).ok_or_else(|| unknown(parent.id))?;
    let (depth, n) = (small(&mut row)?, small(&mut row)?);
    let ended = row.int_or_null()?.map(|_| no_longer(parent));
    if let Some(refused) =
        ended.or_else(|| no_depth(parent, depth)).or_else(|| no_number(parent, n))
    {
        return Err(refused.into());
    }
    let sql = "update ddg_riddles set n_below = n_below + 1 where id = $1";
    tx.execute(sql, &[parent.id.into()]).await?;
    let mut message = message.clone();
    for id in sub_ids_after(parent.id, n) {
        message.id = id;
        if insert(tx, &message, Some(parent), depth + 1).await? == Posed::New {
            break;
        }
    }
    Ok((message.id, Posed::New))
}

async fn end<T: Transaction>(tx: &mut T, outcome: &RiddleOutcome) -> Result<bool, Failed> {
    let sql =
        "update ddg_riddles set ended_at = $2, outcome = $3 where id = $1 and ended_at is null";
    let text = json(outcome)?;
    let args = [outcome.id.as_str().into(), now().into(), text.as_str().into()];
    if tx.execute(sql, &args).await? == 0 {
        return Ok(false);
    }
    let ends = (MANAGEMENT, "author");
    write_message(tx, &outcome.id, ends, "ended", &outcome.message).await?;
    Ok(true)
}

async fn delete<T: Transaction>(tx: &mut T, before: i64) -> Result<Vec<String>, Failed> {
    let sql = "delete from ddg_riddles where ended_at < $1 returning id";
    let old = tx.rows(sql, &[before.into()]).await?;
    let old = old.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
    for id in &old {
        for sql in [
            "delete from ddg_riddle_messages where riddle = $1",
            "delete from ddg_riddle_deliveries where riddle = $1",
        ] {
            tx.execute(sql, &[id.as_str().into()]).await?;
        }
    }
    Ok(old)
}

impl<D: Dialect> SqlLog<D> {
    pub(super) async fn do_pose(&self, message: &AgentMessage) -> Result<Posed, Failed> {
        let mut tx = self.begin().await?;
        let done = insert(&mut tx, message, None, 0).await;
        tx.end(done).await
    }

    pub(super) async fn do_pose_below(
        &self,
        parent: Parent<'_>,
        message: &AgentMessage,
    ) -> Result<(String, Posed), Failed> {
        let mut tx = self.begin().await?;
        let done = insert_below(&mut tx, parent, message).await;
        tx.end(done).await
    }

    pub(super) async fn do_end(&self, outcome: &RiddleOutcome) -> Result<bool, Failed> {
        let mut tx = self.begin().await?;
        let done = end(&mut tx, outcome).await;
        tx.end(done).await
    }

    pub(super) async fn do_delete(&self, before: i64) -> Result<Vec<String>, Failed> {
        let mut tx = self.begin().await?;
        let done = delete(&mut tx, before).await;
        tx.end(done).await
    }

    pub(super) async fn do_posed(&self, id: &str) -> Result<AgentMessage, Failed> {
        let sql = "select posed from ddg_riddles where id = $1";
        let row = first(self.database.read(sql, &[id.into()]).await?);
        of_json(&row.ok_or_else(|| unknown(id))?.text()?)
    }

    pub(super) async fn do_riddle(&self, id: &str) -> Result<RiddleOutcome, Failed> {
        let sql = "select posed, outcome from ddg_riddles where id = $1";
        let row = first(self.database.read(sql, &[id.into()]).await?);
        outcome(row.ok_or_else(|| unknown(id))?)
    }

    pub(super) async fn do_riddles(&self) -> Result<Vec<RiddleOutcome>, Failed> {
        let sql = "select posed, outcome from ddg_riddles order by seq desc";
        self.database.read(sql, &[]).await?.into_iter().map(outcome).collect()
    }

    pub(super) async fn do_running(&self, below: Option<&str>) -> Result<Vec<String>, Failed> {
        let sql = "select id from ddg_riddles where ended_at is null and ($1 is null or parent = $1) \
                   order by seq";
        let rows = self.database.read(sql, &[Arg::Text(below)]).await?;
        Ok(rows.into_iter().map(|mut row| row.text()).collect::<Result<_, _>>()?)
    }
}

/// Takes a number that was written from a `u32`.
fn small(row: &mut Row) -> Result<u32, Failed> {
    u32::try_from(row.int()?).map_err(|error| sqlx::Error::Decode(error.into()).into())
}

fn outcome(mut row: Row) -> Result<RiddleOutcome, Failed> {
    let posed = row.text()?;
    match row.text_or_null()? {
        Some(outcome) => of_json(&outcome),
        None => Ok(RiddleOutcome::running(of_json(&posed)?)),
    }
}
