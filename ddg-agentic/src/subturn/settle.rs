//! What becomes of the result of a child: its delivery, and the events about it.

use super::ledger::{Cause, Settled};
use super::state::TurnState;
use super::{ChildResult, Delivery, OrphanReason, SubTurnEvent};

impl TurnState {
    /// Delivers the result of a child, and sends the events.
    pub(super) async fn settle(&self, result: &ChildResult, delivery: Delivery) {
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
        self.show(settled, result, delivery);
    }

    /// Shows a result to the user, if it is for the user.
    pub(super) fn show(&self, settled: Settled, result: &ChildResult, delivery: Delivery) {
        let is_users = match settled {
            Settled::ForUser => true,
            Settled::Delivered => delivery == Delivery::Both,
            Settled::Orphaned(reason) => {
                delivery == Delivery::Both && reason != OrphanReason::Stopped
            }
            Settled::Returned | Settled::Already | Settled::NoRoom => false,
        };
        if is_users {
            self.settings.show_user(result);
        }
    }

    /// The event that a child has ended.
    pub(super) fn ended(&self, result: &ChildResult) -> SubTurnEvent {
        SubTurnEvent::Ended {
            parent: self.name.clone(),
            child: result.id.clone(),
            status: result.status.clone(),
            result: result.text(),
            usage: result.usage,
            duration: result.duration,
        }
    }

    /// Decides what becomes of the result, and sends the events.
    pub(super) fn try_settle(&self, result: &ChildResult) -> Settled {
        let is_cancelled = self.control.cancelled().is_cancelled();
        let cause = if is_cancelled { Cause::TurnStopped } else { Cause::Own };
        let is_suspended = is_cancelled && !self.control.is_stopped();
        let room = self.room_for_results();
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
            events.push_back(self.ended(result));
            settled
        });
        if settled == Settled::Orphaned(OrphanReason::QueueFull) {
            tracing::warn!(parent = %self.name, child = %result.id, "the inbox is full: a result is lost");
        }
        settled
    }
}
