//! What is written of the nested automata that are running, as part of the state of their run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::key::Key;
use crate::machine::KickoffId;
use crate::saved::{
    Differ, KickoffPath, Progress, Saved, SavedResult, SnapshotError, paths_inside,
};

/// The differences between the progress in the last state of a run and the written progress.
///
/// The state itself has the progress of all kickoffs. A nested automa has an entry there from its
/// first settled step on, and so have all automata around it.
#[derive(Default)]
pub(super) struct Inside {
    /// The states with which nested automata have begun. They are in the state of the run as soon
    /// as something inside them is.
    begun: BTreeMap<KickoffPath, (Key, Saved)>,
    /// The paths that have a written entry.
    written: BTreeSet<KickoffPath>,
    /// How the others differ from what is written.
    changed: BTreeMap<KickoffPath, Changed>,
}

/// How an entry differs from what is written.
enum Changed {
    /// A new state.
    Whole(Json),
    /// The state that is written, with these changes.
    By(Differ),
    /// A result.
    Result,
    /// Not in the state any more.
    Gone,
}

impl Inside {
    /// Records that the whole of `state` is written.
    pub(super) fn all_written(&mut self, state: &Saved) {
        self.written = state.progress().keys().cloned().collect();
        self.changed.clear();
    }

    /// Takes the state with which the automa at `path` begins, or begins again. `None` if that
    /// cannot be saved.
    pub(super) fn begin(
        &mut self,
        state: &mut Saved,
        path: &KickoffPath,
        worker: &Key,
        begun: Option<Saved>,
    ) {
        self.keep(state, path, |_| false);
        self.remove(state, path);
        if let Some(begun) = begun {
            self.begun.insert(path.clone(), (worker.clone(), begun));
        }
    }

