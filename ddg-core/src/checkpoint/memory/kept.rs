//! A run in memory.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::checkpoint::journal::End;
use crate::checkpoint::lease::Hold;
use crate::checkpoint::{
    Checkpoint, Entry, EntryKind, ForkedFrom, Rest, RunId, RunRecord, SignalRecord, StoreError,
};
use crate::clock::from_ms;

/// A run of a store.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) automa: String,
    pub(super) origin: Option<ForkedFrom>,
    pub(super) inner: bool,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) hold: Hold,
    pub(super) end: End,
    pub(super) states: BTreeMap<u64, State>,
    pub(super) results: BTreeMap<u64, Vec<u8>>,
    /// Its status, and what it waits for.
    pub(super) rest: Rest,
    /// All signals that were sent to it.
    pub(super) signals: Vec<SignalRecord>,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) entry: Entry,
    pub(super) written_ms: i64,
}

impl Kept {
    /// The states that lead to `step`: the last whole one and the changes since then.
    fn up_to(&self, run: &RunId, step: u64) -> Result<Vec<&State>, StoreError> {
        if !self.states.contains_key(&step) {
            return Err(StoreError::UnknownStep { run: run.clone(), step, last: self.end.step });
        }
        let mut states = Vec::new();
        for state in self.states.range(..=step).rev().map(|(_, state)| state) {
            states.push(state);
            if state.entry.kind == EntryKind::Full {
                break;
            }
        }
        states.reverse();
        Ok(states)
    }

    fn results_at(&self, step: u64) -> BTreeMap<u64, Vec<u8>> {
        if self.end.step == Some(step) { self.results.clone() } else { BTreeMap::new() }
    }

    pub(super) fn checkpoint(&self, run: &RunId, step: u64) -> Result<Checkpoint, StoreError> {
        let mut bodies = self.up_to(run, step)?.into_iter().map(|state| state.entry.body.clone());
        let full = bodies.next().unwrap_or_default();
        Ok(Checkpoint { step, full, changes: bodies.collect(), results: self.results_at(step) })
    }

    pub(super) fn record(&self, run: &RunId, now_ms: i64) -> RunRecord {
        RunRecord {
            run: run.clone(),
            automa: self.automa.clone(),
            origin: self.origin.clone(),
            status: self.rest.status,
            created: from_ms(self.created_ms),
            updated: from_ms(self.updated_ms),
            step: self.end.step,
            holder: self.hold.holder(now_ms),
            wake_at: self.rest.wake_at,
            awaits: self.rest.awaits.clone(),
            inner: self.inner,
            n_signals: self.signals.len() as u64,
            attempts: self.hold.attempts,
            reason: self.rest.reason.clone(),
        }
    }

    /// Wakes the run if a signal has arrived that it waits for.
    pub(super) fn wake_for_signals(&mut self, now: SystemTime) {
        let Rest { awaits, seen, wake_at, .. } = &mut self.rest;
        let new = self.signals.iter().filter(|signal| signal.number > *seen);
        if new.into_iter().any(|signal| awaits.contains(&signal.name)) {
            *wake_at = Some(wake_at.map_or(now, |at| at.min(now)));
        }
    }

    /// A fork of this run after `step`.
    pub(super) fn forked(&self, run: &RunId, step: u64, now_ms: i64) -> Result<Self, StoreError> {
        let states = self.up_to(run, step)?;
        let full = states.first().map(|state| state.entry.step);
        Ok(Self {
            automa: self.automa.clone(),
            origin: Some(ForkedFrom { run: run.clone(), step }),
            inner: false,
            created_ms: now_ms,
            updated_ms: now_ms,
            hold: Hold::new(),
            rest: Rest::paused(),
            signals: self.signals.clone(),
            end: End { step: Some(step), full },
            results: self.results_at(step),
            states: states.into_iter().map(|state| (state.entry.step, state.clone())).collect(),
        })
    }
}
