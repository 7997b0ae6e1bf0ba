//! The life of a child: begin, run, continuation, and end.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::args;
use ddg_core::run::{RunBuilder, RunHandle};
use ddg_core::worker::Panicked;
use ddg_core::{Outcome, RunError};
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::control::Control;
use super::ledger::{Begun, Cause, Kind, Ledger, Origin, Settled};
use super::state::{Birth, TurnState, lock};
use super::{
    ChildResult, ChildStatus, ChildTools, Delivery, SubTurn, SubTurnError, SubTurnEvent, SubTurns,
};
use crate::model::{ChatModel, Usage};
use crate::react::{AgentFailed, AgentOutcome, Task};
use crate::tool::Toolbox;

/// The name of the input with which the run of a child gets its [`Begun`]. A parent that is
/// continued finds the child in the store by it.
pub(crate) const INPUT: &str = "subturn";

/// The resolved agent and model of a child.
struct Made {
    /// The name of its agent.
    agent: String,
    /// The name of its model.
    model: String,
    switched: Option<Arc<dyn ChatModel>>,
}

/// Result of beginning a child.
pub(super) enum Started {
    /// The child is active.
    UnderWay { id: String, under_way: UnderWay },
    /// The child had begun before its parent was continued, and the parent repeats that execution.
    Again { id: String, result: Option<ChildResult> },
}

/// An active child, as its caller sees it.
pub(super) struct UnderWay {
    pub(super) result: oneshot::Receiver<ChildResult>,
    pub(super) control: Control,
    /// Cancelled when the run of the child has been written to the store, if it is stored, or when
    /// the child has ended.
    pub(super) begun: CancellationToken,
}

/// An active child, as its supervisor sees it.
struct Child {
    id: String,
    agent: String,
    control: Control,
    after: Option<Duration>,
    slot: Option<OwnedSemaphorePermit>,
    spent: Arc<Mutex<Usage>>,
    begun: CancellationToken,
    delivery: Delivery,
}

impl TurnState {
    /// Begins a child, after waiting for a slot.
    ///
    /// # Errors
    /// If the child may not begin. No child exists then.
    ///
    /// # Cancel safety
    /// If the future is dropped, no child has begun.
    pub(super) async fn begin(
        self: &Arc<Self>,
        config: SubTurn,
        kind: Kind,
        origin: Origin,
    ) -> Result<Started, SubTurnError> {
        self.check_open()?;
        if let Some(max) = self.settings.depth.filter(|max| self.depth >= *max) {
            tracing::warn!(parent = %self.name, depth = self.depth, max, "a child agent would be too deep");
            return Err(SubTurnError::DepthLimit { depth: self.depth, max });
        }
        let made = self.make(&config)?;
        self.recover().await;
        let origin = self.origin(origin);
        if !self.is_new()
            && let Some((id, result)) = self.with(|ledger, _| ledger.find(&origin))
        {
            return self.again(id, result, config, kind, made).await;
        }
        let slot = self.slot().await?;
        let begun = Begun {
            origin,
            kind,
            config: config.clone(),
            agent: made.agent.clone(),
            model: made.model.clone(),
        };
        let id = self.with(|ledger, events| {
            if ledger.is_over() {
                return Err(SubTurnError::OutsideTurn);
            }
            if self.control.cancelled().is_cancelled() {
                return Err(SubTurnError::Cancelled);
            }
            let id = ledger.begin(begun.clone());
            events.push_back(self.spawned(&id, config));
            Ok(id)
        })?;
        let under_way = self.start(&id, begun, &made, slot);
        Ok(Started::UnderWay { id, under_way })
    }

    fn spawned(&self, id: &str, config: SubTurn) -> SubTurnEvent {
        SubTurnEvent::Spawned {
            parent: self.name.clone(),
            child: id.to_owned(),
            depth: self.depth + 1,
            config,
        }
    }

    /// Returns a child that had begun before the run was continued.
    async fn again(
        self: &Arc<Self>,
        id: String,
        result: Option<ChildResult>,
        config: SubTurn,
        kind: Kind,
        made: Made,
    ) -> Result<Started, SubTurnError> {
        // A spawned child that has not ended was begun again by `recover`.
        if result.is_some() || kind == Kind::Spawned {
            return Ok(Started::Again { id, result });
        }
        let running = self.with(|ledger, _| ledger.running());
        let Some((_, begun)) = running.into_iter().find(|(running, _)| *running == id) else {
            return Ok(Started::Again { id, result: None });
        };
        let slot = self.slot().await?;
        self.with(|_, events| events.push_back(self.spawned(&id, config)));
        let under_way = self.start(&id, begun, &made, slot);
        Ok(Started::UnderWay { id, under_way })
    }

