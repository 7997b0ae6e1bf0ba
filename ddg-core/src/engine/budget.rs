//! A limit of the steps of a run and of all runs inside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Job, Jobs, RunCore};
use crate::run::RunError;

/// The steps that a run may take, together with all automata and runs inside it.
pub(crate) struct StepBudget {
    limit: u64,
    taken: AtomicU64,
    /// The budget of a run around, which counts the same steps.
    around: Option<Arc<Self>>,
}

impl StepBudget {
    /// A budget of `limit` steps. The first `taken` of them have been taken.
    pub(crate) fn new(limit: u64, taken: u64, around: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { limit, taken: taken.into(), around })
    }

    /// The number of steps that have been taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Takes a step.
    ///
    /// # Errors
    /// The limit, if it has been reached.
    fn take(&self) -> Result<(), u64> {
        let below = |taken| (taken < self.limit).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below) {
            Ok(_) => self.around.as_ref().map_or(Ok(()), |around| around.take()),
            Err(_) => Err(self.limit),
        }
    }
}

impl RunCore {
    /// Counts a step that begins with `jobs`, if steps are limited.
    ///
    /// # Errors
    /// If the limit has been reached. The step does not begin then.
    pub(super) fn take_step(&self, budget: &StepBudget, jobs: &mut Jobs) -> Result<(), RunError> {
        budget.take().map_err(|limit| {
            let machine = self.machine();
            let key = |job: &Job| machine.view().get(job.worker).map(|node| node.key().clone());
            let due = jobs.iter().filter_map(key).collect();
            jobs.clear();
            RunError::TotalStepLimit { automa: self.automa().to_string(), limit, due }
        })
    }
}
