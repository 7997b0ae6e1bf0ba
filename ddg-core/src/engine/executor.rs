//! Executors: where executions run.

mod batch;
mod poll_clock;
mod poll_timer;
mod pool;
mod share;
mod simulated;

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

pub(crate) use poll_clock::PollClock;
pub(super) use pool::Pool;
pub(super) use simulated::Simulated;

use super::{Ended, Jobs, RunCore, Spares};

/// Starts executions and reports how they end. It does not decide what runs or when a step settles.
pub(super) trait Executor {
    /// Whether nothing is running or queued.
    fn is_idle(&self) -> bool;

    /// Whether the driver may run the only kickoff of a step in place.
    fn takes_lone_jobs(&self) -> bool;

    /// Whether a time that the run waits for comes at once.
    fn time_passes(&self) -> bool {
        false
    }

    /// Starts `jobs` and leaves it empty. Appends what has ended at once.
    fn start(
        &mut self,
        core: &Arc<RunCore>,
        jobs: &mut Jobs,
        ended: &mut Vec<Ended>,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    );

    /// Appends what has ended. Ready when there are `enough` ends, or nothing is running.
    fn poll_ended(
        &mut self,
        core: &Arc<RunCore>,
        ended: &mut Vec<Ended>,
        enough: usize,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    ) -> Poll<()>;
}
