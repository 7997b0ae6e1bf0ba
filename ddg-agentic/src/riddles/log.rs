//! What is kept of riddles: every message, and how each riddle ends.
//!
//! The log makes the platform idempotent. A delivery has a key, so a riddle that continues after a
//! crash finds the message that it has sent; an answer counts once; a sub-riddle has a cause.

#[cfg(test)]
mod laws;
mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;

use std::fmt;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::error::RiddleError;
use super::held::Receipt;
use super::message::AgentMessage;
use super::outcome::RiddleOutcome;
use super::stage::Stage;
pub(super) use memory::MemoryLog;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use sql::SqlLog;

/// A message in the table of all messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoggedMessage {
    /// Its number: messages are numbered in the order in which they were written, from 1.
    pub number: i64,
    /// When it was written, in milliseconds since 1970 (UTC).
    pub time: i64,
    /// The riddle.
    pub riddle: String,
    /// The sender: `management`, the name of an agent, or `author` for a new riddle.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// What it is about: `posed`, `extract`, `solve`, `gatekeeper`; of an answer that does not
    /// count `late`, of one that gives up `stop`, of a failure `failed`, and `ended` for the end of
    /// the riddle.
    pub stage: String,
    /// The message.
    pub message: AgentMessage,
}

/// The name of the management in the log.
pub(super) const MANAGEMENT: &str = "management";

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageFilter {
    /// Only messages of this riddle.
    pub riddle: Option<String>,
    /// Only messages after this number.
    pub after: i64,
    /// At most this many (default: 100).
    pub limit: Option<u32>,
}

impl MessageFilter {
    /// Only messages of this riddle.
    pub fn riddle(mut self, id: impl Into<String>) -> Self {
        self.riddle = Some(id.into());
        self
    }

    /// Only messages after this number.
    pub const fn after(mut self, number: i64) -> Self {
        self.after = number;
        self
    }

    /// At most this many.
    pub const fn limit(mut self, n: u32) -> Self {
        self.limit = Some(n);
        self
    }

    fn n(&self) -> u32 {
        self.limit.unwrap_or(100)
    }
}

/// A message to write.
pub(super) struct NewDelivery<'a> {
    pub(super) riddle: &'a str,
    pub(super) key: &'a str,
    pub(super) stage: Stage,
    pub(super) agent: &'a str,
    pub(super) message: &'a AgentMessage,
}

/// A delivery as it is in the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Delivered {
    pub(super) number: i64,
    pub(super) time: i64,
    pub(super) stage: Stage,
    pub(super) agent: String,
    pub(super) riddle: String,
    pub(super) message: AgentMessage,
    /// Whether the agent has said that it answers later.
    pub(super) is_held: bool,
    pub(super) reply: Option<Reply>,
    /// Whether its riddle has ended.
    pub(super) has_ended: bool,
    /// The ids of the sub-riddles of its riddle, the oldest first.
    pub(super) sub_ids: Vec<String>,
}

/// Ids for the next sub-riddle of a riddle that has had `n` of them: the first that no riddle has
/// is taken, since authors may have posed riddles under such ids.
fn sub_ids_after(riddle: &str, n: u32) -> impl Iterator<Item = String> + use<'_> {
    (n.saturating_add(1)..).map(move |n| format!("{riddle}-{n}"))
}

/// What an agent has answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Reply {
    Sent(Box<AgentMessage>),
    Stopped,
    Failed(String),
    /// The deadline has passed; what comes later is late.
    Deadline,
}

impl Reply {
    /// The message, if the answer is one.
    const fn message(&self) -> Option<&AgentMessage> {
        match self {
            Self::Sent(message) => Some(message),
            Self::Stopped | Self::Failed(_) | Self::Deadline => None,
        }
    }

    /// The word for it in the log.
    const fn word(&self, stage: Stage) -> &'static str {
        match self {
            Self::Sent(_) => stage.word(),
            Self::Stopped => "stop",
            Self::Failed(_) => "failed",
            Self::Deadline => "deadline",
        }
    }
}

/// Whether a riddle was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posed {
    New,
    Known,
}

/// Where a sub-riddle comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parent<'a> {
    pub(super) id: &'a str,
    /// The same for the same call of the same agent; a riddle has one sub-riddle for each.
    pub(super) cause: &'a str,
    pub(super) max_depth: u32,
    pub(super) max_number: u32,
}

