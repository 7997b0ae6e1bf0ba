//! The state of an active turn: the ledger, and what acts on its decisions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ddg_core::Context;
use ddg_core::context::LocalSpace;
use ddg_core::run::ActiveRun;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::budget::{Budget, Meter};
use super::control::Control;
use super::guard::{Birth, ROOT, TurnGuard};
use super::ledger::{Ledger, Origin};
use super::{
    ChildResult, ChildStatus, ChildSummary, OrphanReason, SubTurn, SubTurnError, SubTurnEvent,
    SubTurns,
};
use crate::model::{ChatModel, ChatReply, Usage};
use crate::tool::Toolbox;

/// The agent of a turn, as far as its turns use it.
#[derive(Clone)]
pub(crate) struct TurnAgent {
    pub(crate) name: String,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) tools: Toolbox,
    pub(crate) subturns: Option<Arc<SubTurns>>,
    /// Whether the conversation was handed over to the agent, in the turn of another.
    pub(crate) is_member: bool,
}

/// An active turn.
pub(crate) struct TurnState {
    /// The ids that lead to the turn, or `root`.
    pub(super) name: String,
    pub(super) agent: TurnAgent,
    pub(super) run: ActiveRun,
    pub(super) settings: Arc<SubTurns>,
    pub(super) control: Control,
    pub(super) depth: u32,
    pub(super) slots: Option<Arc<Semaphore>>,
    /// The active children.
    pub(super) live: Mutex<BTreeMap<String, LiveChild>>,
    /// Notified when a result arrives, or a child ends.
    pub(super) arrived: Notify,
    /// Notified when there is room in the inbox, or the turn is over.
    pub(super) room: Notify,
    pub(super) recovered: OnceCell<()>,
    pub(super) birth: Option<Arc<Birth>>,
    pub(super) budget: Arc<Budget>,
    pub(super) ledger: LedgerSpace,
    pub(super) outbox: Mutex<VecDeque<SubTurnEvent>>,
    /// Held while the outbox is being sent.
    pub(super) telling: Mutex<()>,
    /// Number of children that each execution has begun.
    pub(super) begun: Mutex<BTreeMap<Origin, u32>>,
    pub(super) is_new: AtomicBool,
    pub(super) begins_again: AtomicBool,
    pub(super) counted_again: AtomicBool,
    /// Whether the run is about to pause, so that its children rest.
    pub(super) resting: AtomicBool,
    pub(super) tools: OnceLock<Toolbox>,
    pub(super) n_turns: AtomicU32,
    pub(super) since: Instant,
    /// When the time of the run was last taken.
    pub(super) lap: Mutex<Instant>,
    pub(super) meter: Arc<Meter>,
}

/// An active child.
pub(super) struct LiveChild {
    pub(super) control: Control,
    /// Cancelled when the child is to rest after its current step.
    pub(super) rest: CancellationToken,
    /// The execution that waits for the child, if one does.
    pub(super) origin: Option<Origin>,
}

/// The place of the ledger: the local space of the agent's `think`, with which it is saved.
pub(super) struct LedgerSpace(pub(super) Option<LocalSpace>);

/// The name of the ledger in the local space.
const LEDGER: &str = "children";

impl TurnState {
    /// The ids that lead to a child.
    pub(super) fn name_of(&self, child: &str) -> String {
        match self.name.as_str() {
            ROOT => child.to_owned(),
            parent => format!("{parent}/{child}"),
        }
    }

    /// The turn around a worker.
    pub(crate) fn of(cx: &Context) -> Option<Arc<Self>> {
        cx.attached::<TurnGuard>().map(|guard| Arc::clone(guard.turn()))
    }

    /// Reads or changes the ledger. The events of a change are sent afterwards, in order.
    pub(super) fn with<R>(
        &self,
        change: impl FnOnce(&mut Ledger, &mut VecDeque<SubTurnEvent>) -> R,
    ) -> R {
        let changed = {
            let mut outbox = lock(&self.outbox);
            match &self.ledger.0 {
                Some(space) => space.update(LEDGER, |ledger| change(ledger, &mut outbox)),
                None => change(&mut Ledger::default(), &mut outbox),
            }
        };
        self.tell();
        changed
    }

    pub(super) fn send(&self, event: SubTurnEvent) {
        lock(&self.outbox).push_back(event);
        self.tell();
    }

    /// Sends the events in the outbox, unless another thread is sending them.
    fn tell(&self) {
        while !lock(&self.outbox).is_empty() {
            let Ok(_telling) = self.telling.try_lock() else { return };
            loop {
                let Some(event) = lock(&self.outbox).pop_front() else { break };
                self.settings.tell(&event);
                if let Some(child) = event.child() {
                    self.run.emit(child.to_owned(), "subturn", event.clone());
                }
            }
        }
    }

