//! An active child: its run, from its start to its end.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::run::{RunBuilder, RunHandle};
use ddg_core::snapshot::Snapshot;
use ddg_core::worker::Panicked;
use ddg_core::{Outcome, RunError, args};
use futures::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::begin::{Made, asks};
use super::control::Control;
use super::guard::Birth;
use super::ledger::{Begun, Kind, Origin};
use super::state::{LiveChild, TurnState, lock};
use super::{ChildResult, ChildStatus, Delivery, SubTurn, SubTurnEvent};
use crate::model::Usage;
use crate::react::{AgentFailed, AgentOutcome, Task};

/// The name of the input with which the run of a child gets its [`Begun`]. A parent that is
/// continued finds the child in the store by it.
pub(crate) const INPUT: &str = "subturn";

/// An active child, as its caller sees it.
pub(super) struct UnderWay {
    /// The result of the child; `None` if it rests.
    pub(super) result: oneshot::Receiver<Option<ChildResult>>,
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
    /// Cancelled when the child is to rest after its current step.
    rest: CancellationToken,
    after: Option<Duration>,
    slot: Option<OwnedSemaphorePermit>,
    spent: Arc<Mutex<Usage>>,
    begun: CancellationToken,
    delivery: Delivery,
}

impl TurnState {
    /// The event that a child begins.
    pub(super) fn spawned(&self, id: &str, config: SubTurn) -> SubTurnEvent {
        SubTurnEvent::Spawned {
            parent: self.name.clone(),
            child: id.to_owned(),
            depth: self.depth + 1,
            config,
        }
    }

    /// Starts a child that is in the ledger, or continues it from where it rested.
    pub(super) fn start(
        self: &Arc<Self>,
        id: &str,
        begun: Begun,
        made: &Made,
        slot: Option<OwnedSemaphorePermit>,
        rested: Option<Snapshot>,
    ) -> UnderWay {
        let written = CancellationToken::new();
        let control = self.control.below();
        let rest = CancellationToken::new();
        let live =
            LiveChild { control: control.clone(), rest: rest.clone(), origin: called_by(&begun) };
        lock(&self.live).insert(id.to_owned(), live);
        if rested.is_some() {
            self.with(|ledger, _| ledger.go_on(id));
        }
        control.note(self.name_of(id), true);
        let spent = Arc::new(Mutex::new(Usage::default()));
        let child = Child {
            id: id.to_owned(),
            agent: made.agent.clone(),
            control: control.clone(),
            rest,
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
        let run = match rested {
            Some(rested) => run.snapshot(rested),
            None => run,
        };
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
        caller: oneshot::Sender<Option<ChildResult>>,
    ) {
        let since = Instant::now();
        let Child { id, agent, control, rest, after, slot, spent, begun, delivery } = child;
        let run = run_to_end(run.spawn(), &control, &rest);
        let ended = AssertUnwindSafe(run).catch_unwind().await;
        let (status, text, usage) = match ended.map(|ended| rested(ended, &rest)) {
            Ok(Ended::Rests(run)) => {
                let asks = asks(&run);
                if self.rests(&id, *run, *lock(&spent)) {
                    drop(slot);
                    self.gone(&id, &control, &begun);
                    // It may have been stopped meanwhile, by a caller that found it active.
                    if control.is_stopped() {
                        self.settle_resting(&id, ChildStatus::Stopped);
                    }
                    _ = caller.send(None);
                    return;
                }
                let why = || "it asks a person, and the turn of its parent is over".to_owned();
                match asks && !control.is_stopped() {
                    true => (ChildStatus::Failed { why: why() }, String::new(), None),
                    false => (ChildStatus::Stopped, String::new(), None),
                }
            }
            Ok(Ended::Ended(ended)) => read(ended, after),
            Err(panic) => {
                (ChildStatus::Panicked { message: message(&*panic) }, String::new(), None)
            }
        };
        let usage = usage.unwrap_or_else(|| *lock(&spent));
        let result = ChildResult { id, agent, status, text, usage, duration: since.elapsed() };
        if let ChildStatus::Panicked { message } = &result.status {
            tracing::error!(
                parent = %self.name, child = %result.id, why = message, "a child agent panicked"
            );
        }
        // Released before the result is delivered: a parent that waits for a slot must not wait for
        // children that wait for room in its inbox.
        drop(slot);
        self.settle(&result, delivery).await;
        self.gone(&result.id, &control, &begun);
        // The caller may have been dropped.
        _ = caller.send(Some(result));
    }

    /// Records that a child is not active any more.
    fn gone(&self, id: &str, control: &Control, begun: &CancellationToken) {
        lock(&self.live).remove(id);
        begun.cancel();
        control.note(self.name_of(id), false);
        self.arrived.notify_waiters();
    }
}

/// The end of the run of a child.
enum Ended {
    /// The run is continued later.
    Rests(Box<Snapshot>),
    Ended(Result<Outcome, RunError>),
}

/// The execution that waits for a child, if one does.
fn called_by(begun: &Begun) -> Option<Origin> {
    (begun.kind == Kind::Called).then(|| begun.origin.of_execution())
}

/// Whether a run that has ended is continued later.
fn rested(ended: Result<Outcome, RunError>, rest: &CancellationToken) -> Ended {
    match ended {
        Ok(outcome) if outcome.is_paused() || (outcome.stopped() && rest.is_cancelled()) => {
            match outcome.snapshot() {
                Ok(run) => Ended::Rests(Box::new(run)),
                Err(error) => Ended::Ended(Err(error.into())),
            }
        }
        ended => Ended::Ended(ended),
    }
}

/// Waits for the end of a run. Cancels the run when the child is stopped, and stops it after its
/// current step when the child is to rest.
async fn run_to_end(
    mut run: RunHandle,
    control: &Control,
    rest: &CancellationToken,
) -> Result<Outcome, RunError> {
    let ends = async {
        if let Some(ended) = rest.run_until_cancelled(&mut run).await {
            return ended;
        }
        run.stop();
        (&mut run).await
    };
    if let Some(ended) = control.cancelled().run_until_cancelled(ends).await {
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
