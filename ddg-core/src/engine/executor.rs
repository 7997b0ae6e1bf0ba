//! Where executions run.

mod batch;
mod poll_timer;
mod pool;
mod share;
mod simulated;

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

pub(super) use pool::Pool;
pub(super) use simulated::Simulated;

use super::{Ended, Job, RunCore};

/// Starts executions and tells how they end. What runs, and when a step settles, is not its business.
pub(super) trait Executor {
    /// Whether nothing is running or about to.
    fn is_idle(&self) -> bool;

    /// Whether the driver may run the only kickoff of a step where it stands.
    fn takes_lone_jobs(&self) -> bool;

    /// Starts `jobs`, which it leaves empty; appends what has ended at once.
    fn start(
        &mut self,
        core: &Arc<RunCore>,
        jobs: &mut Vec<Job>,
        ended: &mut Vec<Ended>,
        task: &mut TaskContext<'_>,
    );

    /// Appends what has ended by now; ready when there are `enough`, or nothing is running.
    fn poll_ended(
        &mut self,
        core: &Arc<RunCore>,
        ended: &mut Vec<Ended>,
        enough: usize,
        task: &mut TaskContext<'_>,
    ) -> Poll<()>;
}
