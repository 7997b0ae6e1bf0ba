//! Where the states of a run are written: to the journal of the run, or into the state of the
//! stored run that it is nested in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Journal;
use crate::checkpoint::CheckpointPolicy;
use crate::engine::RunCore;
use crate::key::Key;
use crate::machine::KickoffId;
use crate::run::RunError;
use crate::saved::{KickoffPath, Saved, SavedResult, SnapshotError};
use crate::values::Value;

/// The place of a run's states.
#[derive(Clone)]
pub(crate) struct States {
    journal: Arc<Journal>,
    /// The kickoffs that lead from the run with the journal to this one; empty if it is the same.
    path: KickoffPath,
}

impl States {
    /// The states of a run with a journal of its own.
    pub(crate) fn of(journal: &Arc<Journal>) -> Self {
        Self { journal: Arc::clone(journal), path: KickoffPath::default() }
    }

    /// The states of the nested automa that is kickoff `id`; `None` if only its end is written.
    pub(crate) fn inside(&self, id: KickoffId) -> Option<Self> {
        let (journal, path) = (&self.journal, &self.path);
        self.wants_steps().then(|| Self { journal: Arc::clone(journal), path: path.to(id) })
    }

    /// The journal, if it is that of this run.
    pub(crate) fn journal(&self) -> Option<&Arc<Journal>> {
        self.path.is_empty().then_some(&self.journal)
    }

    /// Whether the states of steps are written, rather than only the end of the run.
    pub(crate) fn wants_steps(&self) -> bool {
        self.journal.checkpoints() != CheckpointPolicy::OnPause
    }

    /// Renews a lease that may have expired, after a step whose state is not written.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(crate) async fn rest(&self) -> Result<(), RunError> {
        self.journal.rest().await
    }

    /// Whether the results of single workers are written.
    pub(crate) fn wants_results(&self) -> bool {
        self.journal.wants_results()
    }

    /// Takes the state with which the nested automa `worker` begins. One that continues has a state
    /// already, unless it continues after a pause.
    pub(crate) fn begin(&self, core: &RunCore, worker: &Key, continues: bool) {
        let mut last = self.journal.last();
        let Some(last) = &mut *last else { return };
        if !continues || !last.has_inside(&self.path) {
            last.begin_inside(&self.path, worker, core.state().ok());
        }
    }

    /// The state of the run `core`: what has changed since the last one, if that is known.
    ///
    /// # Errors
    /// If an added worker cannot be resolved again.
    pub(crate) fn state_of(&self, core: &RunCore) -> Result<Saved, SnapshotError> {
        let follows = self.journal.last().as_ref().is_some_and(|last| last.has_state(&self.path));
        if follows { core.changed_state() } else { core.state() }
    }

    /// Takes the state `saved` of the run with this journal, which is written with the next one.
    ///
    /// # Errors
    /// If the state has no JSON form, the store fails, or the lease is held by somebody else.
    pub(crate) async fn settled_unwritten(
        &self,
        core: &RunCore,
        saved: Result<Saved, SnapshotError>,
    ) -> Result<(), RunError> {
        self.journal.take(saved?, false)?;
        core.state_saved();
        self.journal.rest().await
    }

    /// Writes the state `saved` of the run, after a step that has settled. `is_idle` says whether
    /// nothing of the run is running.
    ///
    /// # Errors
    /// If the state has no JSON form, the store fails, or the lease is held by somebody else. Not
    /// of a nested automa: if its state cannot be written, the last written one stays.
    pub(crate) async fn settled(
        &self,
        core: &RunCore,
        saved: Result<Saved, SnapshotError>,
        is_idle: bool,
        is_extra: bool,
    ) -> Result<(), RunError> {
        if self.path.is_empty() {
            self.journal.take(saved?, is_extra)?;
            core.state_saved();
            return self.journal.settled(is_idle).await;
        }
        let taken = match (&mut *self.journal.last(), core.worker_key(), saved) {
            (Some(last), Some(worker), Ok(mut saved)) => {
                saved.set_stopping(core.machine().is_stopping());
                last.settle_inside(&self.path, &worker, saved)
            }
            (_, _, Err(error)) => Err(error),
            (None, ..) | (_, None, _) => return Ok(()),
        };
        match taken {
            Ok(()) => {
                core.state_saved();
                self.journal.write_inside().await;
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "a nested state cannot be written: its steps would run again");
                Ok(())
            }
        }
    }

    /// Writes the results of kickoffs of the current step.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(crate) async fn write_results(
        self,
        results: Vec<(KickoffId, SavedResult)>,
    ) -> Result<(), RunError> {
        if self.path.is_empty() {
            return self.journal.write_results(results).await;
        }
        let taken = match &mut *self.journal.last() {
            Some(last) => last.ended(&self.path, results),
            None => return Ok(()),
        };
        match taken {
            Ok(()) => {
                self.journal.write_inside().await;
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "a result cannot be written: its worker would run again");
                Ok(())
            }
        }
    }

    /// Drops the results of a step of a nested automa that failed as a whole: its workers must run
    /// again. Written with the end of the run.
    pub(crate) fn forget_results(&self) {
        if let (false, Some(last)) = (self.path.is_empty(), &mut *self.journal.last()) {
            last.forget_results(&self.path);
        }
    }

    /// Whether the last local space of `worker` has the same values.
    pub(crate) fn has_local(&self, worker: &Key, values: &BTreeMap<String, Value>) -> bool {
        self.journal.last().as_ref().is_some_and(|last| last.has_local(&self.path, worker, values))
    }
}
