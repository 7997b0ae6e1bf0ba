//! `Context`: a running worker's view of its run, and its requests.

mod automa;
mod effects;
mod interaction;
mod messages;
mod requests;
mod waits;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

pub use automa::{GraphView, NestedAutoma};
pub use interaction::InteractionError;
use requests::Requests;

pub use crate::local::{LocalMismatch, LocalSpace};

use crate::args::{Args, find};
use crate::engine::{Effects, Interrupted, Kickoff, Replay, RunCore};
use crate::graph::WorkerId;
use crate::key::Key;
use crate::machine::{Cause, KickoffId};
use crate::path::WorkerPath;
use crate::saved::Saved;
use crate::values::{Data, TypeMismatch, Value};
use crate::worker::{Body, WorkerError};

/// A worker's view of its run, which it gets as a parameter.
///
/// The effects that a worker asks for (ferries, edits of the graph) are collected while it runs,
/// and applied when the step settles. Only those of a successful execution count: the effects of a
/// failed, retried, timed-out or cancelled execution are dropped, and so are requests made after
/// the worker has ended.
///
/// ```
/// use ddg_core::prelude::*;
///
/// async fn count(x: i64, cx: Context) {
///     let sum = cx.local().update("sum", |sum: &mut i64| { *sum += x; *sum });
///     if x < 100 {
///         cx.ferry_to("count", (x + 1,));
///     } else {
///         cx.ferry_to("end", (sum,));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("sum100");
/// automa.add_func_as_worker("count", count, start())?;
/// automa.add_func_as_worker("end", async |x: i64| x, free().output())?;
/// assert_eq!(automa.run(args!(0)).output::<i64>().await?, 5050);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Execution>);

/// An execution of a worker.
struct Execution {
    core: Arc<RunCore>,
    kickoff: Kickoff,
    /// The arguments, which are needed again if the execution is interrupted.
    args: Args,
    replay: Option<Box<Replay>>,
    /// The number of the last attempt that began. Used by the kickoff's own context, which hooks
    /// get.
    attempt: AtomicU32,
    requests: Requests,
    local: OnceLock<LocalSpace>,
}

impl Context {
    pub(crate) fn new(
        core: Arc<RunCore>,
        kickoff: Kickoff,
        args: &Args,
        effects: Effects,
        replay: Option<Box<Replay>>,
    ) -> Self {
        Self(Arc::new(Execution {
            core,
            kickoff,
            args: args.clone(),
            replay,
            attempt: AtomicU32::new(1),
            requests: Requests::new(effects),
            local: OnceLock::new(),
        }))
    }

    /// A context for another attempt of the same kickoff.
    pub(crate) fn attempt_again(&self, attempt: u32) -> Self {
        self.0.attempt.store(attempt, Ordering::Relaxed);
        Self(Arc::new(Execution {
            core: Arc::clone(&self.0.core),
            kickoff: self.0.kickoff.clone(),
            args: Args::new(),
            replay: self.0.replay.clone(),
            attempt: AtomicU32::new(attempt),
            requests: self.0.requests.for_attempt(),
            local: OnceLock::new(),
        }))
    }

    /// What is needed to run the execution again, if it has asked a question without an answer.
    pub(crate) fn interrupted(&self) -> Option<Interrupted> {
        let pending = self.0.requests.take_pending()?;
        let replay = self.0.replay.as_deref();
        let begun = replay.map(|replay| replay.begun.clone()).unwrap_or_default();
        let begun = begun.into_iter().filter(|(key, _)| !pending.waits_for(key)).collect();
        Some(Interrupted {
            worker: self.0.kickoff.worker,
            kickoff: self.0.kickoff.id.0,
            step: self.0.kickoff.step,
            cause: self.0.kickoff.cause.clone(),
            args: self.0.args.clone(),
            answers: replay.map(|replay| replay.answers.clone()).unwrap_or_default(),
            begun,
            pending,
        })
    }

