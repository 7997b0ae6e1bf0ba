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

use super::RunCore;
use super::kickoff::{End, Job, Kickoff, KickoffId};
use crate::args::Args;
use crate::callback::DynCallback;
use crate::context::Context;
use crate::graph::Spec;
use crate::values::Value;
use crate::worker::{Call, Panicked, Retry, Started, TimedOut, WorkerError};

/// A kickoff that has been started.
pub(super) enum Launched {
    /// It has ended without having to be polled.
    Ended(KickoffId, End),
    Running(Execution),
}

/// A kickoff that is running; a future that never panics.
pub(super) struct Execution {
    id: KickoffId,
    future: BoxFuture<'static, Result<Value, WorkerError>>,
    cx: Option<Context>,
}

type Output = Result<Value, WorkerError>;

/// Starts a kickoff. A worker without extras is called directly: one allocation for its future,
/// and one for its context if it takes one.
pub(super) fn launch(core: &Arc<RunCore>, job: Job) -> Launched {
    let Job { kickoff, args } = job;
    let id = kickoff.id;
    let spec = &kickoff.spec;
    let hooked = !core.callbacks.is_empty() || !spec.callbacks.is_empty();
    let traced = tracing::enabled!(tracing::Level::DEBUG);
    if hooked || traced || spec.retry.is_some() || spec.timeout.is_some() {
        return Launched::Running(launch_elaborately(core, kickoff, args));
    }
    let (started, cx) = if spec.context {
        let cx = Context::new(Arc::clone(core), kickoff, 1);
        (call(cx.spec(), args, Some(cx.clone())), Some(cx))
    } else {
        (call(spec, args, None), None)
    };
    match started {
        Started::Ended(output) => Launched::Ended(id, end(output, cx.as_ref())),
        Started::Async(future) => Launched::Running(Execution { id, future, cx }),
        Started::Blocking(work) => {
            Launched::Running(Execution { id, future: on_blocking_pool(work).boxed(), cx })
        }
    }
}

fn launch_elaborately(core: &Arc<RunCore>, kickoff: Kickoff, args: Args) -> Execution {
    let id = kickoff.id;
    let span = tracing::debug_span!(
        "worker",
        key = %kickoff.key(),
        cause = %kickoff.cause,
        step = kickoff.step,
    );
    let cx = Context::new(Arc::clone(core), kickoff, 1);
    let outer = cx.clone();
    let future = async move { elaborately(outer.core(), outer.spec(), args, &outer).await };
    Execution { id, future: future.instrument(span).boxed(), cx: Some(cx) }
}

impl Future for Execution {
    type Output = (KickoffId, End);

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(task)));
        let output = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => output,
            Err(panic) => Err(panicked(&*panic)),
        };
        Poll::Ready((self.id, end(output, self.cx.as_ref())))
    }
}

fn end(output: Output, cx: Option<&Context>) -> End {
    let asks = cx.map(Context::close).unwrap_or_default();
    match output {
        Ok(output) => End::Done { output, asks },
        Err(error) => End::Failed(error),
    }
}

/// Calls the worker; a panic in a synchronous one, or before the first `await`, is its error.
fn call(spec: &Spec, args: Args, cx: Option<Context>) -> Started {
    let worker = Arc::clone(&spec.worker.0);
    let call = Call { args, cx };
    match catch_unwind(AssertUnwindSafe(|| worker.call(call, spec.placement))) {
        Ok(started) => started,
        Err(panic) => Started::Ended(Err(panicked(&*panic))),
    }
}

async fn on_blocking_pool(work: Box<dyn FnOnce() -> Result<Value, WorkerError> + Send>) -> Output {
    let Ok(runtime) = Handle::try_current() else {
        return Err(WorkerError::msg(
            "a synchronous worker needs a tokio runtime for its blocking pool: \
             run it within one, or mark the worker `inline`",
        ));
    };
    let span = tracing::Span::current();
    match runtime.spawn_blocking(move || span.in_scope(work)).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Err(panicked(&*panic)),
            Err(error) => Err(error.into()),
        },
    }
}

/// Runs a worker that has hooks, attempts, a timeout or a span.
async fn elaborately(core: &RunCore, spec: &Spec, args: Args, cx: &Context) -> Output {
    let hooks = || core.callbacks.iter().chain(&spec.callbacks);
    for hook in hooks() {
        guard("will_run", cx, || hook.will_run(cx, &args)).await;
    }
    let mut output = attempts(spec, args, cx).await;
    for hook in hooks().rev() {
        output = ended(hook, cx, output).await;
    }
    output
}

/// Tells a hook how the worker ended; a hook may put an output in place of an error.
async fn ended(hook: &Arc<dyn DynCallback>, cx: &Context, output: Output) -> Output {
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
    tracing::warn!(worker = %cx.path(), hook = name, %error, "a callback failed; the run goes on");
    None
}

/// Tries the worker until it succeeds or its retries are used up. What the successful attempt
/// asked for is handed to `cx`; what a failed one asked for is dropped.
async fn attempts(spec: &Spec, args: Args, cx: &Context) -> Output {
    let mut waits = spec.retry.map(Retry::waits);
    let mut number = 1;
    loop {
        let inner = cx.attempt_again(number);
        let output = attempt(spec, args.clone(), inner.clone()).await;
        let asks = inner.close();
        let error = match output {
            Ok(output) => {
                cx.adopt(asks);
                return Ok(output);
            }
            Err(error) => error,
        };
        let Some(wait) = waits.as_mut().and_then(Iterator::next) else { return Err(error) };
        tracing::debug!(worker = %cx.path(), attempt = number, %error, ?wait, "retrying");
        if !wait.is_zero() {
            match Handle::try_current() {
                Ok(_) => tokio::time::sleep(wait).await,
                Err(_) => return Err(error),
            }
        }
        number += 1;
    }
}

/// Tries the worker once.
async fn attempt(spec: &Spec, args: Args, cx: Context) -> Output {
    let work = async {
        match call(spec, args, spec.context.then_some(cx)) {
            Started::Ended(output) => output,
            Started::Async(future) => future.await,
            Started::Blocking(work) => on_blocking_pool(work).await,
        }
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
