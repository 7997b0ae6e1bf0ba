//! Runs one kickoff: calls its worker, in place or on the blocking pool.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use tokio::runtime::Handle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::spares::Kicked;
use super::{Effects, Ended, Job, RunCore, RunScope, Spares, instrument};
use crate::args::Args;
use crate::error::{Panicked, WorkerError};
use crate::graph::WorkerId;
use crate::machine::{Cause, KickoffId, Undone};
use crate::worker::{Call, CallEnd, Called, Callee, Rooms, Start, Started};

/// A kickoff that has been started.
pub(super) enum Launched {
    Ended(Ended),
    Running(Execution),
}

/// A running kickoff: a future that never panics.
pub(super) struct Execution {
    id: KickoffId,
    worker: WorkerId,
    call: Call,
}

/// Starts a kickoff, and polls it once if there is a `task`. Takes all out of `job`.
pub(super) fn launch(
    core: &Arc<RunCore>,
    job: &mut Job,
    spares: &mut Spares,
    mut task: Option<&mut TaskContext<'_>>,
) -> Launched {
    let body = core.body(job);
    let traced = tracing::enabled!(tracing::Level::DEBUG);
    let instrumented = body.hooked || core.is_attended() || traced;
    let takes_context = body.context;
    let start = body.start;
    let (id, worker, payload) = (job.id, job.worker, job.payload.take());
    // A worker that takes no context needs none unless hooks or subscribers look at it.
    let called = if instrumented || takes_context {
        let cause = std::mem::replace(&mut job.cause, Cause::Dependencies);
        let kickoff = Kicked { id, worker, payload, cause, step: job.step };
        let effects = std::mem::take(&mut job.effects);
        let cx = spares.context(core, kickoff, &job.args, effects, job.replay.take());
        // The common path below is a plain call, which uses memory again that earlier executions
        // have left. Everything else goes through `instrument`.
        if instrumented {
            let call = Call::new(instrument::run(cx, std::mem::take(&mut job.args)));
            return Execution { id, worker, call }.begun(task);
        }
        Called::WithContext(cx)
    } else {
        if job.replay.is_some() {
            job.replay = None;
        }
        match payload {
            None => Called::Declared(spares.topology(core), worker),
            Some(body) => Called::Plain(body),
        }
    };
    let called = call(start, Callee(called), &mut job.args, &mut spares.rooms, task.as_deref_mut());
    // What the worker has not taken is dropped now, and not when the place is used again.
    job.args.clear();
    match called {
        Ok(Started::Ended(end)) => Launched::Ended(ended(id, worker, end, Some(spares))),
        Ok(Started::Async(call)) => Launched::Running(Execution { id, worker, call }),
        Ok(Started::Blocking(work)) => {
            let call = Call::new(on_blocking_pool(core.thread_token(), work));
            Execution { id, worker, call }.begun(task)
        }
        Err(panicked) => Launched::Ended(failed(id, worker, panicked)),
    }
}

impl Execution {
    /// Polls the execution once if there is a `task`.
    fn begun(mut self, task: Option<&mut TaskContext<'_>>) -> Launched {
        match task.map_or(Poll::Pending, |task| self.poll_unpin(task)) {
            Poll::Ready(ended) => Launched::Ended(ended),
            Poll::Pending => Launched::Running(self),
        }
    }

    /// The id of the worker.
    pub(super) fn worker(&self) -> WorkerId {
        self.worker
    }

    /// Polls the execution. What it leaves behind goes to `spares`.
    pub(super) fn poll_end(
        &mut self,
        spares: Option<&mut Spares>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Ended> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.call.poll(task)));
        let (id, worker) = (self.id, self.worker);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(end)) => Poll::Ready(ended(id, worker, end, spares)),
            Err(panic) => Poll::Ready(failed(id, worker, panicked(&*panic))),
        }
    }
}

impl Future for Execution {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.poll_end(None, task)
    }
}

/// The end of an execution. The callee goes to `spares`.
#[inline(always)]
fn ended(
    id: KickoffId,
    worker: WorkerId,
    (output, callee): CallEnd,
    spares: Option<&mut Spares>,
) -> Ended {
    let cx = match callee {
        Some(Callee(Called::WithContext(cx))) => cx,
        callee => {
            if let (Some(Callee(Called::Declared(topology, _))), Some(spares)) = (callee, spares) {
                spares.keep_topology(topology);
            }
            let end = output.map(|output| (output, Effects::default())).map_err(Undone::Failed);
            return Ended { id, worker, end };
        }
    };
    let end = match cx.checked(output) {
        Ok(output) => {
            let (effects, cx) = cx.into_effects();
            if let (Some(cx), Some(spares)) = (cx, spares) {
                spares.keep(cx);
            }
            Ok((output, effects))
        }
        Err(error) => {
            // The worker may have kept its context; requests from now on are refused.
            cx.requests().close();
            Err(match cx.interrupted() {
                Some(interrupted) => Undone::Interrupted(Box::new(interrupted)),
                None => Undone::Failed(error),
            })
        }
    };
    Ended { id, worker, end }
}

fn failed(id: KickoffId, worker: WorkerId, error: WorkerError) -> Ended {
    Ended { id, worker, end: Err(Undone::Failed(error)) }
}

/// Calls the worker. A panic of a synchronous worker, or before the first `await`, becomes its
/// error.
#[inline(always)]
pub(super) fn call(
    start: Start,
    callee: Callee,
    args: &mut Args,
    rooms: &mut Rooms,
    task: Option<&mut TaskContext<'_>>,
) -> Result<Started, WorkerError> {
    catch_unwind(AssertUnwindSafe(|| start(callee, args, rooms, task))).map_err(|panic| {
        // The future that has panicked may be in one of them.
        *rooms = Rooms::default();
        panicked(&*panic)
    })
}

/// Runs a worker on the blocking pool. The `token` of its run is held until the worker has ended.
pub(super) async fn on_blocking_pool(
    token: Option<TaskTrackerToken>,
    work: Box<dyn FnOnce() -> CallEnd + Send>,
) -> CallEnd {
    let Ok(runtime) = Handle::try_current() else {
        let error = WorkerError::msg(
            "a synchronous worker needs a tokio runtime for its blocking pool: \
             run it within one, or mark the worker `inline`",
        );
        return (Err(error), None);
    };
    let (span, scope) = (tracing::Span::current(), RunScope::here());
    let work = move || {
        let work = || span.in_scope(work);
        let end = match scope {
            Some(scope) => scope.in_scope(work),
            None => work(),
        };
        drop(token);
        end
    };
    runtime.spawn_blocking(work).await.unwrap_or_else(|error| {
        let error = match error.try_into_panic() {
            Ok(panic) => panicked(&*panic),
            Err(error) => error.into(),
        };
        (Err(error), None)
    })
}

pub(super) fn panicked(panic: &(dyn Any + Send)) -> WorkerError {
    Panicked { message: panic_message(panic) }.into()
}

/// The message of a panic.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|message| (*message).to_owned());
    let message = literal.or_else(|| panic.downcast_ref::<String>().cloned());
    message.unwrap_or_else(|| "with a value that is no text".to_owned())
}
