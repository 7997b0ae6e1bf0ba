//! A change of the graph that a worker has asked for and that is not made yet, at rest.

use serde::{Deserialize, Serialize};

use super::{Added, Is, Scope, View};
use crate::graph::Edit;
use crate::graph::edit::spec_of;
use crate::key::Key;
use crate::snapshot::SnapshotError;

/// An edit, of which an added worker is named as in [`Grown`](super::Grown).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SavedEdit {
    AddWorker { key: Key, worker: Box<Added> },
    RemoveWorker { key: Key },
    AddDependency { worker: Key, dependency: Key },
    RemoveDependency { worker: Key, dependency: Key },
    Nested { key: Key, edit: Box<SavedEdit> },
}

impl View {
    /// What `edit` is at rest.
    ///
    /// # Errors
    /// The worker that it adds cannot be found again, or it is about an automa that is not there
    /// yet.
    pub(crate) fn save_edit(&self, edit: &Edit) -> Result<SavedEdit, SnapshotError> {
        self.saved(edit, &Scope::top(self.base()))
    }

    fn saved(&self, edit: &Edit, scope: &Scope<'_>) -> Result<SavedEdit, SnapshotError> {
        Ok(match edit {
            Edit::AddWorker { key, source, options } => {
                let mut faults = Vec::new();
                let spec = spec_of(self.base(), key, source.clone(), options.clone(), &mut faults)
                    .map_err(|fault| scope.misfit(fault.into()))?;
                if let Some(fault) = faults.into_iter().next() {
                    return Err(scope.misfit(fault.into()));
                }
                let worker = Added::of_spec(0, &spec, options.dependencies.clone(), scope)?;
                if spec.worker.0.view().is_some() && !matches!(worker.is, Is::Automa(_)) {
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
                let inner = self.inner(key).ok_or_else(|| scope.unknown(key))?;
                let scope = scope.inner(key, Some(inner.base()))?;
                SavedEdit::Nested { key: key.clone(), edit: Box::new(inner.saved(edit, &scope)?) }
            }
        })
    }

    /// The edit that `saved` is.
    ///
    /// # Errors
    /// The worker that it adds is not found, or it is about an automa that there is not.
    pub(crate) fn restore_edit(&self, saved: SavedEdit) -> Result<Edit, SnapshotError> {
        self.restored(saved, &Scope::top(self.base()))
    }

    fn restored(&self, saved: SavedEdit, scope: &Scope<'_>) -> Result<Edit, SnapshotError> {
        Ok(match saved {
            SavedEdit::AddWorker { key, worker } => {
                let (source, _) = worker.source(&key, self.base(), scope, false)?;
                Edit::AddWorker { key, source, options: worker.options() }
            }
            SavedEdit::RemoveWorker { key } => Edit::RemoveWorker { key },
            SavedEdit::AddDependency { worker, dependency } => {
                Edit::AddDependency { worker, dependency }
            }
            SavedEdit::RemoveDependency { worker, dependency } => {
                Edit::RemoveDependency { worker, dependency }
            }
            SavedEdit::Nested { key, edit } => {
                let inner = self.inner(&key).ok_or_else(|| scope.unknown(&key))?;
                let scope = scope.inner(&key, Some(inner.base()))?;
                let edit = Box::new(inner.restored(*edit, &scope)?);
                Edit::Nested { key, edit }
            }
        })
    }

    /// The graph of the nested automa `key` as it is now.
    fn inner(&self, key: &Key) -> Option<Self> {
        self.node(self.find(key.as_str())?).spec.worker.graph()
    }
}
