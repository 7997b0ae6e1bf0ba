//! Runs one kickoff: its worker, with hooks, attempts and a timeout where it has them.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tracing::Instrument;

use super::asks::Asks;
use super::kickoff::{Ended, Job, KickoffId, Undone};
use super::{RunCore, spans};
use crate::args::Args;
use crate::callback::DynCallback;
use crate::context::Context;
use crate::event::EventKind;
use crate::graph::{Spec, WorkerId};
use crate::values::Value;
use crate::worker::{CallEnd, Called, Callee, Panicked, Retry, Started, TimedOut, WorkerError};

/// A kickoff that has been started.
pub(super) enum Launched {
    Ended(Ended),
    Running(Execution),
}

/// A kickoff that is running; a future that never panics.
pub(super) struct Execution {
    id: KickoffId,
    worker: WorkerId,
    future: BoxFuture<'static, CallEnd>,
}

type Output = Result<Value, WorkerError>;

/// Starts a kickoff, and polls it once if there is a `task`. A worker without extras is called
/// directly: one allocation for its future, and one for its context if it takes one.
pub(super) fn launch(
    core: &Arc<RunCore>,
    job: Job,
    mut task: Option<&mut TaskContext<'_>>,
) -> Launched {
    let Job { kickoff, mut args, again } = job;
    let (id, worker) = (kickoff.id, kickoff.worker);
    let spec = &kickoff.spec;
    let traced = tracing::enabled!(tracing::Level::DEBUG);
    let elaborate = spec.hooked || core.is_attended() || traced;
    let started = if elaborate {
        let cx = Context::new(Arc::clone(core), kickoff, &args, again);
        let future = elaborately(cx, args);
        return Execution { id, worker, future }.begun(task);
    } else if spec.context {
        let cx = Context::new(Arc::clone(core), kickoff, &args, again);
        call(Callee(Called::WithContext(cx)), &mut args, task.as_deref_mut())
    } else {
        call(Callee(Called::Plain(kickoff.spec)), &mut args, task.as_deref_mut())
    };
    match started {
        Ok(Started::Ended(end)) => Launched::Ended(ended(id, worker, end)),
        Ok(Started::Async(future)) => Launched::Running(Execution { id, worker, future }),
        Ok(Started::Blocking(work)) => {
            let future = on_blocking_pool(work).boxed();
            Execution { id, worker, future }.begun(task)
        }
        Err(panicked) => Launched::Ended(failed(id, worker, panicked)),
    }
}

impl Execution {
    /// Polls it once if there is a `task`.
    fn begun(mut self, task: Option<&mut TaskContext<'_>>) -> Launched {
        match task.map_or(Poll::Pending, |task| self.poll_unpin(task)) {
            Poll::Ready(ended) => Launched::Ended(ended),
            Poll::Pending => Launched::Running(self),
        }
    }