    /// The run of the nested automa that this worker continues, if it is one: one that was paused
    /// or left. A further attempt does not continue a run that was left.
    pub(crate) fn inner(&self) -> Option<Saved> {
        let run = &**self.0.replay.as_ref()?.inner.as_ref()?;
        (self.attempt() == 1 || !run.interrupted().is_empty()).then(|| run.clone())
    }

    /// The run `key` that this worker had begun and waited for when it was interrupted.
    pub(crate) fn begun(&self, key: &Key) -> Option<Saved> {
        let begun = &self.0.replay.as_ref()?.begun;
        begun.iter().find(|(found, _)| found == key).map(|(_, run)| (**run).clone())
    }

    pub(crate) fn core(&self) -> &Arc<RunCore> {
        &self.0.core
    }

    pub(crate) fn body(&self) -> &Arc<Body> {
        &self.0.kickoff.body
    }

    /// The id of the worker.
    pub(crate) fn worker(&self) -> WorkerId {
        self.0.kickoff.worker
    }

    /// The requests of this execution.
    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    fn too_late(&self, ask: &str) {
        tracing::warn!(
            worker = %self.path(),
            %ask,
            "requested after the worker had ended, and dropped"
        );
    }

    /// The key of this worker.
    pub fn key(&self) -> &Key {
        self.0.kickoff.key()
    }

    /// The path of this worker: its key and those of the automata around it.
    pub fn path(&self) -> WorkerPath {
        WorkerPath::new(self.0.core.path.clone(), self.key().clone())
    }

    /// The reason why this worker runs.
    pub fn cause(&self) -> &Cause {
        self.0.kickoff.cause()
    }

    /// The Dynamic Step of this automa's run, counted from 1.
    pub fn step(&self) -> u64 {
        self.0.kickoff.step()
    }

    /// The number of this kickoff in its run.
    pub fn kickoff_id(&self) -> KickoffId {
        self.0.kickoff.id()
    }

    /// The number of this attempt, counted from 1. In a hook after the worker, that of the last
    /// attempt.
    pub fn attempt(&self) -> u32 {
        self.0.attempt.load(Ordering::Relaxed)
    }

    /// The run input `name`, from the innermost automa that was given one; `None` if there is none.
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn input<T: Data>(&self, name: &str) -> Result<Option<T>, TypeMismatch> {
        find(&self.0.core.inputs, name).map(Value::get).transpose()
    }

    /// The value of this type that is [attached](crate::GraphAutoma::attach) to the run of this
    /// automa, or to the nearest run around it that has one. `None` if no run has one, or the run
    /// that has it has ended.
    pub fn attached<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.core.attached()
    }

    /// This worker's own state, which lasts for the run, or across runs if the automa [keeps
    /// it](crate::GraphAutoma::keep_local_spaces).
    pub fn local(&self) -> &LocalSpace {
        self.0.local.get_or_init(|| LocalSpace::new(self.0.core.local(self.worker())))
    }

    /// Returns `output`, or an error if the execution read a local value as a type that it is not.
    #[inline]
    pub(crate) fn checked<T>(&self, output: Result<T, WorkerError>) -> Result<T, WorkerError> {
        match self.0.local.get().and_then(LocalSpace::mismatch) {
            Some(mismatch) if output.is_ok() => Err(mismatch.clone().into()),
            _ => output,
        }
    }

    /// Stops this automa's run after the current step, as
    /// [`RunHandle::stop`](crate::run::RunHandle::stop) does. The run of a nested automa ends with
    /// its current result, and the outer run continues.
    pub fn stop(&self) {
        if self.0.requests.set_stop() {
            self.too_late("stop");
        }
    }

    /// The automa that contains this worker, as of the last settled step.
    pub fn automa(&self) -> GraphView<'_> {
        GraphView::new(&self.0.core)
    }

    /// The nested automa `key` next to this worker, to inspect its graph and to change it before
    /// its next kickoff. `None` if the worker does not exist or is not an automa.
    pub fn nested(&self, key: impl Into<Key>) -> Option<NestedAutoma<'_>> {
        NestedAutoma::find(self, vec![key.into()])
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, step {}, {})", self.path(), self.step(), self.cause())
    }
}
