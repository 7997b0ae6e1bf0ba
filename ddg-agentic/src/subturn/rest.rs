//! Children that rest: they ask a person, or the run of their parent pauses. A child that rests has
//! no task; its run is in the ledger, and continues from there when the run of the parent is
//! resumed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ddg_core::Context;
use ddg_core::snapshot::Snapshot;

use super::begin::{answered, asks};
use super::ledger::{Kind, Origin, Room, Settled};
use super::state::{TurnState, lock};
use super::{ChildResult, ChildStatus, SubTurnError, SubTurnEvent};
use crate::model::Usage;

impl TurnState {
    /// Whether the run is about to pause.
    pub(super) fn is_resting(&self) -> bool {
        self.resting.load(Ordering::SeqCst)
    }

    /// Makes all children rest, each after its current step, and waits for that.
    pub(super) async fn rest(&self) {
        self.resting.store(true, Ordering::SeqCst);
        // A child that waits for room in the inbox delivers its result now.
        self.room.notify_waiters();
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let n_active = {
                let live = lock(&self.live);
                live.values().for_each(|child| child.rest.cancel());
                live.len()
            };
            if n_active == 0 {
                return;
            }
            arrived.await;
        }
    }

    /// The capacity of the inbox. It is not limited while the run is about to pause: a child that
    /// waited for room would hold up the pause.
    pub(super) fn room_for_results(&self) -> Room {
        match self.is_resting() {
            true => Room { most: None, waits: false },
            false => self.settings.room(),
        }
    }

    /// Records that a child rests. Returns whether it does: when the turn is over or stopped,
    /// nobody continues the child.
    pub(super) fn rests(&self, id: &str, run: Snapshot, usage: Usage) -> bool {
        let questions: Vec<_> = run.questions().into_iter().map(|question| question.id).collect();
        !self.control.is_stopped()
            && self.with(|ledger, events| {
                let rests = ledger.rest(id, run, usage);
                if rests {
                    let (parent, child) = (self.name.clone(), id.to_owned());
                    events.push_back(SubTurnEvent::Paused { parent, child, questions });
                }
                rests
            })
    }

    /// Whether the turn waits for answers to the questions of its children. If it is about to end,
    /// it does not.
    pub(crate) fn waits_for_people(&self) -> bool {
        !self.is_interrupted() && !self.is_to_finish()
    }

    /// Whether a spawned child asks a person.
    pub(crate) fn asks(&self) -> bool {
        self.with(|ledger, _| ledger.asks())
    }

    /// Whether a spawned child is active.
    pub(super) fn has_active_spawned(&self) -> bool {
        lock(&self.live).values().any(|child| child.origin.is_none())
    }

    /// Continues the spawned children whose questions were answered, if the execution of `cx` was
    /// interrupted because of them.
    pub(super) fn go_on_answered(self: &Arc<Self>, cx: &Context) {
        for (id, begun, run, _) in self.with(|ledger, _| ledger.resting()) {
            if begun.kind == Kind::Spawned
                && let Some(run) = answered(&id, &run, cx)
            {
                self.go_on(&id, begun, Some(run));
            }
        }
    }

    /// Makes the execution of `cx` ask the questions of spawned children that ask a person. Returns
    /// the error to end it with, if there are any.
    pub(crate) fn pass_on(&self, cx: &Context) -> Option<SubTurnError> {
        self.pass_on_those(cx, |kind, _| kind == Kind::Spawned)
    }

    /// As [`pass_on`](Self::pass_on), after continuing those that were answered.
    pub(crate) fn go_on_or_pass_on(self: &Arc<Self>, cx: &Context) -> Result<(), SubTurnError> {
        self.go_on_answered(cx);
        self.pass_on(cx).map_or(Ok(()), Err)
    }

    /// Makes the execution of `cx` ask the questions of the children that it has called. Waits
    /// until each of them has ended or asks.
    pub(super) async fn pass_on_called(&self, execution: &Origin, cx: &Context) -> SubTurnError {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let is_called = |by: &Option<Origin>| by.as_ref() == Some(execution);
            if !lock(&self.live).values().any(|child| is_called(&child.origin)) {
                break;
            }
            if self.control.cancelled().run_until_cancelled(arrived).await.is_none() {
                return SubTurnError::Cancelled;
            }
        }
        let called = |kind, by: &Origin| kind == Kind::Called && by.of_execution() == *execution;
        self.pass_on_those(cx, called).unwrap_or(SubTurnError::OutsideTurn)
    }

    fn pass_on_those(
        &self,
        cx: &Context,
        which: impl Fn(Kind, &Origin) -> bool,
    ) -> Option<SubTurnError> {
        let mut first = None;
        for (id, begun, run, _) in self.with(|ledger, _| ledger.resting()) {
            if asks(&run) && which(begun.kind, &begun.origin) {
                _ = cx.wait_inside(id.clone(), run);
                first.get_or_insert(id);
            }
        }
        first.map(|id| SubTurnError::Waiting { id })
    }

    /// Ends a child that rests, if it does.
    pub(super) fn settle_resting(self: &Arc<Self>, id: &str, status: ChildStatus) {
        let resting = self.with(|ledger, _| ledger.resting());
        let Some((id, begun, _, usage)) = resting.into_iter().find(|(resting, ..)| resting == id)
        else {
            return;
        };
        let delivery = begun.config.goes_to();
        let (agent, text, duration) = (begun.agent, String::new(), Duration::ZERO);
        let result = ChildResult { id, agent, status, text, usage, duration };
        match self.try_settle(&result) {
            Settled::NoRoom => {
                let parent = Arc::clone(self);
                self.control.tasks().spawn(async move {
                    parent.settle(&result, delivery).await;
                    parent.arrived.notify_waiters();
                });
            }
            settled => {
                self.show(settled, &result, delivery);
                self.arrived.notify_waiters();
            }
        }
    }

    /// Ends all children that rest.
    pub(super) fn settle_all_resting(self: &Arc<Self>, status: &ChildStatus) {
        for (id, ..) in self.with(|ledger, _| ledger.resting()) {
            self.settle_resting(&id, status.clone());
        }
    }
}
