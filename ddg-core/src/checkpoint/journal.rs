//! Entries of a journal, and the rules by which it grows.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{RunId, StoreError};

/// An entry of a run's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the state: the step that it follows, if each step has one state. The result of
    /// a worker has the number of the last state.
    pub step: u64,
    /// The kind of the entry.
    pub kind: EntryKind,
    /// The content, which is opaque to the store.
    pub body: Vec<u8>,
}

/// The kind of an [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A whole state.
    Full,
    /// The difference from the state before it.
    Change,
    /// The result of one worker of the next step. It counts until that step has settled.
    Result {
        /// The worker's kickoff within the step.
        kickoff: u64,
    },
}

/// What is needed to restore a run after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The step.
    pub step: u64,
    /// The last whole state at or before the step.
    pub full: Vec<u8>,
    /// The changes since then, in order.
    pub changes: Vec<Vec<u8>>,
    /// The results of workers of the next step, by kickoff.
    pub results: BTreeMap<u64, Vec<u8>>,
}

/// A state of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepRecord {
    /// The number of the state: the step, unless states were written inside steps, too.
    pub step: u64,
    /// When the state was written.
    pub written: SystemTime,
    /// The size of its entry in bytes.
    pub n_bytes: u64,
}

impl Checkpoint {
    /// A checkpoint of `step` that consists of the whole state `full`. Set the fields to add
    /// changes and results.
    pub fn new(step: u64, full: impl Into<Vec<u8>>) -> Self {
        Self { step, full: full.into(), changes: Vec::new(), results: BTreeMap::new() }
    }
}

impl StepRecord {
    /// A step whose state of `n_bytes` bytes was written at `written`.
    pub fn new(step: u64, written: SystemTime, n_bytes: u64) -> Self {
        Self { step, written, n_bytes }
    }
}

impl Entry {
    /// An entry for `step`.
    pub fn new(step: u64, kind: EntryKind, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind, body: body.into() }
    }

    /// An entry with the whole state after `step`.
    pub fn full(step: u64, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind: EntryKind::Full, body: body.into() }
    }

    /// An entry with the changes made by `step`.
    pub fn change(step: u64, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind: EntryKind::Change, body: body.into() }
    }

    /// An entry with the result of a kickoff of the step after `step`.
    pub fn result(step: u64, kickoff: u64, body: impl Into<Vec<u8>>) -> Self {
        Self { step, kind: EntryKind::Result { kickoff }, body: body.into() }
    }
}

/// The end of a journal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    /// The last step that has a state.
    pub(super) step: Option<u64>,
    /// The last step that has a whole state.
    pub(super) full: Option<u64>,
}

/// The writes that append some entries to a journal.
pub(super) struct Append<'a> {
    /// The end of the journal after the writes.
    pub(super) end: End,
    /// The states, each of another step. An existing state of the same step is replaced.
    pub(super) states: Vec<&'a Entry>,
    /// The results. If there are states, these replace all existing results.
    pub(super) results: BTreeMap<u64, &'a [u8]>,
}

impl End {
    /// Checks that `entries` may follow, and gives the writes.
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
            // Within one call each step occurs once: one statement cannot insert a row and update
            // it again.
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