    /// Records that the run has begun in this process, so that there are no earlier children.
    pub(crate) fn begins(&self) {
        // A run within a stored one has no journal of its own, but its children have. A run that
        // begins again, because nothing was written since its begin, may have children, too.
        let may_be_new = self.run.is_stored() || self.run.path().is_none();
        let is_new = may_be_new && !self.run.is_resumed();
        self.is_new.store(is_new, Ordering::Relaxed);
        self.begins_again.store(!is_new, Ordering::Relaxed);
    }

    /// Whether this process has begun the run from its start, and may not be the first that did.
    pub(super) fn begins_again(&self) -> bool {
        self.begins_again.load(Ordering::Relaxed)
    }

    pub(super) fn is_new(&self) -> bool {
        self.is_new.load(Ordering::Relaxed)
    }

    /// Identifies the next child that an execution begins.
    pub(super) fn origin(&self, mut origin: Origin) -> Origin {
        let mut begun = lock(&self.begun);
        let n = begun.entry(origin.clone()).or_default();
        origin.n = *n;
        *n += 1;
        origin
    }

    /// The model of the turn.
    pub(crate) fn model(&self) -> &Arc<dyn ChatModel> {
        let own = self.birth.as_ref().and_then(|birth| birth.model.as_ref());
        own.unwrap_or(&self.agent.model)
    }

    /// The tools of the turn.
    pub(crate) fn tools(&self) -> &Toolbox {
        self.tools.get_or_init(|| {
            let all = &self.agent.tools;
            let tools = match &self.birth {
                Some(birth) => birth.config.which_tools().of(all, self.parent_tools()),
                None => all.clone(),
            };
            match self.settings.depth {
                Some(most) if self.depth >= most => tools.without(super::tools::BEGINNING),
                _ => tools,
            }
        })
    }

    /// The tools of the parent, if it is of the same agent.
    fn parent_tools(&self) -> Option<&Toolbox> {
        let parent = &self.birth.as_ref()?.parent;
        (parent.agent.name == self.agent.name).then(|| parent.tools())
    }

    /// The configuration of the turn of a child; `None` for any other turn.
    pub(crate) fn config(&self) -> Option<&SubTurn> {
        self.birth.as_ref().map(|birth| &birth.config)
    }

    /// Maximum number of messages that the model sees, if limited.
    pub(crate) fn history(&self) -> Option<usize> {
        self.birth.as_ref().and(self.settings.history)
    }

    /// Counts a reply of a model.
    pub(crate) fn count(&self, reply: &ChatReply) {
        self.n_turns.fetch_add(1, Ordering::Relaxed);
        self.budget.spend(reply.usage);
        let model = reply.model.as_deref().unwrap_or_else(|| self.model().name());
        self.meter.count(model, reply.usage);
        if let Some(birth) = &self.birth {
            *lock(&birth.spent) += reply.usage;
        }
    }

    /// Counts the usage of a run before it was continued, in this process, towards the limits.
    pub(crate) fn count_again(&self, usage: Usage, by_model: &BTreeMap<String, Usage>) {
        if self.is_new() || self.counted_again.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.depth == 0 {
            self.budget.spend(usage);
        }
        // The turns around have their own numbers, which contain these.
        let mut meter = self.meter.lock();
        for (model, usage) in by_model {
            *meter.entry(model.clone()).or_default() += *usage;
        }
    }

    /// The usage of each model in the turn and all turns below it.
    pub(crate) fn spent(&self) -> BTreeMap<String, Usage> {
        self.meter.lock().clone()
    }

    /// The time since the last call in this process, or since the run began or continued in it.
    pub(crate) fn lap(&self) -> Duration {
        let now = Instant::now();
        let last = std::mem::replace(&mut *lock(&self.lap), now);
        now.saturating_duration_since(last)
    }

    /// Maximum number of requests to the model; `most` is the maximum of the agent.
    pub(crate) fn turns(&self, most: u32) -> u32 {
        self.config().map_or(most, |config| config.turn_bound().or(Some(most)).unwrap_or(u32::MAX))
    }

    /// Whether the turn is to end before its next step, with its result so far.
    pub(crate) fn is_to_finish(&self) -> bool {
        self.budget.is_spent() || self.control.is_asked_to_finish() || self.is_left()
    }

    /// Whether the parent's turn is over, and this turn does not continue without it.
    fn is_left(&self) -> bool {
        self.birth.as_ref().is_some_and(|birth| {
            birth.is_spawned
                && !birth.config.is_critical()
                && birth.parent.with(|ledger, _| ledger.is_over())
        })
    }

    /// Takes the hint with which the turn was interrupted.
    pub(crate) fn take_hint(&self) -> Option<String> {
        self.control.take_hint()
    }

