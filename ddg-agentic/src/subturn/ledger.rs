//! The children of a turn, and the decisions on their results, without side effects.
//!
//! **Invariant.** A spawned child gets exactly one disposition, in [`settle`](Ledger::settle),
//! [`take`](Ledger::take) or [`finish`](Ledger::finish). Each of these checks whether the child has
//! one already. A called child gets none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ddg_core::run::KickoffId;
use ddg_core::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use super::{ChildResult, ChildStatus, ChildSummary, Delivery, Disposition, OrphanReason, SubTurn};
use crate::model::Usage;

/// The children of one turn, by number, in the order in which they began. The ledger is saved with
/// the run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ledger {
    latest: u32,
    children: BTreeMap<u32, Entry>,
    /// Children whose results are delivered and unread, in order of delivery.
    inbox: VecDeque<u32>,
    /// Whether the turn is over.
    is_over: bool,
    /// Usage of models by children that the turn has not counted yet.
    uncounted: Usage,
    /// Numbers of stored children that belong to other turns with the same path.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    taken: BTreeSet<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    begun: Begun,
    status: ChildStatus,
    disposition: Option<Disposition>,
    /// The run of a child that rests: it asks a person, or its parent's run has paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rests: Option<Box<Snapshot>>,
    /// Whether an earlier attempt of the run began the child, and this one has not begun it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unclaimed: bool,
    /// Kept until it is read or returned.
    result: Option<ChildResult>,
    usage: Usage,
    duration: Duration,
}

/// How a child began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    pub(super) origin: Origin,
    pub(super) kind: Kind,
    pub(super) config: SubTurn,
    pub(super) agent: String,
    pub(super) model: String,
    /// The kickoffs of the nested automata around the turn of its parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) within: Vec<KickoffId>,
}

/// The execution of a worker that begins a child, and the number of children it began before. When
/// the execution runs again, this identifies the same child.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Origin {
    pub(super) worker: String,
    pub(super) kickoff: KickoffId,
    pub(super) attempt: u32,
    pub(super) n: u32,
}

impl Origin {
    /// The execution alone.
    pub(super) fn of_execution(&self) -> Self {
        Self { n: 0, ..self.clone() }
    }
}

/// Whether a child's parent waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The result is returned to the caller.
    Called,
    /// The result is delivered to the turn.
    Spawned,
}

/// What becomes of the result of a child that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The caller gets the result.
    Returned,
    /// The result is in the inbox.
    Delivered,
    /// Only the user gets the result.
    ForUser,
    /// The result is not read.
    Orphaned(OrphanReason),
    /// The inbox is full. Try again when there is room, or when the turn is over.
    NoRoom,
    /// The child had ended already.
    Already,
}

/// Why a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The child ended by itself, or it alone was stopped.
    Own,
    /// The child was stopped with the turn around it.
    TurnStopped,
}

/// The capacity of an inbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) most: Option<usize>,
    /// Whether a child waits for room. Otherwise its result is an orphan.
    pub(super) waits: bool,
}

impl Ledger {
    /// The id of a child.
    pub(super) fn id(number: u32) -> String {
        format!("subturn-{number}")
    }

    fn number(id: &str) -> Option<u32> {
        id.strip_prefix("subturn-")?.parse().ok()
    }

    /// The number of the next child.
    pub(super) fn next(&self) -> u32 {
        self.latest + 1
    }

    /// The next number to use: that of a child which had not been written when its process ended,
    /// or else a new one.
    fn vacant(&self) -> u32 {
        let all_there = self.children.len() + self.taken.len() == self.latest as usize;
        let is_free =
            |number: &u32| !self.children.contains_key(number) && !self.taken.contains(number);
        let vacant = || (1..=self.latest).find(is_free);
        (!all_there).then(vacant).flatten().unwrap_or_else(|| self.next())
    }

    /// Adds a child. Returns its id.
    pub(super) fn begin(&mut self, begun: Begun) -> String {
        let number = self.vacant();
        self.adopt(number, begun);
        Self::id(number)
    }

    /// Adds a child that began earlier, and is missing from the ledger.
    pub(super) fn adopt(&mut self, number: u32, begun: Begun) {
        self.latest = self.latest.max(number);
        self.children.entry(number).or_insert(Entry {
            begun,
            status: ChildStatus::Running,
            disposition: None,
            rests: None,
            unclaimed: false,
            result: None,
            usage: Usage::default(),
            duration: Duration::ZERO,
        });
    }

    /// Adds a child that an earlier attempt of the run began. It does not continue until this
    /// attempt begins it, too.
    pub(super) fn adopt_unclaimed(&mut self, number: u32, begun: Begun) {
        self.adopt(number, begun);
        if let Some(entry) = self.children.get_mut(&number) {
            entry.unclaimed = true;
        }
    }

