//! The log in memory, for tests and for riddles that need not outlive their process.

use std::sync::Mutex;

use futures::future::{BoxFuture, ready};
use indexmap::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Delivered, Log, LoggedMessage, MANAGEMENT, MessageFilter, NewDelivery, Parent, Posed, Receipt,
    Reply, no_depth, no_longer, no_number, now, receipt, sub_ids_after,
};
use crate::riddles::error::RiddleError;
use crate::riddles::message::AgentMessage;
use crate::riddles::outcome::RiddleOutcome;

/// A log in memory.
#[derive(Debug, Default)]
pub(in crate::riddles) struct MemoryLog {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    riddles: IndexMap<String, Row>,
    /// The sub-riddles of a riddle, by what caused them.
    below: FxHashMap<String, IndexMap<String, String>>,
    messages: Vec<LoggedMessage>,
    /// The number of the delivery of a riddle under a key.
    keys: FxHashMap<String, FxHashMap<String, i64>>,
    /// By number.
    deliveries: IndexMap<i64, Sent>,
    /// The number of the last message.
    last: i64,
}

#[derive(Debug)]
struct Row {
    posed: AgentMessage,
    parent: Option<String>,
    depth: u32,
    /// How many sub-riddles it has had.
    n_below: u32,
    ended: Option<(i64, RiddleOutcome)>,
}

#[derive(Debug)]
struct Sent {
    delivered: Delivered,
    /// Whether a late answer is kept.
    has_late: bool,
}

impl Tables {
    fn write(
        &mut self,
        riddle: &str,
        from: &str,
        to: &str,
        stage: &str,
        message: &AgentMessage,
    ) -> i64 {
        self.last += 1;
        self.messages.push(LoggedMessage {
            number: self.last,
            time: now(),
            riddle: riddle.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            stage: stage.to_owned(),
            message: message.clone(),
        });
        self.last
    }

    fn row(&mut self, id: &str) -> Result<&mut Row, RiddleError> {
        self.riddles.get_mut(id).ok_or_else(|| RiddleError::UnknownRiddle { id: id.to_owned() })
    }

    fn pose(&mut self, message: &AgentMessage, parent: Option<String>, depth: u32) -> Posed {
        if self.riddles.contains_key(&message.id) {
            return Posed::Known;
        }
        let row = Row { posed: message.clone(), parent, depth, n_below: 0, ended: None };
        self.riddles.insert(message.id.clone(), row);
        self.write(&message.id, "author", MANAGEMENT, "posed", message);
        Posed::New
    }

    fn pose_below(
        &mut self,
        parent: Parent<'_>,
        message: &AgentMessage,
    ) -> Result<(String, Posed), RiddleError> {
        if let Some(id) = self.below.get(parent.id).and_then(|below| below.get(parent.cause)) {
            return Ok((id.clone(), Posed::Known));
        }
        let row = self.row(parent.id)?;
        if row.ended.is_some() {
            return Err(no_longer(parent));
        }
        let (depth, n) = (row.depth, row.n_below);
        if let Some(error) = no_depth(parent, depth).or_else(|| no_number(parent, n)) {
            return Err(error);
        }
        let id = sub_ids_after(parent.id, n).find(|id| !self.riddles.contains_key(id));
        let id = id.expect("there are more numbers than riddles");
        let mut message = message.clone();
        message.id.clone_from(&id);
        let row = self.row(parent.id)?;
        row.n_below += 1;
        let below = self.below.entry(parent.id.to_owned()).or_default();
        below.insert(parent.cause.to_owned(), id.clone());
        Ok((id, self.pose(&message, Some(parent.id.to_owned()), depth + 1)))
    }

    fn sub_ids(&self, riddle: &str) -> Vec<String> {
        self.below.get(riddle).map(|below| below.values().cloned().collect()).unwrap_or_default()
    }