/// Keeps riddles and their messages. Every call is one transaction, and can be repeated.
pub(super) trait Log: fmt::Debug + Send + Sync {
    /// Notes a riddle, whose id is in the message.
    fn pose<'a>(&'a self, message: &'a AgentMessage) -> BoxFuture<'a, Result<Posed, RiddleError>>;

    /// Notes a sub-riddle, and gives it its id.
    fn pose_below<'a>(
        &'a self,
        parent: Parent<'a>,
        message: &'a AgentMessage,
    ) -> BoxFuture<'a, Result<(String, Posed), RiddleError>>;

    /// The message with which a riddle was posed.
    fn posed<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<AgentMessage, RiddleError>>;

    /// Notes a delivery, or finds the one that was noted under its key.
    fn deliver<'a>(&'a self, new: NewDelivery<'a>)
    -> BoxFuture<'a, Result<Delivered, RiddleError>>;

    /// The delivery with this number.
    fn delivered(&self, number: i64) -> BoxFuture<'_, Result<Option<Delivered>, RiddleError>>;

    /// Notes that an agent answers later.
    fn hold(&self, number: i64) -> BoxFuture<'_, Result<(), RiddleError>>;

    /// Notes an answer. The first one counts, unless the riddle has ended.
    fn reply<'a>(
        &'a self,
        number: i64,
        agent: &'a str,
        reply: &'a Reply,
    ) -> BoxFuture<'a, Result<Receipt, RiddleError>>;

    /// Notes the end of a riddle; the first one counts. Returns whether it was the first.
    fn end<'a>(&'a self, outcome: &'a RiddleOutcome) -> BoxFuture<'a, Result<bool, RiddleError>>;

    /// A riddle as it is now.
    fn riddle<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>>;

    /// All riddles, the newest first.
    fn riddles(&self) -> BoxFuture<'_, Result<Vec<RiddleOutcome>, RiddleError>>;

    /// The ids of riddles that have not ended, the oldest first; of one riddle, only its
    /// sub-riddles.
    fn running<'a>(
        &'a self,
        below: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<String>, RiddleError>>;

    /// A page of messages, in the order of their numbers.
    fn messages<'a>(
        &'a self,
        filter: &'a MessageFilter,
    ) -> BoxFuture<'a, Result<Vec<LoggedMessage>, RiddleError>>;

    /// The number of the last message, 0 without messages.
    fn last(&self) -> BoxFuture<'_, Result<i64, RiddleError>>;

    /// Deletes riddles that ended before this time (milliseconds since 1970). Returns their ids.
    fn delete_ended_before(&self, time: i64) -> BoxFuture<'_, Result<Vec<String>, RiddleError>>;
}

/// What becomes of an answer to this delivery. `has_late` says whether a late answer is kept.
const fn receipt(sent: &Delivered, has_late: bool) -> Receipt {
    match &sent.reply {
        None if !sent.has_ended => Receipt::Taken,
        // Of late answers one is kept.
        None | Some(Reply::Deadline) if !has_late => Receipt::Late,
        _ => Receipt::Repeated,
    }
}

/// The time of the system in milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The depth of a riddle: how many riddles it is below.
pub(super) fn no_depth(parent: Parent<'_>, depth: u32) -> Option<RiddleError> {
    (depth >= parent.max_depth).then(|| RiddleError::NoSubRiddle {
        parent: parent.id.to_owned(),
        message: format!("sub-riddles may be {} deep", parent.max_depth),
    })
}

/// The error if a riddle has its sub-riddles already.
pub(super) fn no_number(parent: Parent<'_>, n: u32) -> Option<RiddleError> {
    (n >= parent.max_number).then(|| RiddleError::NoSubRiddle {
        parent: parent.id.to_owned(),
        message: format!("a riddle may have {} sub-riddles", parent.max_number),
    })
}

/// The error if a riddle that has ended is to get a sub-riddle.
pub(super) fn no_longer(parent: Parent<'_>) -> RiddleError {
    let message = "it has ended".to_owned();
    RiddleError::NoSubRiddle { parent: parent.id.to_owned(), message }
}
