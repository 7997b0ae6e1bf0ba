//! Writes the results of single workers while the others of their step are running.

mod kickoffs;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use rustc_hash::{FxHashMap, FxHashSet};

use self::kickoffs::Kickoffs;
use crate::checkpoint::{Entry, StoreError};
use crate::engine::{Ended, Job, RunCore};
use crate::graph::WorkerId;
use crate::machine::{KickoffId, Undone};
use crate::run::RunError;

/// The results of a step that are to be written. Each write takes what has ended by then, and only
/// the end of the step waits for a write. The writer does not schedule anything.
pub(crate) struct Writer {
    core: Arc<RunCore>,
    /// The running kickoffs that began right after the last state was written.
    open: FxHashSet<KickoffId>,
    /// The kickoffs of each worker.
    kickoffs: FxHashMap<WorkerId, Kickoffs>,
    /// Number of unsettled ends that have been processed.
    n_taken: usize,
    /// The entries of the next write.
    queue: Vec<Entry>,
    writing: Option<BoxFuture<'static, Result<(), StoreError>>>,
}

impl Writer {
    /// Creates a writer if the results of the run are to be written.
    pub(crate) fn of(core: &Arc<RunCore>) -> Option<Box<Self>> {
        core.writes_results().then(|| {
            Box::new(Self {
                core: Arc::clone(core),
                open: FxHashSet::default(),
                kickoffs: FxHashMap::default(),
                n_taken: 0,
                queue: Vec::new(),
                writing: None,
            })
        })
    }

    /// Tracks the ends of `jobs`. A job that starts while others are running is not tracked,
    /// because after a restart its id may belong to another job. The first `n_ended` ends were
    /// replayed from the journal.
    pub(crate) fn begun(&mut self, jobs: &[Job], n_ended: usize, alone: bool) {
        self.n_taken = n_ended;
        if alone {
            self.open.clear();
            self.kickoffs.clear();
        }
        for job in jobs {
            let kickoffs = self
                .kickoffs
                .entry(job.worker)
                .or_insert_with(|| Kickoffs::of(job.worker, job.payload.role.key.clone()));
            if alone {
                self.open.insert(job.id);
                kickoffs.begun();
            } else {
                kickoffs.mix();
            }
        }
    }

    /// Writes what has `ended` so far. Ready when there is nothing left to write.
    pub(crate) fn poll_meanwhile(
        &mut self,
        ended: &[Ended],
        task: &mut TaskContext<'_>,
    ) -> Poll<Result<(), RunError>> {
        self.take(ended);
        self.poll_written(task)
    }

    /// Waits for the writes that must be finished before `ended` may settle.
    ///
    /// # Errors
    /// If a result cannot be written.
    pub(crate) async fn before_settling(
        &mut self,
        ended: &[Ended],
        is_idle: bool,
    ) -> Result<(), RunError> {
        self.take(ended);
        if ended.iter().any(|ended| matches!(ended.end, Err(Undone::Failed(_)))) {
            // The run fails, so no state of this step will be written that could have replaced the
            // results.
            if let Err(error) = self.all_written().await {
                tracing::warn!(%error, "results of a step that failed were not written");
            }
        } else if is_idle {
            // The state after the step, which is written next, contains everything that is left.
            self.queue.clear();
            self.all_written().await?;
        }
        Ok(())
    }

    /// Processes the ends that have not been processed.
    fn take(&mut self, ended: &[Ended]) {
        let new = ended.get(self.n_taken..).unwrap_or_default();
        // All ends are settled before new ones are added.
        self.n_taken = ended.len();
        for Ended { id, worker, end } in new {
            if self.open.remove(id)
                && let Some(kickoffs) = self.kickoffs.get_mut(worker)
            {
                kickoffs.ended(&self.core, *id, end, &mut self.queue);
            }
        }
    }

    /// Writes everything in the queue.
    async fn all_written(&mut self) -> Result<(), RunError> {
        poll_fn(|task| self.poll_written(task)).await
    }

    /// Ready when there is nothing left to write.
    fn poll_written(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), RunError>> {
        loop {
            if let Some(writing) = &mut self.writing {
                let written = ready!(writing.poll_unpin(task));
                self.writing = None;
                written?;
            }
            let journal = self.core.journal.as_ref().filter(|_| !self.queue.is_empty());
            let Some(journal) = journal else { return Poll::Ready(Ok(())) };
            self.writing = Some(journal.write_results(std::mem::take(&mut self.queue)));
        }
    }
}
