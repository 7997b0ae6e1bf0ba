//! Shares jobs out among the threads of the runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::batch::Report;
use crate::engine::call::{Execution, Launched, launch};
use crate::engine::{Ended, Job, RunCore};
use crate::worker::Body;

/// Jobs that have not been started, shared by the tasks that start them. Each takes a few at a
/// time: the fewer, the longer the last few took, so that nothing waits behind a worker that
/// computes while a thread has nothing to do.
pub(super) struct Share {
    core: Arc<RunCore>,
    jobs: Mutex<std::vec::IntoIter<Job>>,
    n_tasks: usize,
}

/// About how long a task is busy with what it takes at a time.
const BUSY: Duration = Duration::from_micros(20);

/// The most that a task takes at a time.
const LARGEST_SHARE: usize = 64;

impl Share {
    /// For `n_tasks` tasks.
    pub(super) fn new(core: &Arc<RunCore>, jobs: Vec<Job>, n_tasks: usize) -> Arc<Self> {
        Arc::new(Self { core: Arc::clone(core), jobs: Mutex::new(jobs.into_iter()), n_tasks })
    }

    /// Starts jobs until there are none left, then waits for those that it has started. What has
    /// not ended at its first poll gets a task of its own, since little is known about it.
    pub(super) async fn work(self: Arc<Self>) -> Report {
        let mut ended = Vec::new();
        let mut waiting = JoinSet::new();
        let mut share = Vec::new();
        let mut n = 1;
        while self.take(n, &mut share) {
            let began = Instant::now();
            poll_fn(|task| {
                for job in share.drain(..) {
                    match start(&self.core, job, task) {
                        Begun::Ended(end) => ended.push(end),
                        Begun::Running(measured) => {
                            match self.core.acting() {
                                None => waiting.spawn(measured.in_current_span()),
                                Some(acting) => {
                                    let measured = measured.in_current_span();
                                    waiting.spawn(acting.tasks.track_future(measured))
                                }
                            };
                        }
                    }
                }
                Poll::Ready(())
            })
            .await;
            n = if began.elapsed() < BUSY { n * 2 } else { n / 2 }.clamp(1, LARGEST_SHARE);
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
    let begun = poll_fn(|task| {
        let job = job.take().expect("started once");
        Poll::Ready(start(&core, job, task))
    });
    let ended = match begun.await {
        Begun::Ended(ended) => ended,
        Begun::Running(measured) => measured.await,
    };
    Report { ended: vec![ended], left: Vec::new() }
}

enum Begun {
    Ended(Ended),
    Running(Measured),
}

/// Starts a job and polls it once.
fn start(core: &Arc<RunCore>, job: Job, task: &mut TaskContext<'_>) -> Begun {
    let body = Arc::clone(&job.payload);
    let began = Instant::now();
    let launched = launch(core, job, Some(task));
    let longest = began.elapsed();
    match launched {
        Launched::Ended(ended) => {
            body.cost.saw(longest);
            Begun::Ended(ended)
        }
        Launched::Running(execution) => Begun::Running(Measured { execution, body, longest }),
    }
}

/// An execution whose longest poll is kept in mind.
pub(super) struct Measured {
    execution: Execution,
    body: Arc<Body>,
    longest: Duration,
}

impl Measured {
    pub(super) fn new(execution: Execution, body: Arc<Body>) -> Self {
        Self { execution, body, longest: Duration::ZERO }
    }
}

impl Future for Measured {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Ended> {
        let began = Instant::now();
        let polled = self.execution.poll_unpin(task);
        self.longest = self.longest.max(began.elapsed());
        if polled.is_ready() {
            self.body.cost.saw(self.longest);
        }
        polled
    }
}
