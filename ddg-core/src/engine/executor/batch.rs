//! A batch: waiting executions that share a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::poll_clock::PollClock;
use super::poll_timer::PollTimer;
use crate::engine::Ended;
use crate::engine::call::Execution;

/// Executions that wait together in one task. When one turns out to compute for long, the batch
/// ends and returns the executions that are left, to be spread over threads, so that it does not
/// delay them.
pub(super) struct Batch {
    members: FuturesUnordered<Member>,
    ended: Vec<Ended>,
    meter: Arc<Meter>,
}

/// The result of a task.
pub(super) struct Report {
    pub(super) ended: Vec<Ended>,
    /// Executions that continue, each in a task of its own.
    pub(super) left: Vec<Execution>,
}

struct Member {
    execution: Execution,
    meter: Arc<Meter>,
}

/// The timer of a batch, shared by its members, which are polled one at a time.
struct Meter {
    clock: PollClock,
    timer: Mutex<PollTimer>,
    /// Whether the members turned out to be heavy. None is polled in this task any more.
    heavy: AtomicBool,
}

impl Batch {
    pub(super) fn new(clock: &PollClock, executions: impl IntoIterator<Item = Execution>) -> Self {
        let meter = Arc::new(Meter {
            timer: Mutex::new(PollTimer::new(clock.now())),
            clock: clock.clone(),
            heavy: AtomicBool::new(false),
        });
        let member = |execution| Member { execution, meter: Arc::clone(&meter) };
        let members = executions.into_iter().map(member).collect();
        Self { members, ended: Vec::new(), meter }
    }
}

impl Future for Batch {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Report> {
        let this = &mut *self;
        // The time since the last poll was spent waiting, not computing.
        this.meter.timer().resume(this.meter.clock.now());
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
            // It will be polled in its own task.
            return Poll::Pending;
        }
        let polled = self.execution.poll_unpin(task);
        if self.meter.timer().is_heavy(|| self.meter.clock.now()) {
            self.meter.heavy.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl Meter {
    fn timer(&self) -> MutexGuard<'_, PollTimer> {
        self.timer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
