//! The children of a resumed run: those that had not ended continue, and lost ones are found.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::snapshot::Snapshot;

use super::begin::asks;
use super::child::INPUT;
use super::ledger::{Begun, Kind, Ledger};
use super::state::{TurnState, lock};
use super::{ChildResult, ChildStatus};
use crate::model::Usage;

impl TurnState {
    /// Begins unfinished children of a continued run again, and adds the children to the ledger
    /// that began after it was last saved.
    pub(crate) async fn recover(self: &Arc<Self>) {
        let recover = async {
            if self.is_new() {
                return;
            }
            self.adopt_stored().await;
            for (id, begun) in self.with(|ledger, _| ledger.running()) {
                let rests = self.with(|ledger, _| ledger.unfinished(&id)).and_then(|(_, run)| run);
                let is_active = lock(&self.live).contains_key(&id);
                // A child that asks a person continues with the answers.
                if begun.kind == Kind::Spawned && !is_active && !rests.as_ref().is_some_and(asks) {
                    self.go_on(&id, begun, rests);
                }
            }
        };
        self.recovered.get_or_init(|| recover).await;
    }

    /// Continues called children whose callers have ended without running again. Such a child has
    /// ended in the store, so this reads its result. If it rests, its caller has continued without
    /// it.
    pub(crate) fn settle_called(self: &Arc<Self>) {
        for (id, begun, ..) in self.with(|ledger, _| ledger.resting()) {
            if begun.kind == Kind::Called {
                self.settle_resting(&id, ChildStatus::Stopped);
            }
        }
        if self.is_new() {
            return;
        }
        for (id, begun) in self.with(|ledger, _| ledger.running()) {
            if begun.kind == Kind::Called && !lock(&self.live).contains_key(&id) {
                self.go_on(&id, begun, None);
            }
        }
    }

    /// Continues a child, from where it rested if it did.
    pub(super) fn go_on(self: &Arc<Self>, id: &str, begun: Begun, rested: Option<Snapshot>) {
        let config = begun.config.clone();
        match self.make(&config) {
            Ok(made) => {
                // There are no more children than the slots allowed before.
                let slots = self.slots.as_ref();
                let slot = slots.and_then(|slots| Arc::clone(slots).try_acquire_owned().ok());
                self.with(|_, events| events.push_back(self.spawned(id, config)));
                self.start(id, begun, &made, slot, rested);
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
        if !self.run.stores_inside() {
            return;
        }
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
                    let is_own = begun.within == self.run.kickoffs();
                    self.with(|ledger, _| match (is_own, self.begins_again()) {
                        (true, false) => ledger.adopt(number, begun),
                        (true, true) => ledger.adopt_unclaimed(number, begun),
                        (false, _) => ledger.keep_free(number),
                    });
                    n_missing = 0;
                }
                None => n_missing += 1,
            }
            number += 1;
        }
    }
}
