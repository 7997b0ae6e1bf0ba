//! Runs that are polled within one another: a worker that runs an automa, whose workers run others,
//! and so on.
//!
//! **Invariant.** No more than [`RUNS_PER_STACK`] runs are polled on one stack, so that no depth
//! overflows it. (Nested automata see to this themselves, because they know how deep they are.)

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{BoxFuture, Either, Ready, pending, ready};
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::run::{Outcome, RunError};

type Ended = Result<Outcome, RunError>;

/// Number of runs on a stack after which the next one becomes a task, with a stack of its own.
const RUNS_PER_STACK: u32 = 8;

/// Maximum number of runs on a stack without a runtime to spawn tasks on.
const MOST: u32 = 32;

thread_local! {
    /// The number of runs that are being polled on this stack.
    static N_RUNS: Cell<u32> = const { Cell::new(0) };
}

/// A run in its caller's task, or in a task of its own if the caller is deep inside other runs.
pub(crate) type Stacked<F> = Either<Counted<F>, Either<OwnTask, Ready<Ended>>>;

/// Returns `run`, of the automa of this name, so that its caller can poll it.
pub(crate) fn stacked<F>(run: F, automa: &str) -> Stacked<F>
where
    F: Future<Output = Ended> + Send + 'static,
{
    // A future is usually made where it is awaited.
    let n_around = N_RUNS.get();
    let has_runtime = || Handle::try_current().is_ok();
    if n_around < RUNS_PER_STACK || n_around < MOST && !has_runtime() {
        return Either::Left(Counted { n_runs: n_around + 1, run });
    }
    let automa = automa.to_owned();
    Either::Right(match has_runtime() {
        true => Either::Left(OwnTask { automa, stage: Stage::Waiting(run.boxed()) }),
        false => Either::Right(ready(Err(RunError::TooDeep { automa, levels: MOST }))),
    })
}

pin_project! {
    /// A run that is the `n_runs`th on its stack.
    pub(crate) struct Counted<F> {
        n_runs: u32,
        #[pin]
        run: F,
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        /// Sets the number back, also if the run panics.
        struct Around(u32);

        impl Drop for Around {
            fn drop(&mut self) {
                N_RUNS.set(self.0);
            }
        }

        let this = self.project();
        let _around = Around(N_RUNS.replace(*this.n_runs));
        this.run.poll(task)
    }
}

/// A run that becomes a task when it is first polled. The task is aborted if this is dropped.
pub(crate) struct OwnTask {
    automa: String,
    stage: Stage,
}

enum Stage {
    Waiting(BoxFuture<'static, Ended>),
    Spawned(AbortOnDropHandle<Ended>),
}

impl Future for OwnTask {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Ended> {
        if let Stage::Waiting(run) = &mut self.stage {
            let run = std::mem::replace(run, pending().boxed());
            let spawned = tokio::spawn(run.in_current_span());
            self.stage = Stage::Spawned(AbortOnDropHandle::new(spawned));
        }
        let Self { automa, stage: Stage::Spawned(spawned) } = &mut *self else {
            return Poll::Pending;
        };
        spawned.poll_unpin(task).map(|joined| match joined.map_err(JoinError::try_into_panic) {
            Ok(ended) => ended,
            // The panic continues in the caller, as if the run had been polled there.
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime shuts down.
            Err(Err(_)) => Err(RunError::Cancelled { automa: automa.clone() }),
        })
    }
}