    /// Checks the configuration of a child, and resolves its agent and model.
    fn make(&self, config: &SubTurn) -> Result<Made, SubTurnError> {
        let invalid = |why: String| SubTurnError::InvalidConfig { why };
        if Handle::try_current().is_err() {
            return Err(invalid("it runs as a task of its own: run within a tokio runtime".into()));
        }
        let settings = &self.settings;
        let named = config.agent_name().map(|name| {
            let known = || settings.agents.keys().map(String::as_str).collect::<Vec<_>>();
            let found = settings.agents.get(name);
            found.ok_or_else(|| invalid(unknown("agent", name, &known())))
        });
        let named = named.transpose()?;
        let switched = config.model_name().map(|name| {
            let switched = || self.model().switched(name);
            let known = || settings.models.keys().map(String::as_str).collect::<Vec<_>>();
            let model = settings.models.get(name).cloned().or_else(switched);
            model.ok_or_else(|| invalid(unknown("model", name, &known())))
        });
        let switched = switched.transpose()?;
        if let (ChildTools::These(names), None) = (config.which_tools(), named) {
            let missing = names.iter().find(|name| !self.tools().contains(name));
            if let Some(name) = missing {
                let known: Vec<_> = self.tools().names().collect();
                return Err(invalid(unknown("tool", name, &known)));
            }
        }
        if config.goes_to() != Delivery::Parent && !settings.reaches_user() {
            let why = "its result is for the user, and nobody shows it: set `SubTurns::to_user`";
            return Err(invalid(why.into()));
        }
        let model = match (&switched, named) {
            (Some(model), _) => model.name().to_owned(),
            (None, Some(named)) => named.model.clone(),
            (None, None) => self.model().name().to_owned(),
        };
        let agent = config.agent_name().unwrap_or(&self.agent.name).to_owned();
        // A child of the same agent asks the model of its parent.
        let inherited = || named.is_none().then(|| Arc::clone(self.model()));
        Ok(Made { agent, model, switched: switched.or_else(inherited) })
    }

