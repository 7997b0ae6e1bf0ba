//! Runs one kickoff: calls its worker, in place or on the blocking pool.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Ended, Job, Kickoff, RunCore, instrument};
use crate::args::Args;
use crate::context::Context;
use crate::error::{Panicked, WorkerError};
use crate::graph::WorkerId;
use crate::machine::{KickoffId, Undone};
use crate::worker::{CallEnd, Called, Callee, Started};

/// A kickoff that has been started.
pub(super) enum Launched {
    Ended(Ended),
    Running(Execution),
}

/// The future of a running kickoff. It never panics.
pub(super) struct Execution {
    id: KickoffId,
    worker: WorkerId,
    future: BoxFuture<'static, CallEnd>,
}

/// Starts a kickoff, and polls it once if there is a `task`.
pub(super) fn launch(
    core: &Arc<RunCore>,
    job: Job,
    mut task: Option<&mut TaskContext<'_>>,
) -> Launched {
    let Job { id, worker, step, payload: body, cause, mut args, effects, replay } = job;
    let traced = tracing::enabled!(tracing::Level::DEBUG);
    let instrumented = body.hooked || core.is_attended() || traced;
    // A worker that takes no context needs none unless hooks or subscribers look at it.
    let started = if instrumented || body.context {
        let kickoff = Kickoff { id, worker, body, cause, step };
        let cx = Context::new(Arc::clone(core), kickoff, &args, effects, replay);
        // The common path below is a plain call: one allocation for the future of the worker, and
        // one for its context if it takes one. Everything else goes through `instrument`.
        if instrumented {
            let future = instrument::run(cx, args);
            return Execution { id, worker, future }.begun(task);
        }
        call(Callee(Called::WithContext(cx)), &mut args, task.as_deref_mut())
    } else {
        call(Callee(Called::Plain(body)), &mut args, task.as_deref_mut())
    };
    match started {
        Ok(Started::Ended(end)) => Launched::Ended(ended(id, worker, end)),
        Ok(Started::Async(future)) => Launched::Running(Execution { id, worker, future }),
        Ok(Started::Blocking(work)) => {
            let future = on_blocking_pool(core.thread_token(), work).boxed();
            Execution { id, worker, future }.begun(task)
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
}

impl Future for Execution {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(task)));
        let (id, worker) = (self.id, self.worker);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(end)) => Poll::Ready(ended(id, worker, end)),
            Err(panic) => Poll::Ready(failed(id, worker, panicked(&*panic))),
        }
    }
}

#[inline(always)]
fn ended(id: KickoffId, worker: WorkerId, (output, cx): CallEnd) -> Ended {
    let output = match &cx {
        Some(cx) => cx.checked(output),
        None => output,
    };
    let end = match output {
        Ok(output) => Ok((output, cx.map(Context::into_effects).unwrap_or_default())),
        Err(error) => {
            let interrupted = cx.and_then(|cx| {
                // The worker may have kept its context; requests from now on are refused.
                cx.requests().close();
                cx.interrupted()
            });
            Err(match interrupted {
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
pub(super) fn call(
    callee: Callee,
    args: &mut Args,
    task: Option<&mut TaskContext<'_>>,
) -> Result<Started, WorkerError> {
    let start = callee.body().worker.0.start();
    catch_unwind(AssertUnwindSafe(|| start(callee, args, task))).map_err(|panic| panicked(&*panic))
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
    let span = tracing::Span::current();
    let work = move || {
        let end = span.in_scope(work);
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
    let message = panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is no text".to_owned());
    Panicked { message }.into()
}
