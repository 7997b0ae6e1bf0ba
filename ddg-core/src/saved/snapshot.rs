//! The public snapshot of a run.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{AnswerError, Saved, SnapshotDelta, SnapshotError};
use crate::clock::from_ms;
use crate::key::Key;
use crate::machine::{PausedRun, Question};
use crate::values::{Data, Value};

/// The saved state of a run between two steps.
///
/// It contains the workers that are ready, what each worker waits for, outputs, local spaces, run
/// inputs, and the run's changes of its graph. This is the state of the run's machine; the declared
/// graph is not part of it.
///
/// A snapshot can be serialised. Written as JSON and read in another process, it can be resumed
/// there if the automa is declared in the same way.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::snapshot::Snapshot;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("count");
/// automa.add_func_as_worker("count", async |x: u64, cx: Context| {
///     if x < 1000 { cx.ferry_to("count", (x + 1,)) } else { cx.ferry_to("end", (x,)) }
/// }, start())?;
/// automa.add_func_as_worker("end", async |x: u64| x, free().output())?;
///
/// let run = automa.run(args!(0)).spawn();
/// tokio::task::yield_now().await;
/// run.stop();
/// let stopped = run.await?;
/// let json = serde_json::to_string(&stopped.snapshot()?)?;
///
/// let snapshot: Snapshot = serde_json::from_str(&json)?;       // in another process, say
/// let outcome = automa.resume(snapshot).await?;
/// assert_eq!(outcome.into_output::<u64>()?, 1000);
/// # Ok(())
/// # }
/// ```
///
/// # Workers that the run has added
///
/// A snapshot refers by name to what it cannot contain. A worker that the run has added is resolved
/// - by the name that it is declared under ([`declare_func`](crate::GraphAutoma::declare_func),
///   [`declare_worker`](crate::GraphAutoma::declare_worker)),
/// - by the name that its type is registered under, with its configuration
///   ([`register_worker`](crate::GraphAutoma::register_worker)),
/// - or, if it is an automa that the run has made, by its workers. Each worker is resolved in one
///   of these ways.
///
/// Names are looked up in the automa that the worker was added to, then in the automata around it.
/// If a worker cannot be resolved, such as a closure, taking the snapshot is an error.
///
/// # A declaration that has changed
///
/// A snapshot has a fingerprint of the declaration: keys, dependencies, parameters and outputs, and
/// the options that decide the arguments of a worker. Types are compared by name, without modules.
/// If the declaration is different now, resuming is an error that lists the differences, unless the
/// snapshot is migrated with [`accept_changes`](Self::accept_changes),
/// [`rename_worker`](Self::rename_worker) and [`forget_worker`](Self::forget_worker). Timeouts,
/// retries, callbacks and the bodies of functions may change at any time.
#[derive(Clone, Serialize, Deserialize)]
pub struct Snapshot {
    version: Version,
    run: Saved,
}

/// The version of the format. A snapshot of another version is refused when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Version;

const VERSION: u32 = 1;

impl Snapshot {
    pub(crate) fn new(run: Saved) -> Self {
        Self { version: Version, run }
    }

    pub(crate) fn into_run(self) -> Saved {
        self.run
    }

    pub(crate) fn run(&self) -> &Saved {
        &self.run
    }

