//! Saved edits: changes of the graph that a worker has asked for but that have not been applied.

use serde::{Deserialize, Serialize};

use std::sync::Arc;

use super::{Added, Is, Scope};
use crate::automa::{Declarations, Program};
use crate::graph::{Edit, View};
use crate::key::Key;
use crate::saved::SnapshotError;
use crate::worker::Body;

/// An edit. Added workers are named as in [`Grown`](super::Grown).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SavedEdit {
    AddWorker { key: Key, worker: Box<Added> },
    RemoveWorker { key: Key },
    AddDependency { worker: Key, dependency: Key },
    RemoveDependency { worker: Key, dependency: Key },
    Nested { key: Key, edit: Box<SavedEdit> },
}

impl View<Arc<Body>> {
    /// The saved form of `edit`.
    ///
    /// # Errors
    /// If the worker that it adds cannot be resolved again, or its automa does not exist yet.
    pub(in crate::saved) fn save_edit(
        &self,
        names: Declarations<'_>,
        edit: &Edit<Arc<Body>>,
    ) -> Result<SavedEdit, SnapshotError> {
        self.saved(edit, &Scope::top(names))
    }

    fn saved(&self, edit: &Edit<Arc<Body>>, scope: &Scope<'_>) -> Result<SavedEdit, SnapshotError> {
        Ok(match edit {
            Edit::AddWorker { key, payload, dependencies } => {
                let body = payload.clone().map_err(|fault| scope.misfit(fault.into()))?;
                let worker = Added::of_body(0, &body, dependencies.clone(), scope)?;
                if body.worker.0.view().is_some() && !matches!(worker.is, Is::Automa(_)) {
                    let inner = scope.inner(key, None)?;
                    return Err(inner.unfindable("its graph has been changed before it was added"));
                }
                SavedEdit::AddWorker { key: key.clone(), worker: Box::new(worker) }
            }
            Edit::RemoveWorker { key } => SavedEdit::RemoveWorker { key: key.clone() },
            Edit::AddDependency { worker, dependency } => {
                let (worker, dependency) = (worker.clone(), dependency.clone());
                SavedEdit::AddDependency { worker, dependency }
            }
            Edit::RemoveDependency { worker, dependency } => {
                let (worker, dependency) = (worker.clone(), dependency.clone());
                SavedEdit::RemoveDependency { worker, dependency }
            }
            Edit::Nested { key, edit } => {
                let (program, inner) = self.inner(key).ok_or_else(|| scope.unknown(key))?;
                let scope = scope.inner(key, Some(&program))?;
                SavedEdit::Nested { key: key.clone(), edit: Box::new(inner.saved(edit, &scope)?) }
            }
        })
    }

    /// Restores the edit `saved`.
    ///
    /// # Errors
    /// If the worker that it adds cannot be resolved, or its automa does not exist.
    pub(in crate::saved) fn restore_edit(
        &self,
        names: Declarations<'_>,
        saved: SavedEdit,
    ) -> Result<Edit<Arc<Body>>, SnapshotError> {
        self.restored(names.program, saved, &Scope::top(names))
    }

    fn restored(
        &self,
        program: &Program,
        saved: SavedEdit,
        scope: &Scope<'_>,
    ) -> Result<Edit<Arc<Body>>, SnapshotError> {
        Ok(match saved {
            SavedEdit::AddWorker { key, worker } => {
                let (source, _) = worker.source(&key, scope, false)?;
                let payload =
                    program.place(&key, source, worker.options(), |name| scope.declared(name));
                Edit::AddWorker { key, payload, dependencies: worker.after }
            }
            SavedEdit::RemoveWorker { key } => Edit::RemoveWorker { key },
            SavedEdit::AddDependency { worker, dependency } => {
                Edit::AddDependency { worker, dependency }
            }
            SavedEdit::RemoveDependency { worker, dependency } => {
                Edit::RemoveDependency { worker, dependency }
            }
            SavedEdit::Nested { key, edit } => {
                let (program, inner) = self.inner(&key).ok_or_else(|| scope.unknown(&key))?;
                let scope = scope.inner(&key, Some(&program))?;
                let edit = Box::new(inner.restored(&program, *edit, &scope)?);
                Edit::Nested { key, edit }
            }
        })
    }

    /// The nested automa `key`, and its current graph.
    fn inner(&self, key: &Key) -> Option<(Arc<Program>, Self)> {
        let worker = &self.node(self.find(key.as_str())?).payload.worker;
        Some((worker.program()?, worker.graph()?))
    }
}
