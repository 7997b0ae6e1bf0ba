//! The state of an active turn: the ledger, and what acts on its decisions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ddg_core::Context;
use ddg_core::context::LocalSpace;
use ddg_core::run::ActiveRun;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::control::Control;
use super::ledger::{Ledger, Origin};
use super::{
    ChildResult, ChildStatus, ChildSummary, OrphanReason, SubTurn, SubTurnError, SubTurnEvent,
    SubTurns, TurnStatus,
};
use crate::model::{ChatModel, ChatReply, Usage};
use crate::tool::Toolbox;

/// Guard of a turn, attached to the run of its agent: ends the turn when the run ends.
pub(crate) struct TurnGuard(Arc<TurnState>);

/// The agent of a turn, as far as its turns use it.
#[derive(Clone)]
pub(crate) struct TurnAgent {
    pub(crate) name: String,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) tools: Toolbox,
    pub(crate) subturns: Option<Arc<SubTurns>>,
}

/// Parameters of the turn of a child.
#[derive(Clone)]
pub(super) struct Birth {
    pub(super) id: String,
    pub(super) config: SubTurn,
    pub(super) is_spawned: bool,
    /// Replaces the model of the agent.
    pub(super) model: Option<Arc<dyn ChatModel>>,
    pub(super) control: Control,
    pub(super) parent: Arc<TurnState>,
    /// The usage of models so far.
    pub(super) spent: Arc<Mutex<Usage>>,
    /// Cancelled when the run has begun and, if it is stored, has been written.
    pub(super) begun: CancellationToken,
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
    /// Controls of the active children.
    pub(super) live: Mutex<BTreeMap<String, Control>>,
    /// Notified when a result arrives, or a child ends.
    pub(super) arrived: Notify,
    /// Notified when there is room in the inbox, or the turn is over.
    pub(super) room: Notify,
    pub(super) recovered: OnceCell<()>,
    birth: Option<Arc<Birth>>,
    budget: Arc<Budget>,
    ledger: LedgerSpace,
    outbox: Mutex<VecDeque<SubTurnEvent>>,
    /// Held while the outbox is being sent.
    telling: Mutex<()>,
    /// Number of children that each execution has begun.
    begun: Mutex<BTreeMap<Origin, u32>>,
    is_new: AtomicBool,
    counted_again: AtomicBool,
    tools: OnceLock<Toolbox>,
    n_turns: AtomicU32,
    since: Instant,
    /// When the time of the run was last taken.
    lap: Mutex<Instant>,
    meter: Arc<Meter>,
}

/// The usage of each model in a turn and all turns below it.
#[derive(Default)]
struct Meter {
    by_model: Mutex<BTreeMap<String, Usage>>,
    /// The meter of the turn around.
    around: Option<Arc<Meter>>,
}

