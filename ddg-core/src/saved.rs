//! Saved state of a run: everything that is written, read, compared or migrated.

mod answer;
mod changes;
mod delta;
mod difference;
mod error;
mod fingerprint;
mod graph;
mod migrate;
mod partial;
mod patch;
mod progress;
mod restore;
mod result;
mod run;
mod snapshot;

pub use answer::AnswerError;
pub use delta::SnapshotDelta;
pub use difference::DeclarationDiff;
pub use error::SnapshotError;
pub(crate) use patch::Differ;
pub(crate) use progress::{AllProgress, KickoffPath, Progress, paths_inside};
pub(crate) use result::SavedResult;
pub(crate) use run::{Saved, is_same_space};
pub use snapshot::Snapshot;
pub(crate) use snapshot::Version;
