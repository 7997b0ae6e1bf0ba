//! The local spaces of one run, by worker.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{KeptSpaces, LocalValues};
use crate::graph::{Payload, View, WorkerId};
use crate::values::Value;

/// The local spaces of one run.
#[derive(Default)]
pub(crate) struct Locals {
    spaces: FxHashMap<WorkerId, LocalValues>,
    /// The local spaces that nested automata keep from one kickoff to the next.
    kept: FxHashMap<WorkerId, KeptSpaces>,
}

impl Locals {
    /// The local space of a worker.
    pub(crate) fn of(&mut self, worker: WorkerId) -> LocalValues {
        self.spaces.entry(worker).or_default().clone()
    }

    pub(crate) fn get(&self, worker: WorkerId) -> Option<&LocalValues> {
        self.spaces.get(&worker)
    }

    /// The workers that have a local space.
    pub(crate) fn workers(&self) -> impl Iterator<Item = WorkerId> {
        self.spaces.keys().copied()
    }

    /// Whether somebody holds the local space of a worker, and may change it.
    pub(crate) fn is_open(&self, worker: WorkerId) -> bool {
        self.spaces.get(&worker).is_some_and(LocalValues::is_shared)
    }

    /// Sets the local space of a worker.
    pub(crate) fn insert(&mut self, worker: WorkerId, values: BTreeMap<String, Value>) {
        self.spaces.insert(worker, LocalValues::of(values));
    }

    /// The local spaces that the nested automa `worker` has kept in this run.
    pub(crate) fn kept_of(&self, worker: WorkerId) -> Option<KeptSpaces> {
        self.kept.get(&worker).cloned()
    }

    /// Whether a nested automa has kept local spaces in this run.
    pub(crate) fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The local spaces that nested automata have kept in this run, by worker.
    pub(crate) fn kept_by_nested(&self) -> impl Iterator<Item = (WorkerId, &KeptSpaces)> {
        self.kept.iter().map(|(worker, kept)| (*worker, kept))
    }

    /// Keeps the local spaces that the nested automa `worker` has left.
    pub(crate) fn keep(&mut self, worker: WorkerId, kept: KeptSpaces) {
        if !kept.is_empty() {
            self.kept.insert(worker, kept);
        }
    }

    pub(crate) fn forget(&mut self, gone: &[WorkerId]) {
        for worker in gone {
            self.spaces.remove(worker);
            self.kept.remove(worker);
        }
    }

    /// Starts with `kept`, without the local spaces of workers that no longer exist.
    pub(crate) fn begin_with(&mut self, kept: KeptSpaces, view: &View<impl Payload>) {
        for (key, values) in kept.own.into_iter().flatten() {
            if let Some(worker) = view.find(key.as_str()) {
                self.insert(worker, values);
            }
        }
        for (key, kept) in kept.nested {
            if let Some(worker) = view.find(key.as_str()) {
                self.kept.insert(worker, kept);
            }
        }
    }

    /// The local spaces to keep at the end of the run. Its own are included if the automa keeps
    /// them.
    pub(crate) fn kept(&self, keeps_own: bool, view: &View<impl Payload>) -> KeptSpaces {
        let key = |worker| view.get(worker).map(|node| node.key().clone());
        let own = || self.spaces.iter().filter_map(|(id, space)| Some((key(*id)?, space.values())));
        let nested = self.kept.iter().filter_map(|(id, kept)| Some((key(*id)?, kept.clone())));
        KeptSpaces { own: keeps_own.then(|| own().collect()), nested: nested.collect() }
    }
}
