//! Work sharing: hands jobs out to the threads of the runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::batch::Report;
use super::poll_clock::PollClock;
use crate::engine::call::{Execution, Launched, launch};
use crate::engine::{Ended, Job, RunCore, Spares};
use crate::worker::Body;

/// Unstarted jobs, shared by the tasks that start them. Each task takes a few at a time: the longer
/// its last few took, the fewer it takes. So no job waits behind a worker that computes while
/// another thread is idle.
pub(super) struct Share {
    core: Arc<RunCore>,
    jobs: Mutex<std::vec::IntoIter<Job>>,
    n_tasks: usize,
}

/// The time that a share should take. Long enough to make the cost of the lock small, and short
/// enough that no thread is idle for long.
const BUSY: Duration = Duration::from_micros(20);

/// Maximum number of jobs that a task takes at a time.
const LARGEST_SHARE: usize = 64;

impl Share {
    /// Creates a share for `n_tasks` tasks.
    pub(super) fn new(core: &Arc<RunCore>, jobs: Vec<Job>, n_tasks: usize) -> Arc<Self> {
        Arc::new(Self { core: Arc::clone(core), jobs: Mutex::new(jobs.into_iter()), n_tasks })
    }

    /// Starts jobs until none are left, then waits for those that it has started. A job that has
    /// not ended at its first poll gets a task of its own, because its next polls may be heavy.
    pub(super) async fn work(self: Arc<Self>) -> Report {
        let mut ended = Vec::new();
        let mut waiting = JoinSet::new();
        let mut share = Vec::new();
        let mut spares = Spares::default();
        let mut n = 1;
        while self.take(n, &mut share) {
            let began = self.core.poll_clock.now();
            poll_fn(|task| {
                for job in share.drain(..) {
                    match start(&self.core, job, &mut spares, task) {
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
            // Doubling and halving adapts within a few shares, without a measurement of each job.
            let took = self.core.poll_clock.now() - began;
            n = if took < BUSY { n * 2 } else { n / 2 }.clamp(1, LARGEST_SHARE);
            tokio::task::coop::consume_budget().await;
        }
        ended.extend(waiting.join_all().await);
        Report { ended, left: Vec::new() }
    }

    /// Takes `n` jobs, but at most this task's part of what is left. Returns false if there are
    /// none.
    fn take(&self, n: usize, share: &mut Vec<Job>) -> bool {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // Near the end each task takes only its part, so that all tasks finish together.
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
        Poll::Ready(start(&core, job, &mut Spares::default(), task))
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
fn start(
    core: &Arc<RunCore>,
    mut job: Job,
    spares: &mut Spares,
    task: &mut TaskContext<'_>,
) -> Begun {
    let body = Arc::clone(core.body(&job));
    let began = core.poll_clock.now();
    let launched = launch(core, &mut job, spares, Some(task));
    let longest = core.poll_clock.now() - began;
    match launched {
        Launched::Ended(ended) => {
            body.cost.saw(longest);
            Begun::Ended(ended)
        }
        Launched::Running(execution) => {
            let clock = core.poll_clock.clone();
            Begun::Running(Measured { execution, body, longest, clock })
        }
    }
}

/// An execution whose longest poll is recorded as its worker's cost.
pub(super) struct Measured {
    execution: Execution,
    body: Arc<Body>,
    longest: Duration,
    clock: PollClock,
}

impl Measured {
    pub(super) fn new(execution: Execution, body: Arc<Body>, clock: PollClock) -> Self {
        Self { execution, body, longest: Duration::ZERO, clock }
    }
}

impl Future for Measured {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Ended> {
        let began = self.clock.now();
        let polled = self.execution.poll_unpin(task);
        self.longest = self.longest.max(self.clock.now() - began);
        if polled.is_ready() {
            self.body.cost.saw(self.longest);
        }
        polled
    }
}
