//! Hooks around workers and runs, in three scopes: the process, an automa, one worker.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::args::Args;
use crate::context::Context;
use crate::error::WorkerError;
use crate::run::{Outcome, RunError};
use crate::values::Value;

/// Hooks around a worker. Implement the ones that you need.
///
/// There are three scopes: [`install`] (every worker in the process), [`GraphAutoma::add_callback`]
/// (every worker of an automa, of its nested automata, and those added at run time) and
/// [`WorkerOptions::callback`] (one worker). Start hooks run from the outermost scope to the
/// innermost, and within a scope in the order in which they were added. End and error hooks run in
/// the reverse order.
///
/// The hooks run once per kickoff, however often it is retried. If a hook fails or panics, a
/// warning is logged with `tracing` and the run continues as if there were no such hook.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::sync::Arc;
/// use ddg_core::prelude::*;
///
/// struct Count(Arc<AtomicU32>);
///
/// impl Callback for Count {
///     async fn did_run(&self, _cx: &Context, _output: &Value) -> Result<(), WorkerError> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         Ok(())
///     }
///
///     async fn did_fail(&self, cx: &Context, error: &WorkerError) -> Result<Option<Value>, WorkerError> {
///         println!("{} failed: {error}", cx.path());
///         Ok(Some(Value::new(0_i64)))                 // stands for the output
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let count = Arc::new(AtomicU32::new(0));
/// let mut automa = GraphAutoma::new("parse");
/// automa.add_func_as_worker("parse", |text: String| text.parse::<i64>(), start().output())?;
/// automa.add_callback(Count(Arc::clone(&count)));
/// assert_eq!(automa.run(args!("7")).output::<i64>().await?, 7);
/// assert_eq!(automa.run(args!("x")).output::<i64>().await?, 0);
/// assert_eq!(count.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
///
/// [`GraphAutoma::add_callback`]: crate::GraphAutoma::add_callback
/// [`WorkerOptions::callback`]: crate::WorkerOptions::callback
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a callback",
    label = "not a callback",
    note = "implement `Callback` for a type of yours; its methods are the hooks, such as `did_run`"
)]
pub trait Callback: Send + Sync + 'static {
    /// Called before the worker runs.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn will_run(
        &self,
        cx: &Context,
        args: &Args,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        _ = (cx, args);
        async { Ok(()) }
    }

    /// Called after the worker has run, or after another hook gave an output in place of its error.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn did_run(
        &self,
        cx: &Context,
        output: &Value,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        _ = (cx, output);
        async { Ok(()) }
    }

    /// Called after the worker has failed for good, or could not be called. A value returned here
    /// replaces its output, and the hooks further out see a worker that has run. The step of a
    /// worker that could not be called fails in any case.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> impl Future<Output = Result<Option<Value>, WorkerError>> + Send {
        _ = (cx, error);
        async { Ok(None) }
    }

    /// Called before the first step of a run of the automa `automa`, and of a resumed one. A nested
    /// automa has the hooks of its worker instead.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn run_will_start(&self, automa: &str) -> impl Future<Output = Result<(), WorkerError>> + Send {
        _ = automa;
        async { Ok(()) }
    }

    /// Called after a run has finished, paused or stopped.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn run_did_end(
        &self,
        outcome: &Outcome,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        _ = outcome;
        async { Ok(()) }
    }

    /// Called after a run has failed. Not called for a run that is cancelled or dropped, or cannot
    /// begin.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn run_did_fail(
        &self,
        automa: &str,
        error: &RunError,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        _ = (automa, error);
        async { Ok(()) }
    }
}

/// A [`Callback`] as a trait object.
pub(crate) trait DynCallback: Send + Sync {
    fn will_run<'a>(
        &'a self,
        cx: &'a Context,
        args: &'a Args,
    ) -> BoxFuture<'a, Result<(), WorkerError>>;

    fn did_run<'a>(
        &'a self,
        cx: &'a Context,
        output: &'a Value,
    ) -> BoxFuture<'a, Result<(), WorkerError>>;

    fn did_fail<'a>(
        &'a self,
        cx: &'a Context,
        error: &'a WorkerError,
    ) -> BoxFuture<'a, Result<Option<Value>, WorkerError>>;

    fn run_will_start<'a>(&'a self, automa: &'a str) -> BoxFuture<'a, Result<(), WorkerError>>;

    fn run_did_end<'a>(&'a self, outcome: &'a Outcome) -> BoxFuture<'a, Result<(), WorkerError>>;

    fn run_did_fail<'a>(
        &'a self,
        automa: &'a str,
        error: &'a RunError,
    ) -> BoxFuture<'a, Result<(), WorkerError>>;
}

impl<C: Callback> DynCallback for C {
    fn will_run<'a>(
        &'a self,
        cx: &'a Context,
        args: &'a Args,
    ) -> BoxFuture<'a, Result<(), WorkerError>> {
        Callback::will_run(self, cx, args).boxed()
    }

    fn did_run<'a>(
        &'a self,
        cx: &'a Context,
        output: &'a Value,
    ) -> BoxFuture<'a, Result<(), WorkerError>> {
        Callback::did_run(self, cx, output).boxed()
    }

    fn did_fail<'a>(
        &'a self,
        cx: &'a Context,
        error: &'a WorkerError,
    ) -> BoxFuture<'a, Result<Option<Value>, WorkerError>> {
        Callback::did_fail(self, cx, error).boxed()
    }

    fn run_will_start<'a>(&'a self, automa: &'a str) -> BoxFuture<'a, Result<(), WorkerError>> {
        Callback::run_will_start(self, automa).boxed()
    }

    fn run_did_end<'a>(&'a self, outcome: &'a Outcome) -> BoxFuture<'a, Result<(), WorkerError>> {
        Callback::run_did_end(self, outcome).boxed()
    }

    fn run_did_fail<'a>(
        &'a self,
        automa: &'a str,
        error: &'a RunError,
    ) -> BoxFuture<'a, Result<(), WorkerError>> {
        Callback::run_did_fail(self, automa, error).boxed()
    }
}

static INSTALLED: RwLock<Vec<(u64, Arc<dyn DynCallback>)>> = RwLock::new(Vec::new());

/// Installs a callback around every worker of every run that starts in this process from now on,
/// until the returned guard is dropped.
///
/// ```
/// use ddg_core::prelude::*;
///
/// struct Log;
///
/// impl Callback for Log {
///     async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
///         println!("{} runs with {args:?}", cx.path());
///         Ok(())
///     }
/// }
///
/// let guard = ddg_core::callback::install(Log);
/// // … runs …
/// drop(guard);
/// ```
pub fn install(callback: impl Callback) -> Installed {
    let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
    let id = installed.last().map_or(0, |(last, _)| last + 1);
    installed.push((id, Arc::new(callback)));
    Installed { id }
}

/// Guard of a process-wide callback: removes it when dropped.
#[derive(Debug)]
#[must_use = "the callback is removed when this is dropped"]
pub struct Installed {
    id: u64,
}

impl Drop for Installed {
    fn drop(&mut self) {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        installed.retain(|(id, _)| *id != self.id);
    }
}

/// The process-wide callbacks, in the order in which they were installed.
pub(crate) fn installed() -> Vec<Arc<dyn DynCallback>> {
    let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
    installed.iter().map(|(_, callback)| Arc::clone(callback)).collect()
}
