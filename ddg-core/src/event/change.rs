//! Changes of a run's graph, as events report them.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::graph::Edit;
use crate::key::Key;
use crate::printable::Printable;

/// A change of a run's graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The worker that asked for the change.
    pub by: Key,
    /// The change.
    pub what: ChangeKind,
}

/// The kind of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// A worker was added.
    WorkerAdded {
        /// The key of the worker.
        worker: Key,
        /// The workers that it depends on.
        dependencies: Vec<Key>,
    },
    /// A worker was removed, together with its dependencies and those on it.
    WorkerRemoved {
        /// The key of the worker.
        worker: Key,
    },
    /// A dependency was added.
    DependencyAdded {
        /// The worker that depends on the other.
        worker: Key,
        /// The worker that it depends on.
        dependency: Key,
    },
    /// A dependency was removed.
    DependencyRemoved {
        /// The worker that depended on the other.
        worker: Key,
        /// The worker that it depended on.
        dependency: Key,
    },
    /// The graph of a nested automa was changed.
    Nested {
        /// The key of the automa.
        automa: Key,
        /// The change of its graph.
        change: Box<ChangeKind>,
    },
}

impl ChangeKind {
    /// The change that `edit` makes, as subscribers see it.
    pub(crate) fn of<P>(edit: &Edit<P>) -> Self {
        match edit {
            Edit::AddWorker { key, dependencies, .. } => {
                Self::WorkerAdded { worker: key.clone(), dependencies: dependencies.clone() }
            }
            Edit::RemoveWorker { key } => Self::WorkerRemoved { worker: key.clone() },
            Edit::AddDependency { worker, dependency } => {
                Self::DependencyAdded { worker: worker.clone(), dependency: dependency.clone() }
            }
            Edit::RemoveDependency { worker, dependency } => {
                Self::DependencyRemoved { worker: worker.clone(), dependency: dependency.clone() }
            }
            Edit::Nested { key, edit } => {
                Self::Nested { automa: key.clone(), change: Box::new(Self::of(edit)) }
            }
        }
    }

    /// Whether the change concerns the worker `key` or a worker nested in it.
    pub(super) fn concerns(&self, key: &Key) -> bool {
        match self {
            Self::WorkerAdded { worker, .. }
            | Self::WorkerRemoved { worker }
            | Self::DependencyAdded { worker, .. }
            | Self::DependencyRemoved { worker, .. } => worker == key,
            Self::Nested { automa, .. } => automa == key,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Printable::line(f), "{} by `{}`", self.what, self.by)
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::line(f);
        match self {
            Self::WorkerAdded { worker, dependencies } if dependencies.is_empty() => {
                write!(f, "worker `{worker}` added")
            }
            Self::WorkerAdded { worker, dependencies } => {
                let dependencies: Vec<_> =
                    dependencies.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "worker `{worker}` added after {}", dependencies.join(" and "))
            }
            Self::WorkerRemoved { worker } => write!(f, "worker `{worker}` removed"),
            Self::DependencyAdded { worker, dependency } => {
                write!(f, "dependency of `{worker}` on `{dependency}` added")
            }
            Self::DependencyRemoved { worker, dependency } => {
                write!(f, "dependency of `{worker}` on `{dependency}` removed")
            }
            Self::Nested { automa, change } => write!(f, "in `{automa}`: {change}"),
        }
    }
}