    fn deliver(&mut self, new: &NewDelivery<'_>) -> Result<Delivered, RiddleError> {
        let row = self.row(new.riddle)?;
        let has_ended = row.ended.is_some();
        let sub_ids = self.sub_ids(new.riddle);
        let known = self.keys.get(new.riddle).and_then(|keys| keys.get(new.key));
        let known = known.and_then(|number| self.deliveries.get(number));
        if let Some(known) = known {
            return Ok(Delivered { has_ended, sub_ids, ..known.delivered.clone() });
        }
        let number = self.write(new.riddle, MANAGEMENT, new.agent, new.stage.word(), new.message);
        let delivered = Delivered {
            number,
            time: now(),
            stage: new.stage,
            agent: new.agent.to_owned(),
            riddle: new.riddle.to_owned(),
            message: new.message.clone(),
            is_held: false,
            reply: None,
            has_ended,
            sub_ids,
        };
        let keys = self.keys.entry(new.riddle.to_owned()).or_default();
        keys.insert(new.key.to_owned(), number);
        let sent = Sent { delivered: delivered.clone(), has_late: false };
        self.deliveries.insert(number, sent);
        Ok(delivered)
    }

    fn delivered(&self, number: i64) -> Option<Delivered> {
        let delivered = self.deliveries.get(&number)?.delivered.clone();
        let row = self.riddles.get(&delivered.riddle)?;
        let sub_ids = self.sub_ids(&delivered.riddle);
        Some(Delivered { has_ended: row.ended.is_some(), sub_ids, ..delivered })
    }

    fn reply(&mut self, number: i64, agent: &str, reply: &Reply) -> Result<Receipt, RiddleError> {
        let known = self.delivered(number).filter(|sent| sent.agent == agent);
        let unknown = || RiddleError::UnknownMessage { number, agent: agent.to_owned() };
        let sent = known.ok_or_else(unknown)?;
        let has_late = self.deliveries.get(&number).is_some_and(|sent| sent.has_late);
        let receipt = receipt(&sent, has_late);
        let message = reply.message().unwrap_or(&sent.message);
        match receipt {
            Receipt::Repeated => {}
            Receipt::Late => {
                self.write(&sent.riddle, agent, MANAGEMENT, "late", message);
                if let Some(sent) = self.deliveries.get_mut(&number) {
                    sent.has_late = true;
                }
            }
            Receipt::Taken => {
                self.write(&sent.riddle, agent, MANAGEMENT, reply.word(sent.stage), message);
                if let Some(sent) = self.deliveries.get_mut(&number) {
                    sent.delivered.reply = Some(reply.clone());
                }
            }
        }
        Ok(receipt)
    }

    fn end(&mut self, outcome: &RiddleOutcome) -> Result<bool, RiddleError> {
        let row = self.row(&outcome.id)?;
        if row.ended.is_some() {
            return Ok(false);
        }
        row.ended = Some((now(), outcome.clone()));
        self.write(&outcome.id, MANAGEMENT, "author", "ended", &outcome.message);
        Ok(true)
    }

    fn messages(&self, filter: &MessageFilter) -> Vec<LoggedMessage> {
        let of_riddle = |message: &&LoggedMessage| {
            message.number > filter.after
                && filter.riddle.as_ref().is_none_or(|riddle| *riddle == message.riddle)
        };
        self.messages.iter().filter(of_riddle).take(filter.n() as usize).cloned().collect()
    }

    fn delete_ended_before(&mut self, time: i64) -> Vec<String> {
        let is_old = |row: &Row| row.ended.as_ref().is_some_and(|(ended, _)| *ended < time);
        let old: FxHashSet<String> =
            self.riddles.iter().filter(|(_, row)| is_old(row)).map(|(id, _)| id.clone()).collect();
        let is_left = |id: &String| !old.contains(id);
        self.riddles.retain(|id, _| is_left(id));
        self.below.values_mut().for_each(|below| below.retain(|_, id| is_left(id)));
        self.below.retain(|_, below| !below.is_empty());
        self.keys.retain(|id, _| is_left(id));
        self.messages.retain(|message| is_left(&message.riddle));
        self.deliveries.retain(|_, sent| is_left(&sent.delivered.riddle));
        old.into_iter().collect()
    }
}