    /// Whether the turn begins no more tool calls.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.control.is_interrupted()
    }

    /// The ids of all children but the first `n`.
    pub(crate) fn begun_after(&self, n: usize) -> Vec<String> {
        self.with(|ledger, _| ledger.ids().skip(n).collect())
    }

    /// Takes the delivered results and the usage of children. Results of called children are
    /// dropped.
    pub(crate) fn read(&self) -> (Vec<ChildResult>, Usage) {
        let read = self.with(|ledger, _| {
            if ledger.is_empty() {
                return Default::default();
            }
            ledger.forget_returned();
            (ledger.take(), ledger.take_usage())
        });
        self.room.notify_waiters();
        read
    }

    /// Takes the delivered results. If there are none, and the turn does not wait for any, ends the
    /// turn. Returns `None` if a child asks a person, so that the turn does not end yet.
    pub(crate) async fn read_or_finish(&self) -> Option<Vec<ChildResult>> {
        enum Read {
            Results(Vec<ChildResult>),
            Asks,
            Waits,
        }
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let waits = self.settings.waits_for_results;
            let read = self.with(|ledger, _| {
                if ledger.has_mail() {
                    return Read::Results(ledger.take());
                }
                if ledger.asks() {
                    return Read::Asks;
                }
                if waits && ledger.is_awaited() {
                    return Read::Waits;
                }
                ledger.finish();
                Read::Results(Vec::new())
            });
            self.room.notify_waiters();
            match read {
                Read::Results(read) => return Some(read),
                Read::Asks => return None,
                Read::Waits => arrived.await,
            }
        }
    }

    /// Ends the turn. Returns its children and their usage.
    pub(crate) fn finish(self: &Arc<Self>) -> (Vec<ChildSummary>, Usage) {
        self.with(|ledger, events| {
            for result in ledger.finish() {
                events.push_back(SubTurnEvent::Orphaned {
                    parent: self.name.clone(),
                    child: result.id.clone(),
                    result,
                    reason: OrphanReason::Undrained,
                });
            }
            for result in ledger.drop_unclaimed() {
                events.push_back(self.ended(&result));
            }
        });
        let why = "it asks a person, and the turn of its parent is over".to_owned();
        self.settle_all_resting(&ChildStatus::Failed { why });
        let ended = self.with(|ledger, _| (ledger.summaries(), ledger.take_usage()));
        self.room.notify_waiters();
        self.arrived.notify_waiters();
        ended
    }

    /// Takes the oldest delivered result, and waits for it while results may still come. If only
    /// children that ask a person are left, the execution of `cx` asks their questions.
    pub(super) async fn next_result(
        &self,
        cx: &Context,
    ) -> Result<Option<ChildResult>, SubTurnError> {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            self.check_open()?;
            let (next, comes, asks) =
                self.with(|ledger, _| (ledger.take_next(), ledger.is_awaited(), ledger.asks()));
            if next.is_some() {
                self.room.notify_waiters();
                return Ok(next);
            }
            if !comes {
                return Ok(None);
            }
            if asks && !self.has_active_spawned() {
                return Err(self.pass_on(cx).unwrap_or(SubTurnError::OutsideTurn));
            }
            if self.control.cancelled().run_until_cancelled(arrived).await.is_none() {
                return Err(SubTurnError::Cancelled);
            }
        }
    }

    /// Fails if the turn is over or stopped.
    pub(super) fn check_open(&self) -> Result<(), SubTurnError> {
        if self.control.is_stopped() {
            return Err(SubTurnError::Cancelled);
        }
        let is_over = self.control.cancelled().is_cancelled();
        if is_over || self.with(|ledger, _| ledger.is_over()) {
            return Err(SubTurnError::OutsideTurn);
        }
        Ok(())
    }

    /// Stops a child.
    pub(super) fn stop_child(self: &Arc<Self>, id: &str) -> Result<ChildStatus, SubTurnError> {
        let (status, known) = self.with(|ledger, _| {
            let known = || ledger.summaries().into_iter().map(|child| child.id).collect();
            let status = ledger.status(id).cloned();
            let known = if status.is_none() { known() } else { Vec::new() };
            (status, known)
        });
        let Some(status) = status else {
            return Err(SubTurnError::Unknown { id: id.to_owned(), known });
        };
        match lock(&self.live).get(id) {
            // Within the lock: a child that rests is not active any more.
            Some(live) => _ = live.control.stop(),
            None => self.settle_resting(id, ChildStatus::Stopped),
        }
        Ok(status)
    }

    /// The timeout of a child, if any.
    pub(super) fn time_of(&self, config: &SubTurn) -> Option<Duration> {
        config.time_bound().or(self.settings.timeout)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
