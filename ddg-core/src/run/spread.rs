//! Shares jobs out among the threads of the runtime.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tracing::Instrument;

use super::RunCore;
use super::batch::Report;
use super::execution::{Launched, launch};
use super::kickoff::Job;

/// Jobs that have not been started, shared by the tasks that start them. Each takes a few at a
/// time: the fewer, the longer the last few took, so that nothing waits behind a worker that
/// computes while a thread has nothing to do.
pub(super) struct Spread {
    core: Arc<RunCore>,
    jobs: Mutex<std::vec::IntoIter<Job>>,
    n_tasks: usize,
}

/// About how long a task is busy with what it takes at a time.
const SHARE: Duration = Duration::from_micros(20);

/// The most that a task takes at a time.
const LARGEST_SHARE: usize = 64;

impl Spread {
    /// For `n_tasks` tasks.
    pub(super) fn new(core: &Arc<RunCore>, jobs: Vec<Job>, n_tasks: usize) -> Arc<Self> {
        Arc::new(Self { core: Arc::clone(core), jobs: Mutex::new(jobs.into_iter()), n_tasks })
    }

    /// Starts jobs until there are none left, then waits for those that it has started. Those that
    /// wait after their first poll get a task each: nothing is known about them.
    pub(super) async fn work(self: Arc<Self>) -> Report {
        let mut ended = Vec::new();
        let mut waiting = JoinSet::new();
        let mut share = Vec::new();
        let mut n = 1;
        while self.take(n, &mut share) {
            let began = Instant::now();
            poll_fn(|task| {
                for job in share.drain(..) {
                    match start(&self.core, job, Some(&mut *task)) {
                        Launched::Ended(end) => ended.push(end),
                        Launched::Running(execution) => {
                            waiting.spawn(execution.in_current_span());
                        }
                    }
                }
                Poll::Ready(())
            })
            .await;
            n = if began.elapsed() < SHARE { n * 2 } else { n / 2 }.clamp(1, LARGEST_SHARE);
            tokio::task::coop::consume_budget().await;
        }
        ended.extend(waiting.join_all().await);
        Report { ended, left: Vec::new() }
    }

    /// Takes `n` jobs, or this task's part of what is left; false if nothing is.
    fn take(&self, n: usize, share: &mut Vec<Job>) -> bool {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let part = jobs.len().div_ceil(self.n_tasks);
        share.extend(jobs.by_ref().take(n.min(part)));
        !share.is_empty()
    }
}

/// Runs one job to its end.
pub(super) async fn one(core: Arc<RunCore>, job: Job) -> Report {
    let mut job = Some(job);
    let launched = poll_fn(|task| {
        let job = job.take().expect("started once");
        Poll::Ready(start(&core, job, Some(task)))
    });
    let ended = match launched.await {
        Launched::Ended(ended) => ended,
        Launched::Running(execution) => execution.await,
    };
    Report { ended: vec![ended], left: Vec::new() }
}

/// Starts a job and keeps in mind how long its first poll took.
fn start(core: &Arc<RunCore>, job: Job, task: Option<&mut TaskContext<'_>>) -> Launched {
    let spec = Arc::clone(&job.kickoff.spec);
    let began = Instant::now();
    let launched = launch(core, job, task);
    spec.cost.saw(began.elapsed());
    launched
}
