//! What a journal holds, and the rules by which it grows.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{RunId, StoreError};

/// One piece of a run's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The step after which this is so. The result of a worker carries the last step that has
    /// settled, not the one that the worker is part of.
    pub step: u64,
    /// What it is.
    pub kind: EntryKind,
    /// What it says; opaque to the store.
    pub body: Vec<u8>,
}

/// What an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A whole state.
    Full,
    /// What differs from the state before it.
    Change,
    /// What one worker of the next step gave; it counts until that step has settled.
    Result {
        /// The worker's kickoff within the step.
        kickoff: u64,
    },
}

/// A run as it was after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The step.
    pub step: u64,
    /// The last whole state at or before it.
    pub full: Vec<u8>,
    /// What has changed from there, one change after the other.
    pub changes: Vec<Vec<u8>>,
    /// What workers of the next step have given already, by kickoff.
    pub results: BTreeMap<u64, Vec<u8>>,
}

/// A step that can be gone back to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepRecord {
    /// The step.
    pub step: u64,
    /// When its state was written.
    pub written: SystemTime,
    /// The size of its entry.
    pub n_bytes: u64,
}

impl Checkpoint {
    /// The run as it was after `step`, which is all in the state `full`: what has changed since, and
    /// results, are put into the fields.
    pub fn new(step: u64, full: impl Into<Vec<u8>>) -> Self {
        Self { step, full: full.into(), changes: Vec::new(), results: BTreeMap::new() }
    }
}

impl StepRecord {
    /// A step whose state of so many bytes was written at that time.
    pub fn new(step: u64, written: SystemTime, n_bytes: u64) -> Self {
        Self { step, written, n_bytes }
    }
}

impl Entry {
    /// What is put for `step`.
    pub fn new(step: u64, kind: EntryKind, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind, body: body.into() }
    }

    /// The whole state after `step`.
    pub fn full(step: u64, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind: EntryKind::Full, body: body.into() }
    }

    /// What `step` changed.
    pub fn change(step: u64, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind: EntryKind::Change, body: body.into() }
    }

    /// What a kickoff of the step after `step` gave.
    pub fn result(step: u64, kickoff: u64, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind: EntryKind::Result { kickoff }, body: body.into() }
    }
}

/// Where a journal ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    /// The last step that has a state.
    pub(super) step: Option<u64>,
    /// The last step that has a whole state.
    pub(super) full: Option<u64>,
}

/// What a store has to write so that a journal takes some entries.
pub(super) struct Append<'a> {
    /// Where the journal ends then.
    pub(super) end: End,
    /// The states, each of another step; one that is there already is replaced.
    pub(super) states: Vec<&'a Entry>,
    /// The results; if there are states, they replace all that there are.
    pub(super) results: BTreeMap<u64, &'a [u8]>,
}

impl End {
    /// Decides whether `entries` may follow.
    pub(super) fn append<'a>(
        mut self,
        run: &RunId,
        entries: &'a [Entry],
    ) -> Result<Append<'a>, StoreError> {
        let mut states = Vec::new();
        let mut results = BTreeMap::new();
        for entry in entries {
            let refuse = |rule| StoreError::OutOfOrder {
                run: run.clone(),
                entry: entry.to_string(),
                last: self.step,
                rule,
            };
            match entry.kind {
                EntryKind::Result { kickoff } => {
                    if self.step != Some(entry.step) {
                        return Err(refuse("a result belongs to the last step that has a state"));
                    }
                    results.insert(kickoff, entry.body.as_slice());
                    continue;
                }
                EntryKind::Change if self.full.is_none() => {
                    return Err(refuse("a journal begins with a whole state"));
                }
                EntryKind::Change if self.full == Some(entry.step) => {
                    return Err(refuse("a change does not replace a whole state"));
                }
                EntryKind::Change | EntryKind::Full => {}
            }
            let replaces = states.is_empty() && self.step == Some(entry.step);
            if !replaces && self.step.is_some_and(|last| entry.step <= last) {
                return Err(refuse("steps go up; only the last one can be replaced"));
            }
            self.step = Some(entry.step);
            if entry.kind == EntryKind::Full {
                self.full = Some(entry.step);
            }
            states.push(entry);
            results.clear();
        }
        Ok(Append { end: self, states, results })
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { step, kind, .. } = self;
        match kind {
            EntryKind::Full => write!(f, "the whole state after step {step}"),
            EntryKind::Change => write!(f, "the change made by step {step}"),
            EntryKind::Result { kickoff } => {
                write!(f, "the result of kickoff {kickoff} after step {step}")
            }
        }
    }
}
