//! Messages in the database, and the deliveries among them with their answers.

use ddg_core::__store::{Arg, Dialect, Row, Transaction};

use super::{Failed, SqlLog, first, json, of_json, unknown};
use crate::riddles::error::RiddleError;
use crate::riddles::log::{
    Delivered, LoggedMessage, MANAGEMENT, MessageFilter, NewDelivery, Receipt, Reply, now, receipt,
};
use crate::riddles::message::AgentMessage;
use crate::riddles::stage::Stage;

/// Selects a delivery by its number.
const DELIVERY: &str = "select d.number, d.time, d.riddle, d.stage, d.agent, d.is_held, d.is_late, \
                        d.reply, m.message, r.ended_at \
                        from ddg_riddle_deliveries d \
                        join ddg_riddle_messages m on m.number = d.number \
                        join ddg_riddles r on r.id = d.riddle where d.number = $1";

/// Selects the ids of the sub-riddles of a riddle.
const BELOW: &str = "select id from ddg_riddles where parent = $1 order by seq";

/// Writes a message, and returns its number.
pub(super) async fn write_message<T: Transaction>(
    tx: &mut T,
    riddle: &str,
    (from, to): (&str, &str),
    stage: &str,
    message: &AgentMessage,
) -> Result<i64, Failed> {
    let sql = "insert into ddg_riddle_messages (time, riddle, sender, receiver, stage, message) \
               values ($1, $2, $3, $4, $5, $6) returning number";
    let message = json(message)?;
    let args = [
        now().into(),
        riddle.into(),
        from.into(),
        to.into(),
        stage.into(),
        message.as_str().into(),
    ];
    let mut row = first(tx.rows(sql, &args).await?).ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.int()?)
}

async fn deliver<T: Transaction>(tx: &mut T, new: &NewDelivery<'_>) -> Result<Delivered, Failed> {
    let sql = "select number from ddg_riddle_deliveries where riddle = $1 and key = $2";
    let known = first(tx.rows(sql, &[new.riddle.into(), new.key.into()]).await?);
    let number = match known {
        Some(mut known) => known.int()?,
        None => {
            let (ends, stage) = ((MANAGEMENT, new.agent), new.stage.word());
            let number = write_message(tx, new.riddle, ends, stage, new.message).await?;
            let sql = "insert into ddg_riddle_deliveries (number, time, riddle, key, stage, agent) \
                       values ($1, $2, $3, $4, $5, $6)";
            let args = [
                number.into(),
                now().into(),
                new.riddle.into(),
                new.key.into(),
                stage.into(),
                new.agent.into(),
            ];
            tx.execute(sql, &args).await?;
            number
        }
    };
    let found = first(tx.rows(DELIVERY, &[number.into()]).await?);
    let mut sent = delivered(found.ok_or_else(|| unknown(new.riddle))?)?.0;
    sent.sub_ids = ids(tx.rows(BELOW, &[new.riddle.into()]).await?)?;
    Ok(sent)
}

async fn reply<T: Transaction>(
    tx: &mut T,
    number: i64,
    agent: &str,
    reply: &Reply,
) -> Result<Receipt, Failed> {
    let found = first(tx.rows(DELIVERY, &[number.into()]).await?).map(delivered).transpose()?;
    let Some((sent, has_late)) = found.filter(|(sent, _)| sent.agent == agent) else {
        return Err(RiddleError::UnknownMessage { number, agent: agent.to_owned() }.into());
    };
    let receipt = receipt(&sent, has_late);
    let (text, word);
    let (sql, value) = match receipt {
        Receipt::Repeated => return Ok(receipt),
        Receipt::Late => {
            word = "late";
            ("update ddg_riddle_deliveries set is_late = $2 where number = $1", Arg::from(1))
        }
        Receipt::Taken => {
            word = reply.word(sent.stage);
            text = json(reply)?;
            let sql = "update ddg_riddle_deliveries set reply = $2 where number = $1";
            (sql, Arg::from(text.as_str()))
        }
    };
    let message = reply.message().unwrap_or(&sent.message);
    write_message(tx, &sent.riddle, (agent, MANAGEMENT), word, message).await?;
    tx.execute(sql, &[number.into(), value]).await?;
    Ok(receipt)
}