    /// Serialises `run` as a snapshot.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(crate) fn json_of(run: &Saved) -> Result<Vec<u8>, SnapshotError> {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            version: Version,
            run: &'a Saved,
        }
        Ok(serde_json::to_vec(&Borrowed { version: Version, run })?)
    }

    /// The name of the automa that was run.
    pub fn automa(&self) -> &str {
        self.run.automa()
    }

    /// Number of Dynamic Steps that the run has taken.
    pub fn step(&self) -> u64 {
        self.run.step()
    }

    /// The last output of a worker; `None` if it has not run or does not exist.
    pub fn output(&self, worker: impl Into<Key>) -> Option<Value> {
        self.run.outputs().get(&worker.into()).cloned()
    }

    /// The run input called `name`; `None` if the run was given none.
    pub fn input(&self, name: &str) -> Option<Value> {
        self.run.input(name).cloned()
    }

    /// Replaces the last output of a worker, which affects what reads it next. Returns false if the
    /// worker has not run.
    ///
    /// What the workers of the next step have reached already is dropped, because they may read the
    /// output: they run again.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("two");
    /// automa.add_func_as_worker("a", async |cx: Context| { cx.stop(); 1 }, start())?;
    /// automa.add_func_as_worker("b", async |a: i32| a + 1, after(["a"]).output())?;
    /// let mut snapshot = automa.run(()).await?.snapshot()?;
    /// assert!(snapshot.set_output("a", 40));
    /// assert_eq!(automa.resume(snapshot).output::<i32>().await?, 41);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_output(&mut self, worker: impl Into<Key>, output: impl Data) -> bool {
        let Some(slot) = self.run.outputs_mut().get_mut(&worker.into()) else { return false };
        *slot = Value::new(output);
        self.run.forget_next();
        true
    }

    /// The states of the nested automa `worker` that were running when this state was written, in
    /// kickoff order. Each can be inspected like a snapshot of its own.
    ///
    /// ```
    /// use ddg_core::checkpoint::{MemoryStore, StoredRuns};
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("a", async |x: u32| x + 1, start())?;
    /// inner.add_func_as_worker("b", async |x: u32| x * 10, after(["a"]).output())?;
    /// let mut automa = GraphAutoma::new("outer");
    /// automa.add_worker("inner", inner, start().output())?;
    /// let store = MemoryStore::new();
    /// automa.run(args!(1)).stored_in(&store, "a").await?;
    ///
    /// let runs = StoredRuns::new(&store);
    /// let first = runs.snapshot_at("a", 1).await?;            // after the first step inside
    /// assert_eq!(first.nested("inner")[0].output("a").unwrap().get::<u32>()?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn nested(&self, worker: impl Into<Key>) -> Vec<Self> {
        self.run.inner_runs(&worker.into()).into_iter().map(|(_, run)| Self::new(run)).collect()
    }

    /// Changes the states of the nested automa `worker` that were running when this state was
    /// written, in kickoff order. Returns what `change` returns for each.
    pub fn edit_nested<T>(
        &mut self,
        worker: impl Into<Key>,
        mut change: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let worker = worker.into();
        let mut changed = Vec::new();
        for (id, run) in self.run.inner_runs(&worker) {
            let mut inner = Self::new(run);
            changed.push(change(&mut inner));
            self.run.replace_inner(id, worker.clone(), inner.into_run());
        }
        changed
    }

    /// The unanswered questions in kickoff order, including those of nested automata.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("pay");
    /// automa.add_func_as_worker("pay", async |cx: Context| -> Result<bool, WorkerError> {
    ///     Ok(cx.interact_with_human("Pay?")?)
    /// }, start().output())?;
    /// let mut snapshot = automa.run(()).await?.snapshot()?;
    /// let question = snapshot.questions().remove(0);
    /// assert_eq!(question.content.get::<String>()?, "Pay?");
    /// snapshot.answer(&question.id, true)?;
    /// assert!(automa.resume(snapshot).output::<bool>().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        PausedRun::questions(&self.run, &mut questions);
        questions
    }

    /// When the run is to be continued: the first time that one of its workers
    /// [waits for](crate::Context::sleep_until).
    pub fn wake_at(&self) -> Option<SystemTime> {
        self.run.awaits().wake_ms.map(from_ms)
    }

    /// The names of the [signals](crate::Context::signal) that its workers wait for.
    pub fn awaits(&self) -> Vec<String> {
        self.run.awaits().signals
    }

    /// Adds a [signal](crate::Context::signal), which reaches the run when it is resumed. To a
    /// stored run, send it with [`StoredRuns::signal`](crate::checkpoint::StoredRuns::signal).
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", async |cx: Context| cx.signal::<u32>("paid"), start().output())?;
    ///
    /// let paused = automa.run(()).await?;
    /// assert_eq!(paused.awaits(), ["paid"]);
    /// let mut snapshot = paused.snapshot()?;
    /// snapshot.signal("paid", 30_u32);
    /// assert_eq!(automa.resume(snapshot).output::<u32>().await?, 30);
    /// # Ok(())
    /// # }
    /// ```
    pub fn signal(&mut self, name: impl Into<String>, value: impl Data) {
        self.run.receive(name.into(), Value::new(value));
    }

    /// Answers a question, once. A run may be resumed with some of its questions answered; it then
    /// pauses again for the rest.
    ///
    /// # Errors
    /// If there is no such question, or it has an answer. The snapshot does not change then.
    pub fn answer(&mut self, id: &str, answer: impl Data) -> Result<(), AnswerError> {
        let slot = self.answer_to(id)?;
        if slot.is_some() {
            return Err(AnswerError::Answered { id: id.to_owned() });
        }
        *slot = Some(Value::new(answer));
        Ok(())
    }

    /// Answers all open questions in kickoff order; see
    /// [`Outcome::answer_with`](crate::Outcome::answer_with).
    pub fn answer_with<T: Data>(&mut self, mut answer: impl FnMut(&Question) -> T) {
        for question in self.questions() {
            let answered = self.answer(&question.id, answer(&question));
            answered.expect("a question that waits can be answered");
        }
    }

    /// Takes the answer to a question back, if it has one, so that another can be given: a worker
    /// that is given an answer of another type than it asked for fails, however often the run is
    /// resumed.
    ///
    /// # Errors
    /// If there is no such question, for instance because the worker has continued with the answer.
    pub fn withdraw_answer(&mut self, id: &str) -> Result<(), AnswerError> {
        *self.answer_to(id)? = None;
        Ok(())
    }

    /// The place of the answer to a question.
    fn answer_to(&mut self, id: &str) -> Result<&mut Option<Value>, AnswerError> {
        if self.run.interrupted().is_empty() {
            return Err(AnswerError::NotPaused { id: id.to_owned() });
        }
        if self.run.answer_to(id).is_none() {
            let known = self.questions().into_iter().map(|question| question.id).collect();
            return Err(AnswerError::Unknown { id: id.to_owned(), known });
        }
        Ok(self.run.answer_to(id).expect("it was found above"))
    }

    /// Allows the run to resume with an automa that is declared differently now. State is matched
    /// by the keys of the workers: a dependency that is no longer declared is not waited for, and a
    /// new one is. A worker with state that is no longer declared is still an error; see
    /// [`rename_worker`](Self::rename_worker) and [`forget_worker`](Self::forget_worker).
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # use ddg_core::snapshot::Snapshot;
    /// # async fn example(automa: GraphAutoma, json: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let snapshot: Snapshot = serde_json::from_str(json)?;
    /// let migrated = snapshot
    ///     .rename_worker("summarise", "summary")?
    ///     .forget_worker("debug")?
    ///     .accept_changes();
    /// let outcome = automa.resume(migrated).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn accept_changes(mut self) -> Self {
        self.run.accept_changes();
        self
    }

    /// Moves the state of the worker `old` to the worker `new`, the key under which it is declared
    /// now. Declarations that are placed at run time are renamed in the same way.
    ///
    /// # Errors
    /// If the snapshot has no worker `old`, or has a worker `new`.
    pub fn rename_worker(
        mut self,
        old: impl Into<Key>,
        new: impl Into<Key>,
    ) -> Result<Self, SnapshotError> {
        self.run.rename(&old.into(), &new.into())?;
        Ok(self)
    }

    /// Removes everything about the worker `key`: its output, its local space, its place among the
    /// workers that run next, and the run's changes of it.
    ///
    /// # Errors
    /// If the snapshot has no such worker.
    pub fn forget_worker(mut self, key: impl Into<Key>) -> Result<Self, SnapshotError> {
        self.run.forget(&key.into())?;
        Ok(self)
    }

    /// The delta since `earlier`, a snapshot of the same run. It is small if little has changed.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # use ddg_core::snapshot::Snapshot;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("letters");
    /// automa.add_func_as_worker("add", async |cx: Context| {
    ///     cx.local().update("text", |text: &mut String| text.push_str("some more text "));
    ///     cx.ferry_to("add", ());
    ///     cx.stop();
    /// }, start())?;
    ///
    /// let first = automa.run(()).await?.snapshot()?;
    /// let second = automa.resume(first.clone()).await?.snapshot()?;
    /// let changes = second.changes_since(&first)?;
    /// let again = first.with_changes([changes])?;
    /// assert_eq!(serde_json::to_string(&again)?, serde_json::to_string(&second)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub fn changes_since(&self, earlier: &Self) -> Result<SnapshotDelta, SnapshotError> {
        let patch = self.run.changes_since(&earlier.run)?;
        Ok(SnapshotDelta::new(earlier.run.number(), self.run.number(), patch))
    }

    /// Applies `changes` to this snapshot, one after another.
    ///
    /// # Errors
    /// If one does not apply to the snapshot before it.
    pub fn with_changes(
        self,
        changes: impl IntoIterator<Item = SnapshotDelta>,
    ) -> Result<Self, SnapshotError> {
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_none() {
            return Ok(self);
        }
        let mut step = self.run.number();
        let mut run = self.run.to_json()?;
        for changes in changes {
            changes.apply(&mut step, &mut run)?;
        }
        let run = Saved::from_json(run)
            .map_err(|source| SnapshotError::NotFollowing { step, source: Some(source) })?;
        Ok(Self::new(run))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.run.fmt(f)
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == VERSION {
            return Ok(Self);
        }
        Err(format!("this is written in format {version}, and only format {VERSION} can be read"))
    }
}
