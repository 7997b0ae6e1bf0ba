//! Waiting executions that share a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::execution::Execution;
use super::kickoff::Ended;

/// Executions that wait together. As soon as one computes for long it is not left to keep the
/// others from getting on: the batch ends with what is left, to be spread over threads.
pub(super) struct Batch {
    members: FuturesUnordered<Member>,
    ended: Vec<Ended>,
    meter: Arc<Meter>,
}

/// What comes of a task.
pub(super) struct Report {
    pub(super) ended: Vec<Ended>,
    /// Executions that are to go on, each in a task of its own.
    pub(super) left: Vec<Execution>,
}

struct Member {
    execution: Execution,
    meter: Arc<Meter>,
}

/// Measures how long a batch has been polled without a break.
struct Meter {
    base: Instant,
    /// When the current poll of the batch began, in ns after `base`.
    began: AtomicU64,
    n_polls: AtomicU32,
    /// The members are heavy: none is to be polled in this task any more.
    heavy: AtomicBool,
}

/// How long the members of a batch may keep a thread, one after the other.
const HEAVY: Duration = Duration::from_micros(100);

/// How many polls are made between two looks at the clock.
const LOOK_EVERY: u32 = 4;

impl Batch {
    pub(super) fn new() -> Self {
        let meter = Meter {
            base: Instant::now(),
            began: AtomicU64::new(0),
            n_polls: AtomicU32::new(0),
            heavy: AtomicBool::new(false),
        };
        Self { members: FuturesUnordered::new(), ended: Vec::new(), meter: Arc::new(meter) }
    }

    pub(super) fn push(&mut self, execution: Execution) {
        self.members.push(Member { execution, meter: Arc::clone(&self.meter) });
    }
}

impl FromIterator<Execution> for Batch {
    fn from_iter<I: IntoIterator<Item = Execution>>(executions: I) -> Self {
        let mut batch = Self::new();
        executions.into_iter().for_each(|execution| batch.push(execution));
        batch
    }
}

impl Future for Batch {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Report> {
        let this = &mut *self;
        this.meter.begin();
        let left = loop {
            match this.members.poll_next_unpin(task) {
                Poll::Ready(Some(end)) => this.ended.push(end),
                Poll::Ready(None) => break Vec::new(),
                Poll::Pending if this.meter.heavy.load(Ordering::Relaxed) => {
                    let members = std::mem::take(&mut this.members);
                    break members.into_iter().map(|member| member.execution).collect();
                }
                Poll::Pending => return Poll::Pending,
            }
        };
        Poll::Ready(Report { ended: std::mem::take(&mut this.ended), left })
    }
}

impl Future for Member {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Ended> {
        if self.meter.heavy.load(Ordering::Relaxed) {
            // Polled again where it goes on.
            return Poll::Pending;
        }
        let polled = self.execution.poll_unpin(task);
        self.meter.count();
        polled
    }
}

impl Meter {
    fn begin(&self) {
        self.began.store(self.now(), Ordering::Relaxed);
    }

    /// Counts one poll; looks at the clock now and then.
    fn count(&self) {
        let n_polls = self.n_polls.fetch_add(1, Ordering::Relaxed);
        if n_polls.is_multiple_of(LOOK_EVERY) {
            let since = self.now().saturating_sub(self.began.load(Ordering::Relaxed));
            if u128::from(since) > HEAVY.as_nanos() {
                self.heavy.store(true, Ordering::Relaxed);
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