fn as_now(row: &Row) -> RiddleOutcome {
    match &row.ended {
        Some((_, outcome)) => outcome.clone(),
        None => RiddleOutcome::running(row.posed.clone()),
    }
}

impl MemoryLog {
    fn with<T: Send + 'static>(&self, act: impl FnOnce(&mut Tables) -> T) -> BoxFuture<'static, T> {
        let mut tables = self.tables.lock().expect("no call panics while it holds the tables");
        Box::pin(ready(act(&mut tables)))
    }
}

impl Log for MemoryLog {
    fn pose<'a>(&'a self, message: &'a AgentMessage) -> BoxFuture<'a, Result<Posed, RiddleError>> {
        self.with(|tables| Ok(tables.pose(message, None, 0)))
    }

    fn pose_below<'a>(
        &'a self,
        parent: Parent<'a>,
        message: &'a AgentMessage,
    ) -> BoxFuture<'a, Result<(String, Posed), RiddleError>> {
        self.with(|tables| tables.pose_below(parent, message))
    }

    fn posed<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<AgentMessage, RiddleError>> {
        self.with(|tables| tables.row(id).map(|row| row.posed.clone()))
    }

    fn deliver<'a>(
        &'a self,
        new: NewDelivery<'a>,
    ) -> BoxFuture<'a, Result<Delivered, RiddleError>> {
        self.with(|tables| tables.deliver(&new))
    }

    fn delivered(&self, number: i64) -> BoxFuture<'_, Result<Option<Delivered>, RiddleError>> {
        self.with(|tables| Ok(tables.delivered(number)))
    }

    fn hold(&self, number: i64) -> BoxFuture<'_, Result<(), RiddleError>> {
        self.with(|tables| {
            if let Some(sent) = tables.deliveries.get_mut(&number) {
                sent.delivered.is_held = true;
            }
            Ok(())
        })
    }

    fn reply<'a>(
        &'a self,
        number: i64,
        agent: &'a str,
        reply: &'a Reply,
    ) -> BoxFuture<'a, Result<Receipt, RiddleError>> {
        self.with(|tables| tables.reply(number, agent, reply))
    }

    fn end<'a>(&'a self, outcome: &'a RiddleOutcome) -> BoxFuture<'a, Result<bool, RiddleError>> {
        self.with(|tables| tables.end(outcome))
    }

    fn riddle<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>> {
        self.with(|tables| tables.row(id).map(|row| as_now(row)))
    }

    fn riddles(&self) -> BoxFuture<'_, Result<Vec<RiddleOutcome>, RiddleError>> {
        self.with(|tables| Ok(tables.riddles.values().rev().map(as_now).collect()))
    }

    fn running<'a>(
        &'a self,
        below: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, RiddleError>> {
        self.with(|tables| {
            let is_below = |row: &Row| match (below, &row.parent) {
                (None, _) => true,
                (Some(parent), Some(of)) => parent == of,
                (Some(_), None) => false,
            };
            let running = tables
                .riddles
                .iter()
                .filter(|(_, row)| row.ended.is_none() && is_below(row))
                .map(|(id, _)| id.clone());
            Ok(running.collect())
        })
    }

    fn messages<'a>(
        &'a self,
        filter: &'a MessageFilter,
    ) -> BoxFuture<'a, Result<Vec<LoggedMessage>, RiddleError>> {
        self.with(|tables| Ok(tables.messages(filter)))
    }

    fn last(&self) -> BoxFuture<'_, Result<i64, RiddleError>> {
        self.with(|tables| Ok(tables.messages.last().map_or(0, |message| message.number)))
    }

    fn delete_ended_before(&self, time: i64) -> BoxFuture<'_, Result<Vec<String>, RiddleError>> {
        self.with(|tables| Ok(tables.delete_ended_before(time)))
    }
}