    /// Claims a child of an earlier attempt. Returns how it began, if it was unclaimed.
    pub(super) fn claim(&mut self, id: &str) -> Option<Begun> {
        let entry = self.children.get_mut(&Self::number(id)?)?;
        std::mem::take(&mut entry.unclaimed).then(|| entry.begun.clone())
    }

    /// Ends the children of an earlier attempt that this one has not begun. Returns their results,
    /// which nobody gets.
    pub(super) fn drop_unclaimed(&mut self) -> Vec<ChildResult> {
        let unclaimed = self.children.iter_mut().filter(|(_, entry)| entry.unclaimed);
        let dropped = unclaimed.map(|(number, entry)| {
            entry.unclaimed = false;
            entry.status = ChildStatus::Stopped;
            let is_spawned = entry.begun.kind == Kind::Spawned;
            entry.disposition = is_spawned.then_some(Disposition::Orphaned(OrphanReason::Stopped));
            ChildResult {
                id: Self::id(*number),
                agent: entry.begun.agent.clone(),
                status: ChildStatus::Stopped,
                text: String::new(),
                usage: Usage::default(),
                duration: Duration::ZERO,
            }
        });
        dropped.collect()
    }

    /// Keeps a number from being used, because the child of another turn has it.
    pub(super) fn keep_free(&mut self, number: u32) {
        self.latest = self.latest.max(number);
        self.taken.insert(number);
    }

    /// The child that this execution began with this configuration, with its result.
    pub(super) fn find(
        &self,
        origin: &Origin,
        config: &SubTurn,
    ) -> Option<(String, Option<ChildResult>)> {
        let (number, entry) = self
            .children
            .iter()
            .find(|(_, entry)| entry.begun.origin == *origin && entry.begun.config == *config)?;
        Some((Self::id(*number), entry.result.clone()))
    }

    /// Records the end of a child, and decides what becomes of its result.
    pub(super) fn settle(&mut self, result: &ChildResult, cause: Cause, room: Room) -> Settled {
        let Some(number) = Self::number(&result.id) else { return Settled::Already };
        let (is_over, n_waiting) = (self.is_over, self.inbox.len());
        let Some(entry) = self.children.get_mut(&number) else { return Settled::Already };
        if entry.status.has_ended() {
            return Settled::Already;
        }
        let settled = match (entry.begun.kind, cause, entry.begun.config.goes_to()) {
            (Kind::Called, ..) => Settled::Returned,
            (Kind::Spawned, Cause::TurnStopped, _) => Settled::Orphaned(OrphanReason::Stopped),
            (Kind::Spawned, Cause::Own, Delivery::User) => Settled::ForUser,
            (Kind::Spawned, Cause::Own, Delivery::Parent | Delivery::Both) => match room.most {
                _ if is_over => Settled::Orphaned(OrphanReason::ParentFinished),
                Some(most) if n_waiting >= most && room.waits => return Settled::NoRoom,
                Some(most) if n_waiting >= most => Settled::Orphaned(OrphanReason::QueueFull),
                Some(_) | None => Settled::Delivered,
            },
        };
        (entry.status, entry.rests) = (result.status.clone(), None);
        (entry.usage, entry.duration) = (result.usage, result.duration);
        self.uncounted += result.usage;
        match settled {
            Settled::Returned => entry.result = Some(result.clone()),
            Settled::Delivered => {
                entry.result = Some(result.clone());
                self.inbox.push_back(number);
            }
            Settled::ForUser => entry.disposition = Some(Disposition::Consumed),
            Settled::Orphaned(reason) => entry.disposition = Some(Disposition::Orphaned(reason)),
            Settled::NoRoom | Settled::Already => {}
        }
        settled
    }

    /// Records that a child rests, with the usage of models so far. Returns whether it may: when
    /// the turn is over, nobody continues it.
    pub(super) fn rest(&mut self, id: &str, run: Snapshot, usage: Usage) -> bool {
        let is_over = self.is_over;
        let entry = Self::number(id).and_then(|number| self.children.get_mut(&number));
        match entry.filter(|entry| !is_over && !entry.status.has_ended()) {
            Some(entry) => {
                let asks = !run.questions().is_empty();
                entry.status = if asks { ChildStatus::Waiting } else { ChildStatus::Running };
                (entry.rests, entry.usage) = (Some(Box::new(run)), usage);
                true
            }
            None => false,
        }
    }