    /// Whose it is.
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
    let end = match output {
        Ok(output) => Ok((output, cx.map(Asks::of).unwrap_or_default())),
        Err(error) => {
            let interrupted = cx.and_then(|cx| {
                cx.asks().close();
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

/// Calls the worker; a panic in a synchronous one, or before the first `await`, is its error.
fn call(
    callee: Callee,
    args: &mut Args,
    task: Option<&mut TaskContext<'_>>,
) -> Result<Started, WorkerError> {
    let start = callee.spec().worker.0.start();
    catch_unwind(AssertUnwindSafe(|| start(callee, args, task))).map_err(|panic| panicked(&*panic))
}

async fn on_blocking_pool(work: Box<dyn FnOnce() -> CallEnd + Send>) -> CallEnd {
    let Ok(runtime) = Handle::try_current() else {
        let error = WorkerError::msg(
            "a synchronous worker needs a tokio runtime for its blocking pool: \
             run it within one, or mark the worker `inline`",
        );
        return (Err(error), None);
    };
    let span = tracing::Span::current();
    runtime.spawn_blocking(move || span.in_scope(work)).await.unwrap_or_else(|error| {
        let error = match error.try_into_panic() {
            Ok(panic) => panicked(&*panic),
            Err(error) => error.into(),
        };
        (Err(error), None)
    })
}

/// Runs a worker that has hooks, attempts, a timeout, a span or somebody who watches.
fn elaborately(cx: Context, args: Args) -> BoxFuture<'static, CallEnd> {
    let spanned = spans::worker(&cx);
    let span = spanned.span().clone();
    let watched = cx.core().is_watched();
    let run = async move {
        if watched {
            cx.tell(|worker, kickoff| EventKind::WorkerStarted { worker, kickoff });
        }
        let output = hooked(&cx, args, watched).await;
        if watched {
            tell_how(&cx, &output);
        }
        spanned.worker_ended(output.as_ref().err(), cx.asks().is_waiting());
        (output, Some(cx))
    };
    run.instrument(span).boxed()
}

/// Runs a worker with its hooks.
async fn hooked(cx: &Context, args: Args, watched: bool) -> Output {
    let spec = cx.spec();
    let hooks = || cx.core().callbacks.iter().chain(&spec.callbacks);
    for hook in hooks() {
        guard("will_run", cx, || hook.will_run(cx, &args)).await;
        if cx.asks().is_waiting() {
            return Err(waits());
        }
    }
    let mut output = attempts(spec, args, cx, watched).await;
    for hook in hooks().rev() {
        if cx.asks().is_waiting() {
            return Err(waits());
        }
        output = tell_end(hook, cx, output).await;
    }
    if cx.asks().is_waiting() { Err(waits()) } else { output }
}

/// Tells whoever watches how a worker has ended.
fn tell_how(cx: &Context, output: &Output) {
    cx.tell(|worker, kickoff| match output {
        _ if cx.asks().is_waiting() => EventKind::WorkerInterrupted { worker, kickoff },
        Ok(output) => EventKind::WorkerFinished { worker, kickoff, output: output.clone() },
        Err(error) => EventKind::WorkerFailed { worker, kickoff, error: error.to_string() },
    });
}

/// What stands for the output of an execution that waits for an answer; nobody sees it.
fn waits() -> WorkerError {
    WorkerError::msg("waits for an answer")
}

/// Tells a hook how the worker ended; a hook may put an output in place of an error.
async fn tell_end(hook: &Arc<dyn DynCallback>, cx: &Context, output: Output) -> Output {
    match output {
        Ok(output) => {
            guard("did_run", cx, || hook.did_run(cx, &output)).await;
            Ok(output)
        }
        Err(error) => match guard("did_fail", cx, || hook.did_fail(cx, &error)).await {
            Some(Some(substitute)) => Ok(substitute),
            Some(None) | None => Err(error),
        },
    }
}

/// Runs a hook; that it fails or panics is reported and changes nothing.
async fn guard<'a, T>(
    name: &'static str,
    cx: &Context,
    hook: impl FnOnce() -> BoxFuture<'a, Result<T, WorkerError>>,
) -> Option<T> {
    let hook = async { hook().await };
    let error = match AssertUnwindSafe(hook).catch_unwind().await {
        Ok(Ok(output)) => return Some(output),
        Ok(Err(error)) => error,
        Err(panic) => panicked(&*panic),
    };
    if !cx.asks().is_waiting() {
        tracing::warn!(worker = %cx.path(), hook = name, %error, "a callback failed; the run goes on");
    }
    None
}

/// Tries the worker until it succeeds or its retries are used up. What the successful attempt
/// asked for is handed to `cx`; what a failed one asked for is dropped.
async fn attempts(spec: &Arc<Spec>, mut args: Args, cx: &Context, watched: bool) -> Output {
    let mut pauses = spec.retry.map(Retry::waits);
    let mut tried = spans::Attempts(1);
    loop {
        let number = tried.0;
        let inner = cx.attempt_again(number);
        let given = if pauses.is_some() { args.clone() } else { std::mem::take(&mut args) };
        let output = attempt(spec, given, inner.clone()).await;
        inner.asks().close();
        let error = match output {
            Ok(output) => {
                cx.asks().adopt(inner.asks());
                return Ok(output);
            }
            Err(error) => error,
        };
        if let Some(pending) = inner.asks().take_pending() {
            cx.asks().wait_for(pending);
            return Err(error);
        }
        if watched {
            let (attempt, error) = (number, error.to_string());
            cx.tell(|worker, kickoff| EventKind::AttemptFailed { worker, kickoff, attempt, error });
        }
        let Some(wait) = pauses.as_mut().and_then(Iterator::next) else { return Err(error) };
        tracing::debug!(worker = %cx.path(), attempt = number, %error, ?wait, "retrying");
        if !wait.is_zero() && Handle::try_current().is_err() {
            return Err(error);
        }
        tried.0 += 1;
        if watched {
            let attempt = tried.0;
            cx.tell(|worker, kickoff| EventKind::WorkerRetrying { worker, kickoff, attempt, wait });
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Tries the worker once.
async fn attempt(spec: &Arc<Spec>, mut args: Args, cx: Context) -> Output {
    let work = async {
        let plain = || Called::Plain(Arc::clone(spec));
        let called = if spec.context { Called::WithContext(cx) } else { plain() };
        let (output, _) = match call(Callee(called), &mut args, None)? {
            Started::Ended(end) => end,
            Started::Async(future) => future.await,
            Started::Blocking(work) => on_blocking_pool(work).await,
        };
        output
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    let output = match (spec.timeout, Handle::try_current()) {
        (None, _) => work.await,
        (Some(_), Err(_)) => {
            return Err(WorkerError::msg("a timeout needs a tokio runtime: run it within one"));
        }
        (Some(after), Ok(_)) => match tokio::time::timeout(after, work).await {
            Ok(output) => output,
            Err(_) => return Err(TimedOut { after }.into()),
        },
    };
    output.unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> WorkerError {
    let message = panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is no text".to_owned());
    Panicked { message }.into()
}
