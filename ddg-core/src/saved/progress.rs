//! What the kickoffs of a step have reached since the last state of their run: the results of those
//! that have ended, and the states of nested automata that are running.
//!
//! Nested automata may contain others that are running. Their states are kept side by side, by the
//! kickoffs that lead to them, so that no depth of nesting makes the saved state deep, and a change
//! in one of them touches no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Saved, SavedResult};
use crate::key::Key;
use crate::machine::KickoffId;

/// The kickoffs that lead to a nested automa, outermost first. Empty for the run itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KickoffPath(Vec<u64>);

/// What a kickoff has reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Progress {
    /// The run of a nested automa, without what is nested in that.
    Inner { worker: Key, run: Box<Saved> },
    /// The result of a kickoff that has ended.
    Ended(Box<SavedResult>),
}

/// What all kickoffs have reached, at any depth of nesting.
pub(crate) type AllProgress = BTreeMap<KickoffPath, Progress>;

impl KickoffPath {
    /// The path to kickoff `id` of the automa that this path leads to.
    pub(crate) fn to(&self, id: KickoffId) -> Self {
        self.join(&Self(vec![id.0]))
    }

    /// This path, and then `rest`.
    pub(super) fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).copied().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path to the automa around this one, and the kickoff in it.
    pub(crate) fn split_last(&self) -> Option<(Self, KickoffId)> {
        let (last, around) = self.0.split_last()?;
        Some((Self(around.to_vec()), KickoffId(*last)))
    }

    /// The paths to the automata around this one, outermost first.
    pub(crate) fn around(&self) -> impl Iterator<Item = Self> {
        (1..self.0.len()).map(|len| Self(self.0[..len].to_vec()))
    }

    /// The rest of this path after `outer`, if it begins with `outer`.
    pub(super) fn after(&self, outer: &Self) -> Option<Self> {
        self.0.strip_prefix(outer.0.as_slice()).map(|rest| Self(rest.to_vec()))
    }

    /// The kickoff of the automa at `outer` that this path leads through.
    pub(crate) fn kickoff_in(&self, outer: &Self) -> Option<KickoffId> {
        self.0.strip_prefix(outer.0.as_slice())?.first().map(|id| KickoffId(*id))
    }
}

/// The entries at paths that begin with `outer`, without that of `outer` itself.
pub(crate) fn paths_inside<'a, T>(
    map: &'a BTreeMap<KickoffPath, T>,
    outer: &'a KickoffPath,
) -> impl Iterator<Item = &'a KickoffPath> {
    let inside = |path: &&KickoffPath| path.0.starts_with(&outer.0);
    map.range(outer..).map(|(path, _)| path).take_while(inside).filter(move |path| *path != outer)
}

impl Progress {
    /// The worker of the kickoff.
    pub(crate) fn worker(&self) -> &Key {
        match self {
            Self::Inner { worker, .. } => worker,
            Self::Ended(result) => result.worker(),
        }
    }

    pub(super) fn rename(&mut self, old: &Key, new: &Key) {
        match self {
            Self::Inner { worker, .. } if worker == old => *worker = new.clone(),
            Self::Inner { .. } => {}
            Self::Ended(result) => result.rename(old, new),
        }
    }
}

impl Saved {
    /// Adds to `run`, the state of the nested automa `id`, what is nested in it.
    pub(super) fn complete_inner(&mut self, id: KickoffId, run: &mut Self) {
        let path = KickoffPath::default().to(id);
        let inside: Vec<_> = paths_inside(&self.progress, &path).cloned().collect();
        for inner in inside {
            if let (Some(progress), Some(rest)) = (self.progress.remove(&inner), inner.after(&path))
            {
                run.progress.insert(rest, progress);
            }
        }
    }

    /// The states of the nested automa `worker`, each with what is nested in it.
    pub(super) fn inner_runs(&self, worker: &Key) -> Vec<(KickoffId, Self)> {
        let of_worker = |(path, progress): (&KickoffPath, &Progress)| match progress {
            Progress::Inner { worker: of, run } if of == worker && path.0.len() == 1 => {
                let (id, mut run) = (KickoffId(path.0[0]), (**run).clone());
                let mut rest = self.clone();
                rest.complete_inner(id, &mut run);
                Some((id, run))
            }
            _ => None,
        };
        self.progress.iter().filter_map(of_worker).collect()
    }

    /// Replaces the state of the nested automa `id`, together with what is nested in it.
    pub(super) fn replace_inner(&mut self, id: KickoffId, worker: Key, run: Self) {
        let path = KickoffPath::default().to(id);
        let inside: Vec<_> = paths_inside(&self.progress, &path).cloned().collect();
        inside.iter().for_each(|inner| _ = self.progress.remove(inner));
        self.put_inner(id, worker, run);
    }

    /// Adds the state of the nested automa `id`, together with what is nested in it.
    pub(super) fn put_inner(&mut self, id: KickoffId, worker: Key, mut run: Self) {
        let path = KickoffPath::default().to(id);
        for (rest, progress) in std::mem::take(&mut run.progress) {
            self.progress.insert(path.join(&rest), progress);
        }
        self.progress.insert(path, Progress::Inner { worker, run: Box::new(run) });
    }

    /// Drops what the kickoffs that begin next have reached, so that they run again, and what has
    /// lost its kickoff.
    pub(super) fn forget_next(&mut self) {
        let next = self.next_kickoff;
        let running = self.running.keys().copied();
        let interrupted = self.interrupted.iter().map(|interrupted| interrupted.kickoff);
        let begun: BTreeSet<_> = running.chain(interrupted).collect();
        self.progress
            .retain(|path, _| path.0.first().is_some_and(|id| *id < next && begun.contains(id)));
    }

    /// Adds results that a journal has beside the state.
    pub(crate) fn add_results(&mut self, results: Vec<(KickoffId, SavedResult)>) {
        for (id, result) in results {
            let path = KickoffPath::default().to(id);
            let inside: Vec<_> = paths_inside(&self.progress, &path).cloned().collect();
            inside.iter().for_each(|inner| _ = self.progress.remove(inner));
            self.progress.insert(path, Progress::Ended(Box::new(result)));
        }
    }

    /// The worker of kickoff `id`, if the state determines it: it was running, waits for an answer,
    /// or begins next.
    pub(crate) fn worker_of(&self, id: KickoffId) -> Option<&Key> {
        if let Some(running) = self.running.get(&id.0) {
            return Some(&running.worker);
        }
        if let Some(interrupted) = self.interrupted.iter().find(|other| other.kickoff == id.0) {
            return Some(&interrupted.worker);
        }
        if !self.interrupted.is_empty() {
            // Nothing begins before the answers.
            return None;
        }
        let place = usize::try_from(id.0.checked_sub(self.next_kickoff)?).ok()?;
        self.due.get(place).map(|due| &due.worker)
    }
}

impl From<KickoffPath> for String {
    fn from(path: KickoffPath) -> Self {
        path.to_string()
    }
}

impl TryFrom<String> for KickoffPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let ids: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
        ids.map(Self).map_err(|_| format!("`{text}` does not name a kickoff"))
    }
}

impl fmt::Display for KickoffPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, id) in self.0.iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            write!(f, "{dot}{id}")?;
        }
        Ok(())
    }
}