    /// Records that a child that rested continues.
    pub(super) fn go_on(&mut self, id: &str) {
        let entry = Self::number(id).and_then(|number| self.children.get_mut(&number));
        if let Some(entry) = entry.filter(|entry| !entry.status.has_ended()) {
            (entry.status, entry.rests) = (ChildStatus::Running, None);
        }
    }

    /// A child that has not ended, and its run if it rests.
    pub(super) fn unfinished(&self, id: &str) -> Option<(Begun, Option<Snapshot>)> {
        let entry = self.children.get(&Self::number(id)?)?;
        let rests = || entry.rests.as_deref().cloned();
        (!entry.status.has_ended()).then(|| (entry.begun.clone(), rests()))
    }

    /// The children that rest, with their runs, and their usage so far.
    pub(super) fn resting(&self) -> Vec<(String, Begun, Snapshot, Usage)> {
        let resting = |(number, entry): (&u32, &Entry)| {
            let rests = entry.rests.as_deref()?.clone();
            Some((Self::id(*number), entry.begun.clone(), rests, entry.usage))
        };
        self.children.iter().filter_map(resting).collect()
    }

    /// Whether a spawned child waits for a person.
    pub(super) fn asks(&self) -> bool {
        let asks = |entry: &Entry| {
            entry.status == ChildStatus::Waiting && entry.begun.kind == Kind::Spawned
        };
        self.children.values().any(asks)
    }

    /// Takes all delivered results, which are then read.
    pub(super) fn take(&mut self) -> Vec<ChildResult> {
        std::iter::from_fn(|| self.take_next()).collect()
    }

    /// Takes the oldest delivered result, which is then read.
    pub(super) fn take_next(&mut self) -> Option<ChildResult> {
        let number = self.inbox.pop_front()?;
        self.close(number, Disposition::Consumed)
    }

    /// Ends the turn. Returns the results that were delivered and are unread.
    pub(super) fn finish(&mut self) -> Vec<ChildResult> {
        self.is_over = true;
        let unread = Disposition::Orphaned(OrphanReason::Undrained);
        let inbox = std::mem::take(&mut self.inbox);
        inbox.into_iter().filter_map(|number| self.close(number, unread)).collect()
    }

    fn close(&mut self, number: u32, disposition: Disposition) -> Option<ChildResult> {
        let entry = self.children.get_mut(&number)?;
        entry.disposition.get_or_insert(disposition);
        entry.result.take()
    }

    /// Drops the results of called children, because their callers have them.
    pub(super) fn forget_returned(&mut self) {
        for entry in self.children.values_mut().rev() {
            if entry.begun.kind == Kind::Called {
                entry.result = None;
            }
        }
    }

    /// Takes the usage of children since the last call.
    pub(super) fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.uncounted)
    }

    /// Whether a result has been delivered, or will be by a child that has not ended.
    pub(super) fn is_awaited(&self) -> bool {
        let comes = |entry: &Entry| {
            !entry.status.has_ended()
                && !entry.unclaimed
                && entry.begun.kind == Kind::Spawned
                && entry.begun.config.goes_to() != Delivery::User
        };
        !self.inbox.is_empty() || self.children.values().any(comes)
    }

    pub(super) fn has_mail(&self) -> bool {
        !self.inbox.is_empty()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether the turn has no children.
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    pub(super) fn status(&self, id: &str) -> Option<&ChildStatus> {
        Some(&self.children.get(&Self::number(id)?)?.status)
    }

    /// The children that have not ended.
    pub(super) fn running(&self) -> Vec<(String, Begun)> {
        let running = self.children.iter();
        let goes_on = |entry: &Entry| !entry.status.has_ended() && !entry.unclaimed;
        let running = running.filter(|(_, entry)| goes_on(entry));
        running.map(|(number, entry)| (Self::id(*number), entry.begun.clone())).collect()
    }

    /// The ids of all children, in the order in which they began.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        self.children.keys().map(|number| Self::id(*number))
    }

    /// All children, in the order in which they began.
    pub(super) fn summaries(&self) -> Vec<ChildSummary> {
        let summary = |(number, entry): (&u32, &Entry)| {
            let Entry { begun, status, usage, duration, .. } = entry;
            let is_late = self.is_over
                && !status.has_ended()
                && begun.kind == Kind::Spawned
                && begun.config.goes_to() != Delivery::User;
            let late = || is_late.then_some(Disposition::Orphaned(OrphanReason::ParentFinished));
            ChildSummary {
                id: Self::id(*number),
                agent: begun.agent.clone(),
                model: begun.model.clone(),
                status: status.clone(),
                disposition: entry.disposition.or_else(late),
                usage: *usage,
                duration: *duration,
            }
        };
        self.children.iter().map(summary).collect()
    }
}
