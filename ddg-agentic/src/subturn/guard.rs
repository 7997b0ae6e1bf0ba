//! The guard of a turn, with which the turn begins and ends, and what the turn of a child is given.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ddg_core::run::ActiveRun;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::budget::{Budget, Meter};
use super::control::Control;
use super::state::{LedgerSpace, TurnAgent, TurnState};
use super::{ChildStatus, SubTurn, SubTurnEvent, TurnStatus};
use crate::model::{ChatModel, Usage};

/// Guard of a turn, attached to the run of its agent: ends the turn when the run ends.
pub(crate) struct TurnGuard(Arc<TurnState>);

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

impl TurnGuard {
    /// Creates the turn of a run of `agent`. The ledger is saved in the local space of `worker`.
    pub(crate) fn new(agent: TurnAgent, run: &ActiveRun, worker: &str) -> Self {
        let birth = run.attached::<Birth>().filter(|birth| birth.is_of(run));
        let around = run.attached_around::<Self>().map(|guard| Arc::clone(&guard.0));
        let given = || run.attached::<Control>().filter(|_| run.path().is_none());
        let control = match (&birth, &around) {
            (Some(birth), _) => birth.control.of_run(),
            // Who interrupts the turn means the agent that has the conversation.
            (None, Some(around)) if agent.is_member => around.control.of_run(),
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
            resting: AtomicBool::new(false),
            is_new: AtomicBool::new(false),
            begins_again: AtomicBool::new(false),
            counted_again: AtomicBool::new(false),
            tools: OnceLock::new(),
            n_turns: AtomicU32::new(0),
            since: Instant::now(),
            lap: Mutex::new(Instant::now()),
            meter: Meter::below(around.as_ref().map(|around| &around.meter)),
        });
        let weak = Arc::downgrade(&turn);
        run.before_pause(move || async move {
            if let Some(turn) = weak.upgrade() {
                turn.rest().await;
            }
        });
        turn.send(SubTurnEvent::TurnStarted { turn: turn.name.clone(), depth: turn.depth });
        Self(turn)
    }

    pub(crate) fn turn(&self) -> &Arc<TurnState> {
        &self.0
    }
}

/// The name of the outermost turn.
pub(super) const ROOT: &str = "root";

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
        if turn.control.is_stopped() {
            turn.settle_all_resting(&ChildStatus::Stopped);
        }
        turn.send(SubTurnEvent::TurnEnded {
            turn: turn.name.clone(),
            status: match (is_over, turn.is_resting()) {
                (true, _) => TurnStatus::Finished,
                (false, true) => TurnStatus::Paused,
                (false, false) => TurnStatus::Aborted,
            },
            turns: turn.n_turns.load(Ordering::Relaxed),
            duration: turn.since.elapsed(),
        });
        turn.arrived.notify_waiters();
        turn.room.notify_waiters();
    }
}
