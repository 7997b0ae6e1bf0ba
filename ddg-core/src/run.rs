//! What a user holds of a run: before it begins, while it is active, and when it has ended.

mod durable;
mod error;
mod handle;
mod outcome;
mod prepared;

pub use durable::Durable;
pub use error::RunError;
pub use handle::Run;
pub use outcome::{Outcome, Waiting};
pub use prepared::Prepared;

use std::sync::Arc;

use crate::args::Args;
use crate::automa::GraphAutoma;
use crate::engine::{Kickoff, RunCore, RunGuard, drive};
use crate::saved::Snapshot;

/// Runs `automa` within the caller's task.
pub(crate) async fn run(automa: &GraphAutoma, args: Args) -> Result<Outcome, RunError> {
    let core = RunCore::top(automa.compiled()?, args)?;
    drive(RunGuard::new(core)).await
}

/// Runs `automa` with one worker polled at a time.
pub(crate) async fn simulate(
    automa: &GraphAutoma,
    args: Args,
    choose: impl FnMut(&[Kickoff]) -> usize,
) -> Result<Outcome, RunError> {
    let core = RunCore::top(automa.compiled()?, args)?;
    crate::engine::simulate(RunGuard::new(core), choose).await
}

/// A run of `automa` that has not begun.
pub(crate) fn prepare(automa: &GraphAutoma, args: Args) -> Prepared {
    let prepared = || RunCore::top(automa.compiled()?, args);
    Prepared::new(automa, prepared())
}

/// A saved run of `automa` that does not resume yet.
pub(crate) fn prepare_resumed(automa: &GraphAutoma, snapshot: Snapshot) -> Prepared {
    let prepared = || RunCore::resumed(automa.compiled()?, snapshot.into_run());
    Prepared::new(automa, prepared())
}

/// A core that nobody else has yet.
fn unshared(core: &mut Arc<RunCore>) -> &mut RunCore {
    Arc::get_mut(core).expect("nobody has a run that has not begun")
}
