//! The last state of a run, which decides what is written next.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::inside::Inside;
use crate::checkpoint::{Checkpoint, Entry};
use crate::key::Key;
use crate::machine::KickoffId;
use crate::saved::{
    Differ, KickoffPath, Progress, Saved, SavedResult, Snapshot, SnapshotDelta, SnapshotError,
};
use crate::values::Value;

/// A full state is written once the deltas since the last one exceed both this many bytes and twice
/// the size of that state. This bounds the time of a replay, and the journal to a multiple of its
/// states.
const MANY_BYTES: usize = 64 << 10;

/// The last state, and how it differs from the last written one.
pub(super) struct Last {
    state: Saved,
    /// What of the state is written of nested automata.
    inside: Inside,
    /// How the rest of the state differs from what is written.
    differ: Differ,
    /// The number of the last written state; `None` if a whole state has to be written first.
    written: Option<u64>,
    /// Whether a write has begun. If it does not end, it is unknown what the store has, and the
    /// next write is a whole state.
    is_writing: bool,
    /// Whether the next state is one of its own although the run has taken no step.
    is_extra: bool,
    /// Size of the last full state in bytes.
    whole: usize,
    /// Size of the deltas since then in bytes.
    changes: usize,
}

impl Last {
    /// Begins a journal with `state`.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(super) fn new(state: Saved) -> Result<Self, SnapshotError> {
        state.check_json()?;
        Ok(Self::unwritten(state))
    }

    fn unwritten(state: Saved) -> Self {
        Self {
            state,
            inside: Inside::default(),
            differ: Differ::default(),
            written: None,
            is_writing: false,
            is_extra: false,
            whole: 0,
            changes: 0,
        }
    }

    /// Continues a journal that replays to `state`, and then to `results`.
    pub(super) fn of(
        checkpoint: &Checkpoint,
        state: Saved,
        results: Vec<(KickoffId, SavedResult)>,
    ) -> Self {
        let mut last = Self::unwritten(state);
        last.written = Some(last.state.number());
        last.whole = checkpoint.full.len();
        last.changes = checkpoint.changes.iter().map(Vec::len).sum();
        last.inside.all_written(&last.state);
        for (id, result) in results {
            let path = KickoffPath::default().to(id);
            last.inside.keep(&mut last.state, &path, |_| false);
            last.inside.put_result(&mut last.state, path, result);
        }
        last
    }

    /// The number of the last written state.
    pub(super) fn number(&self) -> u64 {
        self.written.unwrap_or_else(|| self.state.number())
    }

    /// The state.
    pub(super) fn state(&self) -> &Saved {
        &self.state
    }

    /// Whether there is something to write.
    pub(super) fn has_changed(&self) -> bool {
        self.is_in_doubt() || self.is_extra || !self.differ.is_empty()
    }

    /// Whether it is unknown what the store has.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.written.is_none() || self.is_writing
    }

    /// Writes the same state again as a whole, without what its kickoffs have reached since.
    pub(super) fn again(&mut self) {
        self.state.progress_mut().clear();
        self.inside = Inside::default();
        self.written = None;
    }

    /// Takes the state that the run has reached. Only values that have changed are serialised. If
    /// `is_extra`, the state does not replace an earlier one of the same step.
    ///
    /// # Errors
    /// If a value has no JSON form. The state before it then stays the last one.
    pub(super) fn settle(&mut self, mut state: Saved, is_extra: bool) -> Result<(), SnapshotError> {
        state.set_number(state.step() + self.state.number() - self.state.step());
        match self.written {
            None => state.check_json()?,
            Some(_) => state.steps_since(&self.state, &mut self.differ)?,
        }
        // What follows a question has the same step. It does not replace the state that asked.
        self.is_extra |= !self.state.interrupted().is_empty() && !self.differ.is_empty();
        let top = KickoffPath::default();
        let progress = std::mem::take(state.progress_mut());
        let old = std::mem::take(self.state.progress_mut());
        let goes_on = |path: &KickoffPath| {
            let is_running = |id| state.is_running(id);
            path.kickoff_in(&top).is_some_and(is_running) || progress.contains_key(path)
        };
        let goes_on: BTreeSet<_> = old.keys().filter(|path| goes_on(path)).cloned().collect();
        *state.progress_mut() = old;
        self.state.follow(state);
        self.inside.keep(&mut self.state, &top, |path| goes_on.contains(path));
        for (path, progress) in progress {
            self.inside.put_missing(&mut self.state, path, progress)?;
        }
        self.is_extra |= is_extra;
        Ok(())
    }

    /// Takes the state with which the nested automa at `path` begins, or begins again. It is
    /// written when something inside it settles.
    pub(super) fn begin_inside(&mut self, path: &KickoffPath, worker: &Key, state: Option<Saved>) {
        self.inside.begin(&mut self.state, path, worker, state);
    }

    /// Whether there is a state of the run at `path` that a partial one can follow.
    pub(super) fn has_state(&self, path: &KickoffPath) -> bool {
        path.is_empty() || matches!(self.state.progress().get(path), Some(Progress::Inner { .. }))
    }

    /// Whether there is a state of the nested automa at `path`.
    pub(super) fn has_inside(&self, path: &KickoffPath) -> bool {
        self.state.progress().contains_key(path)
    }

    /// The state of the run at `path`, if there is one.
    pub(super) fn state_at(&self, path: &KickoffPath) -> Option<&Saved> {
        match path.is_empty() {
            true => Some(&self.state),
            false => self.inside.state_at(&self.state, path),
        }
    }

    /// Takes the state that the nested automa `worker` at `path` has reached.
    ///
    /// # Errors
    /// If it cannot be written. The state before it then stays the last one.
    pub(super) fn settle_inside(
        &mut self,
        path: &KickoffPath,
        worker: &Key,
        state: Saved,
    ) -> Result<(), SnapshotError> {
        self.inside.settle(&mut self.state, path, worker, state)?;
        self.is_extra = true;
        Ok(())
    }

    /// Takes the results of kickoffs of the automa at `path`. Those of the run itself are written
    /// with the next state, if they still matter then.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(super) fn ended(
        &mut self,
        path: &KickoffPath,
        results: Vec<(KickoffId, SavedResult)>,
    ) -> Result<(), SnapshotError> {
        for (id, result) in results {
            self.inside.ended(&mut self.state, path, id, result)?;
        }
        self.is_extra |= !path.is_empty();
        Ok(())
    }

    /// Drops the results of kickoffs of the automa at `path`.
    pub(super) fn forget_results(&mut self, path: &KickoffPath) {
        self.is_extra |= self.inside.keep(&mut self.state, path, |_| false);
    }

    /// Returns the entry to write, if any. Until [`is_written`](Self::is_written) is called, it is
    /// unknown what the store has.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(super) fn entry(&mut self) -> Result<Option<Entry>, SnapshotError> {
        if !self.has_changed() {
            return Ok(None);
        }
        let is_extra = std::mem::take(&mut self.is_extra);
        if let Some(written) = self.written
            && is_extra
            && self.state.number() <= written
        {
            self.state.set_number(written + 1);
            let extra = Json::from(written + 1 - self.state.step());
            self.differ.within("extra", |differ| differ.to(extra));
        }
        let number = self.state.number();
        // A delta must follow an earlier state. The same one is written as a whole.
        let after = self.written.filter(|written| {
            number > *written && !self.is_writing && self.changes <= MANY_BYTES.max(2 * self.whole)
        });
        self.is_writing = true;
        let mut differ = std::mem::take(&mut self.differ);
        if let Some(after) = after {
            self.inside.write(&self.state, &mut differ)?;
            let change = serde_json::to_vec(&SnapshotDelta::new(after, number, differ.end()))?;
            self.changes += change.len();
            return Ok(Some(Entry::change(number, change)));
        }
        let whole = Snapshot::json_of(&self.state)?;
        self.inside.all_written(&self.state);
        (self.whole, self.changes) = (whole.len(), 0);
        Ok(Some(Entry::full(number, whole)))
    }

    /// Records that the last entry, of the state with this number, has been written.
    pub(super) fn is_written(&mut self, number: u64) {
        self.written = Some(number);
        self.is_writing = false;
    }

    /// Whether the local space of `worker`, of the automa at `path`, has the same values.
    pub(super) fn has_local(
        &self,
        path: &KickoffPath,
        worker: &Key,
        values: &BTreeMap<String, Value>,
    ) -> bool {
        self.state_at(path).is_some_and(|state| state.has_local(worker, values))
    }
}

/// Replays a journal.
///
/// # Errors
/// If another program has written the journal, or it was changed.
pub(crate) fn replay(checkpoint: &Checkpoint) -> Result<Snapshot, SnapshotError> {
    let whole: Snapshot = serde_json::from_slice(&checkpoint.full)?;
    let changes = checkpoint.changes.iter().map(|change| serde_json::from_slice(change));
    whole.with_changes(changes.collect::<Result<Vec<SnapshotDelta>, _>>()?)
}