    /// Waits for a slot, if the number of active children is limited.
    async fn slot(&self) -> Result<Option<OwnedSemaphorePermit>, SubTurnError> {
        let Some(slots) = &self.slots else { return Ok(None) };
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Ok(Some(slot));
        }
        let place = async {
            let place = Arc::clone(slots).acquire_owned();
            let place = self.control.cancelled().run_until_cancelled(place).await;
            match place {
                Some(Ok(slot)) => Ok(Some(slot)),
                Some(Err(_)) | None => Err(SubTurnError::Cancelled),
            }
        };
        match self.settings.slot_wait {
            None => place.await,
            Some(waited) => timeout(waited, place).await.unwrap_or_else(|_| {
                let slots = self.settings.slots.unwrap_or_default();
                Err(SubTurnError::SlotTimeout { slots, waited })
            }),
        }
    }

    /// Starts a child that is in the ledger.
    fn start(
        self: &Arc<Self>,
        id: &str,
        begun: Begun,
        made: &Made,
        slot: Option<OwnedSemaphorePermit>,
    ) -> UnderWay {
        let written = CancellationToken::new();
        let control = self.control.below();
        lock(&self.live).insert(id.to_owned(), control.clone());
        control.note(self.name_of(id), true);
        let spent = Arc::new(Mutex::new(Usage::default()));
        let child = Child {
            id: id.to_owned(),
            agent: made.agent.clone(),
            control: control.clone(),
            after: self.time_of(&begun.config),
            slot,
            spent: Arc::clone(&spent),
            begun: written.clone(),
            delivery: begun.config.goes_to(),
        };
        let birth = Birth {
            id: id.to_owned(),
            config: begun.config.clone(),
            is_spawned: begun.kind == Kind::Spawned,
            model: made.switched.clone(),
            control: control.clone(),
            parent: Arc::clone(self),
            spent,
            begun: written.clone(),
        };
        let run = self.run_of(begun, birth);
        let (sender, result) = oneshot::channel();
        let parent = Arc::clone(self);
        let supervised = async move { parent.supervise(child, run, sender).await };
        self.control.tasks().spawn(supervised);
        UnderWay { result, control, begun: written }
    }

    /// Creates the run of a child.
    fn run_of(&self, begun: Begun, birth: Birth) -> RunBuilder {
        let (config, after) = (birth.config.clone(), self.time_of(&birth.config));
        let args = args!(Task::new(config.task().clone()), subturn = begun);
        let run = match config.agent_name().and_then(|name| self.settings.agents.get(name)) {
            Some(named) => named.automa.run(args),
            None => self.run.run_again(args),
        };
        let run = run.inside(&self.run, birth.id.clone()).attach(move |_| birth.clone());
        match after {
            Some(after) => run.deadline(after),
            None => run,
        }
    }

    /// Runs a child to its end, and settles its result.
    async fn supervise(
        self: Arc<Self>,
        child: Child,
        run: RunBuilder,
        caller: oneshot::Sender<ChildResult>,
    ) {
        let since = Instant::now();
        let Child { id, agent, control, after, slot, spent, begun, delivery } = child;
        let ended = AssertUnwindSafe(run_to_end(run.spawn(), &control)).catch_unwind().await;
        let (status, text, usage) = match ended {
            Ok(ended) => read(ended, after),
            Err(panic) => {
                (ChildStatus::Panicked { message: message(&*panic) }, String::new(), None)
            }
        };
        let usage = usage.unwrap_or_else(|| *lock(&spent));
        let result = ChildResult { id, agent, status, text, usage, duration: since.elapsed() };
        if let ChildStatus::Panicked { message } = &result.status {
            tracing::error!(parent = %self.name, child = %result.id, message, "a child agent panicked");
        }
        // Released before the result is delivered: a parent that waits for a slot must not wait for
        // children that wait for room in its inbox.
        drop(slot);
        self.settle(&result, delivery).await;
        lock(&self.live).remove(&result.id);
        begun.cancel();
        control.note(self.name_of(&result.id), false);
        self.arrived.notify_waiters();
        // The caller may have been dropped.
        _ = caller.send(result);
    }

    /// Delivers the result of a child, and sends the events.
    async fn settle(&self, result: &ChildResult, delivery: Delivery) {
        let settled = loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.try_settle(result) {
                Settled::NoRoom => {
                    _ = self.control.cancelled().run_until_cancelled(room).await;
                }
                settled => break settled,
            }
        };
        let is_users = match settled {
            Settled::ForUser => true,
            Settled::Delivered => delivery == Delivery::Both,
            Settled::Orphaned(reason) => {
                delivery == Delivery::Both && reason != super::OrphanReason::Stopped
            }
            Settled::Returned | Settled::Already | Settled::NoRoom => false,
        };
        if is_users {
            self.settings.show_user(result);
        }
    }

    fn try_settle(&self, result: &ChildResult) -> Settled {
        let is_cancelled = self.control.cancelled().is_cancelled();
        let cause = if is_cancelled { Cause::TurnStopped } else { Cause::Own };
        let is_suspended = is_cancelled && !self.control.is_stopped();
        let room = self.settings.room();
        let settled = self.with(|ledger, events| {
            // A turn whose run was dropped may be continued, and its child with it.
            let settled = match is_suspended && !ledger.is_over() {
                true => Settled::Already,
                false => ledger.settle(result, cause, room),
            };
            let (parent, child) = (self.name.clone(), result.id.clone());
            match settled {
                Settled::NoRoom => return settled,
                Settled::Delivered => {
                    let result = result.clone();
                    events.push_back(SubTurnEvent::Delivered { parent, child, result });
                }
                Settled::Orphaned(reason) => {
                    let result = result.clone();
                    events.push_back(SubTurnEvent::Orphaned { parent, child, result, reason });
                }
                Settled::Returned | Settled::ForUser | Settled::Already => {}
            }
            events.push_back(SubTurnEvent::Ended {
                parent: self.name.clone(),
                child: result.id.clone(),
                status: result.status.clone(),
                result: result.text(),
                usage: result.usage,
                duration: result.duration,
            });
            settled
        });
        if settled == Settled::Orphaned(super::OrphanReason::QueueFull) {
            tracing::warn!(parent = %self.name, child = %result.id, "the inbox is full: a result is lost");
        }
        settled
    }

    /// Begins unfinished children of a continued run again, and adds the children to the ledger
    /// that began after it was last saved.
    pub(crate) async fn recover(self: &Arc<Self>) {
        let recover = async {
            if self.is_new() {
                return;
            }
            self.adopt_stored().await;
            let running = self.with(|ledger, _| ledger.running());
            for (id, begun) in running.into_iter().filter(|(_, it)| it.kind == Kind::Spawned) {
                self.go_on(&id, begun);
            }
        };
        self.recovered.get_or_init(|| recover).await;
    }

    /// Continues called children whose callers have ended without running again. Such a child has
    /// ended in the store, so this reads its result.
    pub(crate) fn settle_called(self: &Arc<Self>) {
        if self.is_new() {
            return;
        }
        for (id, begun) in self.with(|ledger, _| ledger.running()) {
            if begun.kind == Kind::Called && !lock(&self.live).contains_key(&id) {
                self.go_on(&id, begun);
            }
        }
    }

    fn go_on(self: &Arc<Self>, id: &str, begun: Begun) {
        let config = begun.config.clone();
        match self.make(&config) {
            Ok(made) => {
                // There are no more children than the slots allowed before.
                let slots = self.slots.as_ref();
                let slot = slots.and_then(|slots| Arc::clone(slots).try_acquire_owned().ok());
                self.with(|_, events| events.push_back(self.spawned(id, config)));
                self.start(id, begun, &made, slot);
            }
            Err(error) => {
                let status = ChildStatus::Failed { why: error.to_string() };
                let (id, agent, delivery) = (id.to_owned(), begun.agent, config.goes_to());
                let result = ChildResult {
                    id,
                    agent,
                    status,
                    text: String::new(),
                    usage: Usage::default(),
                    duration: Duration::ZERO,
                };
                let parent = Arc::clone(self);
                self.control.tasks().spawn(async move {
                    parent.settle(&result, delivery).await;
                    parent.arrived.notify_waiters();
                });
            }
        }
    }

    /// Adds stored children that are missing from the ledger. A child is written when it begins,
    /// its parent only after the step, so the store may have more children than the ledger.
    async fn adopt_stored(&self) {
        // Numbers can be missing from the store: one for each child that got a number but was not
        // written.
        const MOST: usize = 64;
        let gap = self.settings.slots.unwrap_or(MOST);
        let mut number = self.with(|ledger, _| ledger.next());
        let mut n_missing = 0;
        while n_missing <= gap {
            let found = match self.run.stored_inside(Ledger::id(number)).await {
                Ok(Some(snapshot)) => snapshot.input(INPUT),
                Ok(None) => None,
                Err(error) => {
                    tracing::warn!(parent = %self.name, %error, "children in the store cannot be read");
                    return;
                }
            };
            match found.and_then(|begun| begun.get::<Begun>().ok()) {
                Some(begun) => {
                    self.with(|ledger, _| ledger.adopt(number, begun));
                    n_missing = 0;
                }
                None => n_missing += 1,
            }
            number += 1;
        }
    }
}

