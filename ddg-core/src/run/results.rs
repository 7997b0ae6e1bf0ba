//! Writes the results of single workers while the others of their step go on.

mod kickoffs;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use rustc_hash::{FxHashMap, FxHashSet};

use self::kickoffs::Kickoffs;
use super::crew::Crew;
use super::kickoff::{Ended, Job, KickoffId, Undone};
use super::{Pace, RunCore, RunError};
use crate::checkpoint::{Entry, StoreError};
use crate::graph::WorkerId;

/// The results of a step that are to be written. Whatever has ended by the time of a write goes
/// into it; nothing waits for a write but the end of the step.
pub(super) struct Results {
    core: Arc<RunCore>,
    /// The kickoffs that began right after the last state was written, and go on.
    open: FxHashSet<KickoffId>,
    /// By worker.
    kickoffs: FxHashMap<WorkerId, Kickoffs>,
    /// What is to be written next.
    queue: Vec<Entry>,
    writing: Option<BoxFuture<'static, Result<(), StoreError>>>,
}

impl Results {
    /// For a run of which they are to be written.
    pub(super) fn of(core: &Arc<RunCore>) -> Option<Box<Self>> {
        core.writes_results().then(|| {
            Box::new(Self {
                core: Arc::clone(core),
                open: FxHashSet::default(),
                kickoffs: FxHashMap::default(),
                queue: Vec::new(),
                writing: None,
            })
        })
    }

    /// Starts what is due, and waits until everything has ended, or, at a rolling pace, something;
    /// meanwhile, writes.
    ///
    /// # Errors
    /// A result cannot be written.
    pub(super) async fn together(
        &mut self,
        crew: &mut Crew,
        jobs: &mut Vec<Job>,
        ended: &mut Vec<Ended>,
    ) -> Result<(), RunError> {
        self.begun(jobs, crew.is_idle());
        // What has ended before has been written.
        let mut n_taken = ended.len();
        crew.start(jobs, ended).await;
        match self.core.pace {
            Pace::Lockstep => {
                while !crew.is_idle() {
                    self.take(&ended[n_taken..]);
                    n_taken = ended.len();
                    self.meanwhile(crew.next(ended)).await?;
                }
            }
            Pace::Rolling => {
                if ended.is_empty() && !crew.is_idle() {
                    self.meanwhile(crew.next(ended)).await?;
                }
                crew.also(ended).await;
            }
        }
        self.take(&ended[n_taken..]);
        if ended.iter().any(|ended| matches!(ended.end, Err(Undone::Failed(_)))) {
            // The run fails: nothing else will be written of the step.
            if let Err(error) = self.all_written().await {
                tracing::warn!(%error, "results of a step that failed were not written");
            }
        } else if crew.is_idle() {
            // The state after the step has all that is left.
            self.queue.clear();
            self.all_written().await?;
        }
        Ok(())
    }

    /// Looks out for the ends of `jobs`. Those that begin beside others, at a rolling pace, may be
    /// others when the run goes on from its last state.
    fn begun(&mut self, jobs: &[Job], alone: bool) {
        if alone {
            self.open.clear();
            self.kickoffs.clear();
        }
        for Job { kickoff, .. } in jobs {
            let kickoffs = self
                .kickoffs
                .entry(kickoff.worker)
                .or_insert_with(|| Kickoffs::of(kickoff.key().clone()));
            if alone {
                self.open.insert(kickoff.id);
                kickoffs.begun();
            } else {
                kickoffs.mix();
            }
        }
    }

    /// Takes what has `ended`.
    fn take(&mut self, ended: &[Ended]) {
        for Ended { id, worker, end } in ended {
            if self.open.remove(id)
                && let Some(kickoffs) = self.kickoffs.get_mut(worker)
            {
                kickoffs.ended(&self.core, *id, end, &mut self.queue);
            }
        }
    }

    /// Writes until `next` is there, which is not held back by that.
    async fn meanwhile(&mut self, next: impl Future<Output = ()>) -> Result<(), RunError> {
        let mut next = pin!(next);
        poll_fn(|task| {
            if let Poll::Ready(Err(error)) = self.poll_written(task) {
                return Poll::Ready(Err(error));
            }
            next.as_mut().poll(task).map(Ok)
        })
        .await
    }

    /// Writes all that is to be written.
    async fn all_written(&mut self) -> Result<(), RunError> {
        poll_fn(|task| self.poll_written(task)).await
    }

    /// Ready when there is nothing to be written.
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