fn ids(rows: Vec<Row>) -> Result<Vec<String>, sqlx::Error> {
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// A delivery without the ids of sub-riddles, and whether a late answer to it is kept.
fn delivered(mut row: Row) -> Result<(Delivered, bool), Failed> {
    let (number, time, riddle) = (row.int()?, row.int()?, row.text()?);
    let (stage, agent) = (row.text()?, row.text()?);
    let (is_held, is_late) = (row.int()? != 0, row.int()? != 0);
    let reply = row.text_or_null()?.map(|reply| of_json(&reply)).transpose()?;
    let message = of_json(&row.text()?)?;
    let has_ended = row.int_or_null()?.is_some();
    let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    let delivered = Delivered {
        number,
        time,
        stage: serde_json::from_value::<Stage>(stage.into()).map_err(decode)?,
        agent,
        riddle,
        message,
        is_held,
        reply,
        has_ended,
        sub_ids: Vec::new(),
    };
    Ok((delivered, is_late))
}

impl<D: Dialect> SqlLog<D> {
    pub(super) async fn do_deliver(&self, new: NewDelivery<'_>) -> Result<Delivered, Failed> {
        let mut tx = self.begin().await?;
        let done = deliver(&mut tx, &new).await;
        tx.end(done).await
    }

    pub(super) async fn do_delivered(&self, number: i64) -> Result<Option<Delivered>, Failed> {
        let found = first(self.database.read(DELIVERY, &[number.into()]).await?);
        let Some((mut sent, _)) = found.map(delivered).transpose()? else { return Ok(None) };
        sent.sub_ids = ids(self.database.read(BELOW, &[sent.riddle.as_str().into()]).await?)?;
        Ok(Some(sent))
    }

    pub(super) async fn do_hold(&self, number: i64) -> Result<(), Failed> {
        let mut tx = self.begin().await?;
        let sql = "update ddg_riddle_deliveries set is_held = $2 where number = $1";
        let done = tx.execute(sql, &[number.into(), 1.into()]).await;
        tx.end(done.map(|_| ()).map_err(Failed::from)).await
    }

    pub(super) async fn do_reply(
        &self,
        number: i64,
        agent: &str,
        answer: &Reply,
    ) -> Result<Receipt, Failed> {
        let mut tx = self.begin().await?;
        let done = reply(&mut tx, number, agent, answer).await;
        tx.end(done).await
    }

    pub(super) async fn do_last(&self) -> Result<i64, Failed> {
        let sql = "select max(number) from ddg_riddle_messages";
        let row = first(self.database.read(sql, &[]).await?);
        Ok(row.map(|mut row| row.int_or_null()).transpose()?.flatten().unwrap_or(0))
    }

    pub(super) async fn do_messages(
        &self,
        filter: &MessageFilter,
    ) -> Result<Vec<LoggedMessage>, Failed> {
        let sql = "select number, time, riddle, sender, receiver, stage, message \
                   from ddg_riddle_messages \
                   where number > $1 and ($2 is null or riddle = $2) order by number limit $3";
        let riddle = Arg::Text(filter.riddle.as_deref());
        let args = [filter.after.into(), riddle, i64::from(filter.n()).into()];
        let rows = self.database.read(sql, &args).await?;
        rows.into_iter().map(logged).collect()
    }
}

fn logged(mut row: Row) -> Result<LoggedMessage, Failed> {
    Ok(LoggedMessage {
        number: row.int()?,
        time: row.int()?,
        riddle: row.text()?,
        from: row.text()?,
        to: row.text()?,
        stage: row.text()?,
        message: of_json(&row.text()?)?,
    })
}
