//! Writes the states of a run as it progresses, and the results of single workers.

mod kickoffs;
mod running;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use rustc_hash::{FxHashMap, FxHashSet};

use self::kickoffs::Kickoffs;
use self::running::Running;
use super::States;
use crate::engine::{Ended, Job, RunCore};
use crate::graph::WorkerId;
use crate::machine::{KickoffId, Pace, Undone};
use crate::run::RunError;
use crate::saved::SavedResult;

/// What is written of a run: its states, and the results of a step while others of the step are
/// running. Each write of results takes what has ended by then, and only the end of the step waits
/// for it. The writer does not schedule anything.
pub(crate) struct Writer {
    core: Arc<RunCore>,
    states: States,
    /// What is running, at a rolling pace.
    running: Option<Running>,
    wants_results: bool,
    /// Whether the state after this step is written with a later one.
    is_unwritten: bool,
    /// The running kickoffs that began right after the last state was written.
    open: FxHashSet<KickoffId>,
    /// The kickoffs of each worker.
    kickoffs: FxHashMap<WorkerId, Kickoffs>,
    /// Number of unsettled ends that have been processed.
    n_taken: usize,
    /// The results of the next write.
    queue: Vec<(KickoffId, SavedResult)>,
    writing: Option<BoxFuture<'static, Result<(), RunError>>>,
}

impl Writer {
    /// Creates a writer if the run is written.
    pub(crate) fn of(core: &Arc<RunCore>) -> Option<Box<Self>> {
        let states = core.states.as_ref()?;
        let is_rolling = states.wants_steps() && core.machine().pace() == Pace::Rolling;
        Some(Box::new(Self {
            core: Arc::clone(core),
            states: states.clone(),
            running: is_rolling.then(Running::default),
            wants_results: states.wants_results(),
            is_unwritten: false,
            open: FxHashSet::default(),
            kickoffs: FxHashMap::default(),
            n_taken: 0,
            queue: Vec::new(),
            writing: None,
        }))
    }

    /// Tracks the ends of `jobs`. The first `n_ended` ends were replayed from the journal. `alone`
    /// says whether nothing else is running.
    pub(crate) fn begun(&mut self, jobs: &[Job], n_ended: usize, alone: bool) {
        self.n_taken = n_ended;
        self.is_unwritten = alone && self.repeats(jobs);
        if let Some(running) = &mut self.running {
            running.begun(&self.core, jobs);
        }
        if !self.wants_results {
            return;
        }
        if alone {
            self.open.clear();
            self.kickoffs.clear();
        }
        for job in jobs {
            let kickoffs = self
                .kickoffs
                .entry(job.worker)
                .or_insert_with(|| Kickoffs::of(job.worker, self.core.body(job).role.key.clone()));
            // At a rolling pace what has ended is settled at once, except after an answer.
            if alone && (self.running.is_none() || job.replay.is_some()) {
                self.open.insert(job.id);
                kickoffs.begun();
            } else {
                kickoffs.mix();
            }
        }
    }

    /// Whether all of `jobs` may run again although they have ended. Results of single workers and
    /// the states of a rolling run count from the last state, so those are always written.
    fn repeats(&self, jobs: &[Job]) -> bool {
        let Some(journal) = self.states.journal() else { return false };
        let may_run_again = |job: &Job| journal.unwritten.contains(&self.core.body(job).role.key);
        self.running.is_none() && !self.wants_results && jobs.iter().all(may_run_again)
    }

    /// Writes the state after a step. `is_idle` says whether nothing is running.
    ///
    /// # Errors
    /// If the state has no JSON form, the store fails, or the lease is held by somebody else.
    pub(crate) async fn settled(&mut self, is_idle: bool) -> Result<(), RunError> {
        self.n_taken = 0;
        if !self.states.wants_steps() {
            return if is_idle { self.states.rest().await } else { Ok(()) };
        }
        let mut saved = self.states.state_of(&self.core);
        if let Some(running) = &mut self.running {
            let is_whole = running.settled(&self.core, saved.as_mut().ok());
            if !is_whole {
                // The state is written when what it cannot express has ended.
                return Ok(());
            }
        }
        if self.is_unwritten {
            return self.states.settled_unwritten(&self.core, saved).await;
        }
        let is_extra = self.running.is_some();
        self.states.settled(&self.core, saved, is_idle, is_extra).await
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
            if self.queue.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let results = std::mem::take(&mut self.queue);
            self.writing = Some(self.states.clone().write_results(results).boxed());
        }
    }
}
