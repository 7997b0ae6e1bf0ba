//! Errors of saving and resuming runs.

use super::DeclarationDiff;
use crate::graph::EditError;
use crate::key::Key;
use crate::path::WorkerPath;
use crate::printable::{shown, shown_lines};
use crate::values::NotSerializable;

/// A run cannot be saved, or cannot be resumed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A value has no JSON form.
    #[error(
        "automa `{automa}`: worker `{worker}`: {what}: {source}",
        automa = shown(.automa), worker = shown(.worker)
    )]
    NotSerializable {
        /// The automa.
        automa: String,
        /// The worker that the value belongs to.
        worker: Key,
        /// What the value is to the worker.
        what: &'static str,
        /// The type of the value, and the cause.
        r#source: NotSerializable,
    },
    /// A worker that the run has added could not be resolved again.
    #[error(
        "automa `{automa}`: the run has added worker `{worker}`, which cannot be restored: {how}",
        automa = shown(.automa), worker = shown(.worker), how = shown(.how)
    )]
    Unfindable {
        /// The automa.
        automa: String,
        /// The worker.
        worker: WorkerPath,
        /// The reason, and what to do.
        how: String,
    },
    /// Automata are nested too deeply to be serialised.
    #[error(
        "automa `{automa}`: worker `{worker}`: {what} is nested more than {levels} levels deep",
        automa = shown(.automa), worker = shown(.worker)
    )]
    TooDeep {
        /// The automa.
        automa: String,
        /// The worker.
        worker: WorkerPath,
        /// What is nested.
        what: &'static str,
        /// Maximum number of levels.
        levels: usize,
    },
    /// The data is not a snapshot, or a snapshot could not be serialised.
    #[error("this is not a snapshot: {}", shown_lines(.0))]
    Unreadable(serde_json::Error),
    /// The snapshot is of a run of another automa.
    #[error(
        "this is automa `{automa}`, but the snapshot is of a run of `{saved}`: resume it with that one",
        automa = shown(.automa), saved = shown(.saved)
    )]
    OtherAutoma {
        /// This automa.
        automa: String,
        /// The automa of the snapshot.
        saved: String,
    },
    /// The automa is declared differently than when the snapshot was taken.
    #[error(
        "automa `{automa}` is declared differently than when the snapshot was taken: {}; \
         declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)",
        list(.differences),
        automa = shown(.automa)
    )]
    Redeclared {
        /// The automa.
        automa: String,
        /// The differences; never empty.
        differences: Vec<DeclarationDiff>,
    },
    /// A worker that the run has added cannot be resolved.
    #[error(
        "automa `{automa}`: the snapshot has a worker `{worker}`: {how}",
        automa = shown(.automa), worker = shown(.worker), how = shown(.how)
    )]
    NotFound {
        /// The automa.
        automa: String,
        /// The worker.
        worker: WorkerPath,
        /// Where it was searched for, and what to do.
        how: String,
    },
    /// A worker that the run has added cannot be created from its configuration.
    #[error(
        "automa `{automa}`: worker `{worker}` cannot be restored by the type that is registered as \
         `{name}`: {source}",
        automa = shown(.automa),
        worker = shown(.worker),
        name = shown(.name),
        source = shown_lines(.source)
    )]
    Config {
        /// The automa.
        automa: String,
        /// The worker.
        worker: WorkerPath,
        /// The name under which its type is registered.
        name: Key,
        /// The cause.
        r#source: serde_json::Error,
    },
    /// The run's changes of its graph cannot be applied to this graph.
    #[error(
        "automa `{automa}`: the changes that the run has made do not fit this graph: {source}",
        automa = shown(.automa)
    )]
    Misfit {
        /// The automa.
        automa: String,
        /// The cause.
        r#source: Box<EditError>,
    },
    /// The snapshot names a worker that the automa does not have (any more).
    #[error(
        "automa `{automa}`: the snapshot has a worker `{key}`, which is no longer declared; \
         see `Snapshot::rename_worker` and `Snapshot::forget_worker`",
        automa = shown(.automa), key = shown(.key)
    )]
    UnknownWorker {
        /// The automa.
        automa: String,
        /// The worker.
        key: Key,
    },
    /// The snapshot names a dependency that the automa does not have (any more).
    #[error(
        "automa `{automa}`: in the snapshot `{worker}` depends on `{dependency}`, \
         which is no longer declared; see `Snapshot::rename_worker` and `Snapshot::forget_worker`",
        automa = shown(.automa), worker = shown(.worker), dependency = shown(.dependency)
    )]
    UnknownDependency {
        /// The automa.
        automa: String,
        /// The worker.
        worker: Key,
        /// The dependency.
        dependency: Key,
    },
    /// A worker to rename or forget is not in the snapshot.
    #[error(
        "the snapshot of a run of `{automa}` has no worker `{key}`",
        automa = shown(.automa), key = shown(.key)
    )]
    NotInSnapshot {
        /// The automa.
        automa: String,
        /// The worker.
        key: Key,
    },
    /// A worker is to be renamed to one that has state of its own.
    #[error(
        "`{old}` cannot be renamed to `{new}`: the snapshot of a run of `{automa}` \
         already has a worker `{new}`",
        old = shown(.old), new = shown(.new), automa = shown(.automa)
    )]
    AlreadyInSnapshot {
        /// The automa.
        automa: String,
        /// The worker to rename.
        old: Key,
        /// The key that is taken.
        new: Key,
    },
    /// A number is larger than any run can make it.
    #[error(
        "automa `{automa}`: the snapshot is damaged: {what} is {number}",
        automa = shown(.automa)
    )]
    Damaged {
        /// The automa.
        automa: String,
        /// The meaning of the number.
        what: &'static str,
        /// The number.
        number: u64,
    },
    /// There is the result of a worker that does not run next.
    #[error(
        "automa `{automa}`: there is a result of worker `{worker}` (kickoff {kickoff}), which does \
         not run after step {step}",
        automa = shown(.automa), worker = shown(.worker)
    )]
    StrayResult {
        /// The automa.
        automa: String,
        /// The worker.
        worker: Key,
        /// The number of its kickoff.
        kickoff: u64,
        /// The step of the state that the result belongs to.
        step: u64,
    },
    /// The delta does not apply to the snapshot.
    #[error(
        "these changes do not follow the state after step {step}{}",
        .source.as_ref().map(|source| format!(": {}", shown_lines(source))).unwrap_or_default()
    )]
    NotFollowing {
        /// The step of the snapshot that it was applied to.
        step: u64,
        /// Why the result is not a state.
        r#source: Option<serde_json::Error>,
    },
}

impl From<serde_json::Error> for SnapshotError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error)
    }
}

fn list(differences: &[DeclarationDiff]) -> String {
    const LISTED: usize = 8;
    let listed = differences.iter().take(LISTED).map(ToString::to_string);
    let mut listed: Vec<_> = listed.collect();
    if differences.len() > LISTED {
        listed.push(format!("and {} more", differences.len() - LISTED));
    }
    listed.join("; ")
}

crate::__debug_is_display!(SnapshotError);
