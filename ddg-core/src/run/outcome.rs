//! The outcome of a run.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

use super::RunError;
use crate::automa::GraphAutoma;
use crate::context::GraphView;
use crate::engine::RunCore;
use crate::graph::View;
use crate::key::Key;
use crate::machine::{End, Question, Unmet};
use crate::printable::Printable;
use crate::saved::{Saved, Snapshot, SnapshotError};
use crate::values::{Data, RunResult, Value, ValueType};
use crate::worker::Body;

/// The outcome of a run that has ended, paused, or was stopped.
///
/// ```
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("half");
/// automa.add_func_as_worker("a", async || 1, start())?;
/// automa.add_func_as_worker("b", async || 2, free())?;
/// automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, after(["a", "b"]).output())?;
/// let outcome = automa.run(()).await?;
/// assert!(outcome.output().is_null());
/// assert_eq!(outcome.steps(), 1);
/// assert_eq!(outcome.waiting()[0].to_string(), "`sum` (for `b`)");
/// # Ok(())
/// # }
/// ```
pub struct Outcome {
    core: Arc<RunCore>,
    output: Value,
    end: End,
}

/// A worker that is still waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The worker.
    pub worker: Key,
    /// The dependencies that have not run since the worker last ran.
    pub missing: Vec<Key>,
    /// Whether the worker has run before, so that its other dependencies have run again since.
    pub again: bool,
}

impl Outcome {
    pub(crate) fn new(core: &Arc<RunCore>, end: End) -> Self {
        let output = core.machine().result().clone();
        Self { core: Arc::clone(core), output, end }
    }

    /// How the run ended.
    pub(crate) fn end(&self) -> End {
        self.end
    }