    /// The state of the automa at `path`.
    pub(super) fn state_at<'a>(
        &'a self,
        state: &'a Saved,
        path: &KickoffPath,
    ) -> Option<&'a Saved> {
        match state.progress().get(path) {
            Some(Progress::Inner { run, .. }) => Some(run),
            Some(Progress::Ended(_)) => None,
            None => self.begun.get(path).map(|(_, begun)| begun),
        }
    }

    /// Drops the entries inside the automa at `path`, except those that `stays` accepts. Returns
    /// whether a written one was among them.
    pub(super) fn keep(
        &mut self,
        state: &mut Saved,
        path: &KickoffPath,
        stays: impl Fn(&KickoffPath) -> bool,
    ) -> bool {
        let progress = paths_inside(state.progress(), path);
        let begun = paths_inside(&self.begun, path);
        let gone: Vec<_> = progress.chain(begun).filter(|inner| !stays(inner)).cloned().collect();
        let mut was_written = false;
        for inner in &gone {
            was_written |= self.remove(state, inner);
        }
        was_written
    }

    fn remove(&mut self, state: &mut Saved, path: &KickoffPath) -> bool {
        self.begun.remove(path);
        state.progress_mut().remove(path);
        self.changed.remove(path);
        let was_written = self.written.contains(path);
        if was_written {
            self.changed.insert(path.clone(), Changed::Gone);
        }
        was_written
    }

    /// Takes the state that the automa `worker` at `path` has reached.
    ///
    /// # Errors
    /// If it cannot be written, or an automa around it could not be.
    pub(super) fn settle(
        &mut self,
        state: &mut Saved,
        path: &KickoffPath,
        worker: &Key,
        reached: Saved,
    ) -> Result<(), SnapshotError> {
        let id = self.enter(state, path)?;
        self.is_of(state, id, worker)?;
        let base = match state.progress().get(path) {
            Some(Progress::Inner { run, .. }) => Some(run),
            _ => None,
        };
        if base.is_none() && reached.is_partial() {
            return Err(unkept(state));
        }
        let is_written = self.written.contains(path);
        match (base, self.changed.get_mut(path)) {
            (Some(base), None) if is_written => {
                let mut differ = Differ::default();
                reached.steps_since(base, &mut differ)?;
                if !differ.is_empty() {
                    self.changed.insert(path.clone(), Changed::By(differ));
                }
            }
            (Some(base), Some(Changed::By(differ))) => reached.steps_since(base, differ)?,
            (base, _) => {
                reached.check_json()?;
                let mut whole = base.filter(|_| reached.is_partial()).cloned();
                if let Some(whole) = &mut whole {
                    whole.follow(reached.clone());
                }
                let json = progress_json(worker, whole.as_deref().unwrap_or(&reached))?;
                self.changed.insert(path.clone(), Changed::Whole(json));
            }
        }
        let running =
            |inner: &KickoffPath| inner.kickoff_in(path).is_some_and(|id| reached.is_running(id));
        self.keep(state, path, running);
        self.begun.remove(path);
        match state.progress_mut().get_mut(path) {
            Some(Progress::Inner { run, .. }) => run.follow(reached),
            _ => {
                let entry = Progress::Inner { worker: worker.clone(), run: Box::new(reached) };
                state.progress_mut().insert(path.clone(), entry);
            }
        }
        Ok(())
    }

    /// Takes the result of kickoff `id` of the automa at `path`.
    ///
    /// # Errors
    /// If it cannot be written, or an automa around it could not be.
    pub(super) fn ended(
        &mut self,
        state: &mut Saved,
        path: &KickoffPath,
        id: KickoffId,
        result: SavedResult,
    ) -> Result<(), SnapshotError> {
        let at = path.to(id);
        self.enter(state, &at)?;
        self.is_of(state, &at, result.worker())?;
        self.keep(state, &at, |_| false);
        self.begun.remove(&at);
        self.put_result(state, at, result);
        Ok(())
    }

    /// Adds a result that the journal has beside the state.
    pub(super) fn put_result(&mut self, state: &mut Saved, at: KickoffPath, result: SavedResult) {
        self.changed.insert(at.clone(), Changed::Result);
        state.progress_mut().insert(at, Progress::Ended(Box::new(result)));
    }

    /// Adds an entry to the state if it has none there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn put_missing(
        &mut self,
        state: &mut Saved,
        path: KickoffPath,
        entry: Progress,
    ) -> Result<(), SnapshotError> {
        if !state.progress().contains_key(&path) {
            self.changed.insert(path.clone(), Changed::Whole(serde_json::to_value(&entry)?));
            state.progress_mut().insert(path, entry);
        }
        Ok(())
    }

    /// Adds entries for the automata around `path` to the state.
    ///
    /// # Errors
    /// If one of them cannot be written.
    fn enter<'a>(
        &mut self,
        state: &mut Saved,
        path: &'a KickoffPath,
    ) -> Result<&'a KickoffPath, SnapshotError> {
        for around in path.around() {
            if state.progress().contains_key(&around) {
                continue;
            }
            let Some((worker, begun)) = self.begun.remove(&around) else {
                return Err(unkept(state));
            };
            self.is_of(state, &around, &worker)?;
            begun.check_json()?;
            let json = progress_json(&worker, &begun)?;
            self.changed.insert(around.clone(), Changed::Whole(json));
            let entry = Progress::Inner { worker, run: Box::new(begun) };
            state.progress_mut().insert(around, entry);
        }
        Ok(path)
    }

    /// Checks that the state around `path` has this kickoff, of this worker. It has not if it could
    /// not be written.
    fn is_of(&self, state: &Saved, path: &KickoffPath, worker: &Key) -> Result<(), SnapshotError> {
        let (around, id) = path.split_last().ok_or_else(|| unkept(state))?;
        let around = match around.is_empty() {
            true => Some(state),
            false => self.state_at(state, &around),
        };
        let is_of = around.and_then(|around| around.worker_of(id)) == Some(worker);
        is_of.then_some(()).ok_or_else(|| unkept(state))
    }

    /// Adds what has changed to the delta of the state.
    ///
    /// # Errors
    /// If a result has no JSON form.
    pub(super) fn write(
        &mut self,
        state: &Saved,
        differ: &mut Differ,
    ) -> Result<(), SnapshotError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        if self.written.is_empty() {
            differ.within("progress", |differ| differ.to(Json::Object(Default::default())));
        }
        for (path, changed) in std::mem::take(&mut self.changed) {
            let changed = match changed {
                Changed::Result => Changed::Whole(serde_json::to_value(&state.progress()[&path])?),
                changed => changed,
            };
            differ.within("progress", |differ| {
                differ.within(path.to_string(), |differ| match changed {
                    Changed::Whole(json) => differ.to(json),
                    Changed::Gone | Changed::Result => differ.gone(),
                    Changed::By(by) => {
                        differ.within("inner", |inner| inner.within("run", |run| run.append(by)));
                    }
                });
            });
            match state.progress().contains_key(&path) {
                true => _ = self.written.insert(path),
                false => _ = self.written.remove(&path),
            }
        }
        Ok(())
    }
}

/// An entry of the state.
fn progress_json(worker: &Key, run: &Saved) -> Result<Json, SnapshotError> {
    Ok(serde_json::json!({ "inner": { "worker": worker, "run": run.to_json()? } }))
}

/// The error for a state that has no place in the state around it.
fn unkept(state: &Saved) -> SnapshotError {
    SnapshotError::NotFollowing { step: state.step(), source: None }
}
