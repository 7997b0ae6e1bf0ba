//! Instrumented calls: with hooks, attempts, a timeout, a span, subscribers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Either};
use tokio::runtime::Handle;
use tracing::Instrument;

use super::call::{call, on_blocking_pool, panicked};
use super::spans;
use crate::args::Args;
use crate::callback::DynCallback;
use crate::context::Context;
use crate::error::{TimedOut, WorkerError};
use crate::event::EventKind;
use crate::values::Value;
use crate::worker::{Body, CallEnd, Called, Callee, Retry, Rooms, Started};

type Output = Result<Value, WorkerError>;

/// Runs a worker with hooks, attempts, a timeout, a span or subscribers.
pub(super) fn run(cx: Context, args: Args) -> impl Future<Output = CallEnd> + Send {
    let spanned = spans::worker(&cx);
    let span = spanned.span().clone();
    let watched = cx.core().is_watched();
    let scope = cx.core().is_scoped().then(|| cx.core().scope()).flatten();
    let run = async move {
        if watched {
            cx.tell(|worker, kickoff| EventKind::WorkerStarted { worker, kickoff });
        }
        let output = cx.checked(hooked(&cx, args, watched).await);
        if watched {
            tell_how(&cx, &output);
        }
        spanned.worker_ended(output.as_ref().err(), cx.requests().is_waiting());
        (output, Some(Callee(Called::WithContext(cx))))
    };
    let run = run.instrument(span);
    match scope {
        Some(scope) => Either::Left(scope.enter(run)),
        None => Either::Right(run),
    }
}

/// Runs a worker with its hooks.
async fn hooked(cx: &Context, args: Args, watched: bool) -> Output {
    let body = cx.body();
    let hooks = || cx.core().callbacks.iter().chain(&body.callbacks);
    for hook in hooks() {
        guard("will_run", cx, || hook.will_run(cx, &args)).await;
        if cx.requests().is_waiting() {
            return Err(waits());
        }
    }
    let mut output = attempts(body, args, cx, watched).await;
    for hook in hooks().rev() {
        if cx.requests().is_waiting() {
            return Err(waits());
        }
        output = tell_end(hook, cx, output).await;
    }
    if cx.requests().is_waiting() { Err(waits()) } else { output }
}

/// Publishes how a worker has ended.
fn tell_how(cx: &Context, output: &Output) {
    cx.tell(|worker, kickoff| match output {
        _ if cx.requests().is_waiting() => EventKind::WorkerInterrupted { worker, kickoff },
        Ok(output) => EventKind::WorkerFinished { worker, kickoff, output: output.clone() },
        Err(error) => EventKind::WorkerFailed { worker, kickoff, error: error.to_string() },
    });
}

/// The error of an execution that waits for an answer. It is never shown.
fn waits() -> WorkerError {
    WorkerError::msg("waits for an answer")
}

/// Calls a hook with the end of the worker. The hook may replace an error by an output.
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
pub(super) async fn guard<'a, T>(
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
    if !cx.requests().is_waiting() {
        tracing::warn!(
            worker = %cx.path(),
            hook = name,
            %error,
            "a callback failed; the run continues"
        );
    }
    None
}

/// Tries the worker until it succeeds or has no retries left. The effects of the successful attempt
/// are passed to `cx`, those of failed attempts are dropped.
async fn attempts(body: &Arc<Body>, mut args: Args, cx: &Context, watched: bool) -> Output {
    let mut pauses = body.calling.retry.map(Retry::waits);
    let mut tried = spans::Attempts(1);
    loop {
        let number = tried.0;
        // Each attempt has requests of its own, so those of a failed attempt can be dropped.
        let inner = cx.attempt_again(number);
        // Arguments are cloned only if there may be another attempt.
        let given = if pauses.is_some() { args.clone() } else { std::mem::take(&mut args) };
        let output = inner.checked(attempt(body, given, inner.clone()).await);
        inner.requests().close();
        let error = match output {
            Ok(output) => {
                cx.requests().adopt(inner.requests());
                return Ok(output);
            }
            Err(error) => error,
        };
        // An interrupted attempt is not a failure and is not retried.
        if let Some(pending) = inner.requests().take_pending() {
            cx.requests().wait_for(pending);
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
        if wait.is_zero() {
            // A worker that fails at once must not block its thread for all of its attempts,
            // without any chance for cancellation, timeouts and other tasks.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Tries the worker once.
async fn attempt(body: &Arc<Body>, mut args: Args, cx: Context) -> Output {
    let token = cx.core().thread_token();
    let work = async {
        let plain = || Called::Plain(Arc::clone(body));
        let called = if body.context { Called::WithContext(cx) } else { plain() };
        let rooms = &mut Rooms::default();
        let (output, _) = match call(body.start, Callee(called), &mut args, rooms, None)? {
            Started::Ended(end) => end,
            Started::Async(future) => future.await,
            Started::Blocking(work) => on_blocking_pool(token, work).await,
        };
        output
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    let output = match (body.calling.timeout, Handle::try_current()) {
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