impl Meter {
    fn below(around: Option<&Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { by_model: Mutex::default(), around: around.cloned() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Usage>> {
        self.by_model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, model: &str, usage: Usage) {
        *self.lock().entry(model.to_owned()).or_default() += usage;
        if let Some(around) = &self.around {
            around.count(model, usage);
        }
    }
}

/// The place of the ledger: the local space of the agent's `think`, with which it is saved.
struct LedgerSpace(Option<LocalSpace>);

/// The name of the ledger in the local space.
const LEDGER: &str = "children";

/// The tokens that all turns below a root may still use.
pub(super) struct Budget(Option<AtomicI64>);

impl Budget {
    fn new(tokens: Option<u64>) -> Self {
        Self(tokens.map(|tokens| AtomicI64::new(tokens.try_into().unwrap_or(i64::MAX))))
    }

    fn spend(&self, usage: Usage) {
        if let Some(left) = &self.0 {
            left.fetch_sub(usage.total().try_into().unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    fn is_spent(&self) -> bool {
        self.0.as_ref().is_some_and(|left| left.load(Ordering::Relaxed) <= 0)
    }
}

impl TurnGuard {
    /// Creates the turn of a run of `agent`. The ledger is saved in the local space of `worker`.
    pub(crate) fn new(agent: TurnAgent, run: &ActiveRun, worker: &str) -> Self {
        let birth = run.attached::<Birth>().filter(|birth| birth.is_of(run));
        let around = run.attached_around::<Self>().map(|guard| Arc::clone(&guard.0));
        let given = || run.attached::<Control>().filter(|_| run.path().is_none());
        let control = match (&birth, &around) {
            (Some(birth), _) => birth.control.of_run(),
            (None, Some(around)) => around.control.below(),
            (None, None) => given().map(|control| control.of_run()).unwrap_or_default(),
        };
        let inherited = around.as_ref().map(|around| Arc::clone(&around.settings));
        // The limits of a child are those of its parent, even if it is another agent.
        let settings = match &birth {
            Some(_) => inherited,
            None => agent.subturns.clone().or(inherited),
        };
        let settings = settings.unwrap_or_default();
        let budget = match &around {
            Some(around) => Arc::clone(&around.budget),
            None => Arc::new(Budget::new(settings.tokens)),
        };
        let (name, depth) = match (&birth, &around) {
            (Some(birth), _) => (birth.turn_name(), birth.parent.depth + 1),
            (None, Some(around)) => (around.name.clone(), around.depth),
            (None, None) => (ROOT.to_owned(), 0),
        };
        let slots = settings.slots.map(|slots| Arc::new(Semaphore::new(slots)));
        if let Some(birth) = &birth {
            birth.begun.cancel();
        }
        let turn = Arc::new(TurnState {
            name,
            agent,
            run: run.clone(),
            settings,
            control,
            depth,
            slots,
            live: Mutex::default(),
            arrived: Notify::new(),
            room: Notify::new(),
            recovered: OnceCell::new(),
            birth,
            budget,
            ledger: LedgerSpace(run.local_space(worker)),
            outbox: Mutex::default(),
            telling: Mutex::default(),
            begun: Mutex::default(),
            is_new: AtomicBool::new(false),
            counted_again: AtomicBool::new(false),
            tools: OnceLock::new(),
            n_turns: AtomicU32::new(0),
            since: Instant::now(),
            lap: Mutex::new(Instant::now()),
            meter: Meter::below(around.as_ref().map(|around| &around.meter)),
        });
        turn.send(SubTurnEvent::TurnStarted { turn: turn.name.clone(), depth: turn.depth });
        Self(turn)
    }

    pub(crate) fn turn(&self) -> &Arc<TurnState> {
        &self.0
    }
}

/// The name of the outermost turn.
const ROOT: &str = "root";

impl Birth {
    /// The ids that lead to the child.
    fn turn_name(&self) -> String {
        self.parent.name_of(&self.id)
    }

    /// Whether the child is this run, and not a run around it.
    fn is_of(&self, run: &ActiveRun) -> bool {
        let inside = run.path();
        inside.is_some_and(|path| path.key().as_str() == self.id)
            && inside.and_then(|path| path.parent()) == self.parent.run.path()
    }
}

impl Drop for TurnGuard {
    fn drop(&mut self) {
        let turn = &self.0;
        let is_over = turn.with(|ledger, _| ledger.is_over());
        if !is_over {
            turn.control.suspend();
        }
        turn.send(SubTurnEvent::TurnEnded {
            turn: turn.name.clone(),
            status: if is_over { TurnStatus::Finished } else { TurnStatus::Aborted },
            turns: turn.n_turns.load(Ordering::Relaxed),
            duration: turn.since.elapsed(),
        });
        turn.arrived.notify_waiters();
        turn.room.notify_waiters();
    }
}

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
        cx.attached::<TurnGuard>().map(|guard| Arc::clone(&guard.0))
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

    fn send(&self, event: SubTurnEvent) {
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
        // A run within a stored one has no journal of its own, but its children have.
        if self.run.is_stored() || self.run.path().is_none() {
            self.is_new.store(true, Ordering::Relaxed);
        }
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
    /// turn.
    pub(crate) async fn read_or_finish(&self) -> Vec<ChildResult> {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let waits = self.settings.waits_for_results;
            let read = self.with(|ledger, _| {
                if ledger.has_mail() {
                    return Some(ledger.take());
                }
                if waits && ledger.is_awaited() {
                    return None;
                }
                ledger.finish();
                Some(Vec::new())
            });
            self.room.notify_waiters();
            match read {
                Some(read) => return read,
                None => arrived.await,
            }
        }
    }

    /// Ends the turn. Returns its children and their usage.
    pub(crate) fn finish(&self) -> (Vec<ChildSummary>, Usage) {
        let ended = self.with(|ledger, events| {
            for result in ledger.finish() {
                events.push_back(SubTurnEvent::Orphaned {
                    parent: self.name.clone(),
                    child: result.id.clone(),
                    result,
                    reason: OrphanReason::Undrained,
                });
            }
            (ledger.summaries(), ledger.take_usage())
        });
        self.room.notify_waiters();
        self.arrived.notify_waiters();
        ended
    }

    /// Takes the oldest delivered result, and waits for it while results may still come.
    pub(super) async fn next_result(&self) -> Result<Option<ChildResult>, SubTurnError> {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            self.check_open()?;
            let (next, comes) = self.with(|ledger, _| (ledger.take_next(), ledger.is_awaited()));
            if next.is_some() {
                self.room.notify_waiters();
                return Ok(next);
            }
            if !comes {
                return Ok(None);
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
    pub(super) fn stop_child(&self, id: &str) -> Result<ChildStatus, SubTurnError> {
        let (status, known) = self.with(|ledger, _| {
            let known = || ledger.summaries().into_iter().map(|child| child.id).collect();
            let status = ledger.status(id).cloned();
            let known = if status.is_none() { known() } else { Vec::new() };
            (status, known)
        });
        let Some(status) = status else {
            return Err(SubTurnError::Unknown { id: id.to_owned(), known });
        };
        if let Some(control) = lock(&self.live).get(id) {
            control.stop();
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