/// Waits for the end of a run. Cancels the run when the child is stopped.
async fn run_to_end(mut run: RunHandle, control: &Control) -> Result<Outcome, RunError> {
    if let Some(ended) = control.cancelled().run_until_cancelled(&mut run).await {
        return ended;
    }
    run.cancel();
    run.await
}

/// The status, text and, if known, usage of a run that has ended.
fn read(
    ended: Result<Outcome, RunError>,
    after: Option<Duration>,
) -> (ChildStatus, String, Option<Usage>) {
    let failed = |why: String| ChildStatus::Failed { why };
    let outcome = match ended {
        Ok(outcome) if outcome.is_paused() => {
            let why = "it asks a person, which a child agent cannot: do that part yourself";
            return (failed(why.to_owned()), String::new(), None);
        }
        Ok(outcome) => outcome.into_output::<AgentOutcome>(),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(outcome) => (ChildStatus::Finished, outcome.text(), Some(outcome.usage)),
        Err(RunError::Cancelled { .. }) => (ChildStatus::Stopped, String::new(), None),
        Err(RunError::DeadlineExceeded { .. }) => {
            let after = after.unwrap_or_default();
            (ChildStatus::TimedOut { after }, String::new(), None)
        }
        Err(error) => {
            if let Some(AgentFailed { outcome, .. }) = error.downcast_ref() {
                (failed(outcome.text()), String::new(), Some(outcome.usage))
            } else if let Some(Panicked { message, .. }) = error.downcast_ref() {
                (ChildStatus::Panicked { message: message.clone() }, String::new(), None)
            } else {
                (failed(error.to_string()), String::new(), None)
            }
        }
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is no text".to_owned())
}

/// Formats: there is no model `x`; there are: a, b.
fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("there is no {what} `{name}`; there are none"),
        known => format!("there is no {what} `{name}`; there are: {}", known.join(", ")),
    }
}

impl ChildTools {
    /// The tools of a child, out of `all`. If the child is of the same agent as its parent, they
    /// are out of `parents`, the tools of the parent.
    pub(super) fn of(&self, all: &Toolbox, parents: Option<&Toolbox>) -> Toolbox {
        let inherited = parents.unwrap_or(all);
        match self {
            Self::These(names) if !names.is_empty() => inherited.only(names),
            Self::Inherit | Self::These(_) => inherited.clone(),
            Self::None => Toolbox::default(),
        }
    }
}

impl SubTurns {
    /// The named agents, each with its description.
    pub(super) fn named_agents(&self) -> Vec<(String, String)> {
        let agents = self.agents.iter();
        agents.map(|(name, agent)| (name.clone(), agent.description.clone())).collect()
    }
}