    /// The output of the output worker that ran last; null if none ran.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let outcome = automa.run(args!(21)).await?;
    /// assert_eq!(outcome.output().get::<i64>()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn output(&self) -> &Value {
        &self.output
    }

    /// Returns the output as a `T`. If no output worker ran, that is `()`, or `None` for an
    /// `Option`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let outcome = automa.run(args!(21)).await?;
    /// assert_eq!(outcome.steps(), 1);
    /// assert_eq!(outcome.into_output::<i64>()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the output is not a `T`, if there is none, or if the run has paused or was stopped.
    pub fn into_output<T: RunResult>(self) -> Result<T, RunError> {
        if self.is_paused() {
            return Err(RunError::Paused { outcome: Box::new(self) });
        }
        if self.stopped() {
            return Err(RunError::Stopped { outcome: Box::new(self) });
        }
        if self.output.is_null() {
            return self.output.get().map_err(|_| RunError::NoOutput {
                automa: self.core.automa().to_string(),
                expected: ValueType::of::<T>().to_string(),
                declared: self.has_output_worker(),
                waiting: self.waiting(),
            });
        }
        let Self { core, output, .. } = self;
        // The machine's reference is dropped first, so that the output is moved out instead of
        // cloned.
        core.machine().forget_outputs();
        output
            .take()
            .map_err(|source| RunError::Output { automa: core.automa().to_string(), source })
    }

    fn has_output_worker(&self) -> bool {
        self.core.machine().view().workers().any(|(_, node)| node.role().wiring.output)
    }

    /// Number of Dynamic Steps that the run took.
    pub fn steps(&self) -> u64 {
        self.core.machine().steps()
    }

    /// Whether the run was stopped before its end.
    pub fn stopped(&self) -> bool {
        self.end == End::Stopped
    }

    /// Whether the run is paused: until questions are answered, a time has come, or a signal has
    /// arrived.
    pub fn is_paused(&self) -> bool {
        self.end == End::Paused
    }

    /// The unanswered questions in kickoff order, including those of nested automata. See
    /// [`Context::interact_with_human`](crate::Context::interact_with_human).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| -> Result<String, WorkerError> {
    ///     Ok(cx.interact_with_human("Where to?")?)
    /// }, start().output())?;
    /// let paused = automa.run(()).await?;
    /// assert!(paused.is_paused());
    /// assert_eq!(paused.questions()[0].content.get::<String>()?, "Where to?");
    /// # Ok(())
    /// # }
    /// ```
    pub fn questions(&self) -> Vec<Question> {
        self.core.machine().questions()
    }

    /// When the paused run is to be continued: the first time that one of its workers
    /// [waits for](crate::Context::sleep_until).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::{Duration, SystemTime};
    /// use ddg_core::checkpoint::MemoryStore;
    ///
    /// let mut automa = GraphAutoma::new("reminder");
    /// automa.add_func_as_worker("remind", async |cx: Context| {
    ///     cx.sleep_until(SystemTime::now() + Duration::from_secs(3600))
    /// }, start())?;
    /// let paused = automa.run(()).stored_in(&MemoryStore::new(), "tea").await?;
    /// assert!(paused.wake_at().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn wake_at(&self) -> Option<SystemTime> {
        self.core.wake_at()
    }

    /// The names of the [signals](crate::Context::signal) that the workers of the paused run wait
    /// for.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| cx.signal::<u32>("paid"), start().output())?;
    /// assert_eq!(automa.run(()).await?.awaits(), ["paid"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn awaits(&self) -> Vec<String> {
        self.core.machine().awaited().signals
    }

    /// The workers that are still waiting, and for which dependencies: those with some dependencies
    /// that have run since their own last run, and those that never ran.
    ///
    /// One that waits [again](Waiting::again) has missed outputs: behind loops of 3 and of 2 rounds
    /// it has run twice, and the third round has had no partner. With
    /// [`after_loops`](crate::worker::WorkerOptions::after_loops) it runs once, when they have
    /// ended.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("half");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async || 2, free())?;
    /// automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, after(["a", "b"]).output())?;
    /// assert_eq!(automa.run(()).await?.waiting()[0].to_string(), "`sum` (for `b`)");
    /// # Ok(())
    /// # }
    /// ```
    pub fn waiting(&self) -> Vec<Waiting> {
        let waiting = |Unmet { worker, missing, again }: Unmet| Waiting { worker, missing, again };
        self.core.machine().unmet().into_iter().map(waiting).collect()
    }

    /// The graph at the end of the run, to inspect, run or change. If the run changed nothing, this
    /// is the declared graph.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("grow");
    /// automa.add_func_as_worker("plan", async |cx: Context| {
    ///     cx.add_func_as_worker("more", async || (), after(["plan"]));
    /// }, start())?;
    /// let outcome = automa.run(()).await?;
    /// assert_eq!(outcome.graph().keys().count(), 2);
    /// assert_eq!(automa.keys().count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn graph(&self) -> GraphAutoma {
        GraphAutoma::grown(&self.core.program, self.core.machine().view())
    }

    /// The automa at the end of the run: keys, dependencies, and the last output of every worker.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("a", async || 7, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| 2 * a, after(["a"]).output())?;
    /// let outcome = automa.run(()).await?;
    /// assert_eq!(outcome.automa().output("a").expect("it has run").get::<i32>()?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn automa(&self) -> GraphView<'_> {
        GraphView::new(&self.core)
    }

    /// Saves the state of the run after its last step. Useful after a
    /// [stop](crate::run::RunHandle::stop); [`resume`](crate::GraphAutoma::resume) continues it.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use ddg_core::snapshot::Snapshot;
    ///
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| -> Result<String, WorkerError> {
    ///     Ok(cx.interact_with_human("Where to?")?)
    /// }, start().output())?;
    /// let paused = automa.run(()).await?;
    /// let file = serde_json::to_string(&paused.snapshot()?)?;
    ///
    /// let mut snapshot: Snapshot = serde_json::from_str(&file)?;      // another day
    /// snapshot.answer(&paused.questions()[0].id, "Tokyo")?;
    /// assert_eq!(automa.resume(snapshot).output::<String>().await?, "Tokyo");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If a value has no JSON form, or a worker that the run has added cannot be resolved again.
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        self.core.save().map(Snapshot::new)
    }

    /// The state of a paused run with answers to all its questions, for resuming. `answer` is
    /// called in kickoff order. If the answers have several types, return [`Value`]s; to answer
    /// only some of the questions, use a [`snapshot`](Self::snapshot).
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// let ship = async |cx: Context| -> Result<String, WorkerError> {
    ///     let city: String = cx.interact_with_human("Where to?")?;
    ///     Ok(format!("shipped to {city}"))
    /// };
    /// automa.add_func_as_worker("ship", ship, start().output())?;
    ///
    /// let paused = automa.run(()).await?;
    /// let answered = paused.answer_with(|question| {
    ///     println!("{:?}", question.content);
    ///     "Tokyo"
    /// })?;
    /// assert_eq!(automa.resume(answered).output::<String>().await?, "shipped to Tokyo");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn answer_with<T: Data>(
        &self,
        answer: impl FnMut(&Question) -> T,
    ) -> Result<Snapshot, SnapshotError> {
        let mut snapshot = self.snapshot()?;
        snapshot.answer_with(answer);
        Ok(snapshot)
    }

    /// The run's view of its graph.
    pub(crate) fn view(&self) -> View<Arc<Body>> {
        self.core.machine().view().clone()
    }

    /// The state of the machine, to resume from.
    pub(crate) fn save(&self) -> Result<Saved, SnapshotError> {
        self.core.save()
    }

    /// The state, without checking that every value serialises.
    pub(crate) fn state(&self) -> Result<Saved, SnapshotError> {
        self.core.state()
    }

    pub(crate) fn into_value(self) -> Value {
        self.output
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("automa", self.core.automa())
            .field("output", &self.output)
            .field("steps", &self.steps())
            .field("stopped", &self.stopped())
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing: Vec<_> = self.missing.iter().map(|key| format!("`{key}`")).collect();
        let missing = missing.join(", ");
        match self.again {
            true => write!(Printable::line(f), "`{}` (again for {missing})", self.worker),
            false => write!(Printable::line(f), "`{}` (for {missing})", self.worker),
        }
    }
}
