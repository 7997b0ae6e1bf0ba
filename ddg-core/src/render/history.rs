//! A callback that records the kickoffs of a run.

use std::fmt;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};
use tokio::time::Instant;

use super::timeline;
use crate::args::Args;
use crate::callback::Callback;
use crate::context::Context;
use crate::error::WorkerError;
use crate::key::Key;
use crate::machine::{Cause, KickoffId};
use crate::values::Value;

/// Records which workers ran, when and why. It is a [`Callback`]: add a clone to an automa, and
/// read the history after the run, also if the run failed or was cancelled.
///
/// A history gives an SVG timeline (steps across, workers down, one bar per kickoff), and adds the
/// ferries of a run to a drawing of its graph ([`Drawing::with`](crate::render::Drawing::with)).
///
/// It keeps about 100 bytes per kickoff until it is [cleared](Self::clear). Consecutive runs are
/// shown one after another; give concurrent runs a history each. All attempts of a kickoff share
/// one bar, which has a mark for each retry.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::render::History;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("numbers");
/// automa.add_func_as_worker("one", async || 1, start())?;
/// automa.add_func_as_worker("more", async |x: i64| x + 1, after(["one"]).output())?;
/// let history = History::new();
/// automa.add_callback(history.clone());
/// automa.run(()).output::<i64>().await?;
///
/// assert!(history.to_svg().contains("2 kickoffs of 2 workers in 2 steps"));
/// # let path = std::env::temp_dir().join("ddg-doc-timeline.svg");
/// history.write_svg(&path)?;
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct History(Arc<Mutex<Book>>);

/// The records of a history.
#[derive(Default)]
pub(super) struct Book {
    /// The name of the automa of the first kickoff.
    pub(super) automa: Option<Arc<str>>,
    pub(super) workers: Vec<Seen>,
    pub(super) executions: Vec<Execution>,
    index: FxHashMap<(Option<usize>, Key), usize>,
    /// The running kickoffs. Their key is the address of the run, which is unique while the run is
    /// active, and the id of the kickoff.
    running: FxHashMap<(usize, KickoffId), usize>,
    epoch: Option<Instant>,
    /// The time of the last record.
    pub(super) until: Duration,
}

/// A worker that has run, that contains one that has run, or that called one.
pub(super) struct Seen {
    /// The nested automa that contains the worker.
    pub(super) inside: Option<usize>,
    pub(super) key: Key,
    /// The dependencies that the worker had in graphs changed by a run. There may be more than one
    /// set, because a worker can be removed and added again under its key.
    pub(super) after: IndexSet<Key, FxBuildHasher>,
    /// Whether the worker is an output worker of its automa.
    pub(super) output: bool,
}

/// A kickoff and its result.
pub(super) struct Execution {
    pub(super) worker: usize,
    pub(super) id: KickoffId,
    pub(super) step: u64,
    pub(super) why: Why,
    /// The start, as time since the first kickoff.
    pub(super) began: Duration,
    pub(super) end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Start,
    Dependencies,
    /// By a ferry of this worker.
    Ferry(usize),
}

#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) at: Duration,
    pub(super) failed: bool,
    /// Number of attempts made.
    pub(super) attempts: u32,
}

impl History {
    /// Creates an empty history.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes all records.
    pub fn clear(&self) {
        *self.lock() = Book::default();
    }

    /// Draws a timeline: steps across, workers down, one bar per kickoff and a thin line per ferry.
    ///
    /// Workers are in the order of their first kickoff, those of a nested automa below it. Bars of
    /// failed workers are red. The width of a step is its duration, within limits that keep it
    /// visible; many steps continue in further strips below. If there are too many workers, the
    /// failed ones, the output workers, the slowest and the first are shown as far as there is
    /// room, and a note says how many are hidden.
    pub fn to_svg(&self) -> String {
        self.read(timeline::write)
    }

    /// Writes [`to_svg`](Self::to_svg) to a file that any browser displays.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<FilePath>) -> std::io::Result<()> {
        std::fs::write(path, self.to_svg())
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Book) -> T) -> T {
        read(&self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callback for History {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        self.lock().begin(cx);
        Ok(())
    }

    async fn did_run(&self, cx: &Context, _: &Value) -> Result<(), WorkerError> {
        self.lock().end(cx, false);
        Ok(())
    }

    async fn did_fail(&self, cx: &Context, _: &WorkerError) -> Result<Option<Value>, WorkerError> {
        self.lock().end(cx, true);
        Ok(None)
    }
}

impl Book {
    fn begin(&mut self, cx: &Context) {
        self.automa.get_or_insert_with(|| Arc::clone(cx.core().automa()));
        let worker = self.locate(cx);
        let why = match cx.cause() {
            Cause::Start => Why::Start,
            Cause::Dependencies => Why::Dependencies,
            Cause::Ferry { by } => Why::Ferry(self.place(self.workers[worker].inside, by)),
        };
        self.workers[worker].look_at(cx);
        let began = self.now();
        self.running.insert(identity(cx), self.executions.len());
        let (id, step) = (cx.kickoff_id(), cx.step());
        self.executions.push(Execution { worker, id, step, why, began, end: None });
    }

    fn end(&mut self, cx: &Context, failed: bool) {
        let at = self.now();
        if let Some(execution) = self.running.remove(&identity(cx)) {
            self.executions[execution].end = Some(End { at, failed, attempts: cx.attempt() });
        }
    }

    fn now(&mut self) -> Duration {
        let now = Instant::now();
        self.until = now.saturating_duration_since(*self.epoch.get_or_insert(now));
        self.until
    }

    /// The index of the running worker, after the workers that contain it have been added.
    fn locate(&mut self, cx: &Context) -> usize {
        let path = cx.path();
        let mut keys = Vec::new();
        let mut next = Some(&path);
        while let Some(path) = next {
            keys.push(path.key());
            next = path.parent();
        }
        let outermost = self.place(None, keys[keys.len() - 1]);
        keys.iter().rev().skip(1).fold(outermost, |inside, key| self.place(Some(inside), key))
    }

    fn place(&mut self, inside: Option<usize>, key: &Key) -> usize {
        let Self { workers, index, .. } = self;
        *index.entry((inside, key.clone())).or_insert_with(|| {
            let after = IndexSet::default();
            workers.push(Seen { inside, key: key.clone(), after, output: false });
            workers.len() - 1
        })
    }

    /// All workers in the order of their first kickoff, those of a nested automa right below it.
    /// The order does not depend on timing.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut firsts = vec![None; self.workers.len()];
        for execution in &self.executions {
            let this = (execution.step, execution.id);
            let first = &mut firsts[execution.worker];
            *first = Some(first.map_or(this, |first: (u64, KickoffId)| first.min(this)));
        }
        // A worker that has not run itself is recorded because of another one; it sorts first.
        let mut ids: Vec<_> = (0..self.workers.len()).collect();
        ids.sort_by_key(|worker| (firsts[*worker], &self.workers[*worker].key));
        let mut children = vec![Vec::new(); self.workers.len()];
        let mut todo = Vec::new();
        for worker in ids.into_iter().rev() {
            match self.workers[worker].inside {
                Some(inside) => children[inside].push(worker),
                None => todo.push(worker),
            }
        }
        let mut order = Vec::with_capacity(self.workers.len());
        while let Some(worker) = todo.pop() {
            order.push(worker);
            todo.append(&mut children[worker]);
        }
        order
    }
}

/// Identifies a kickoff among all running ones.
fn identity(cx: &Context) -> (usize, KickoffId) {
    (Arc::as_ptr(cx.core()) as usize, cx.kickoff_id())
}

impl Seen {
    /// Records the graph around the worker as the run has changed it.
    fn look_at(&mut self, cx: &Context) {
        let machine = cx.core().machine();
        let view = machine.view();
        let Some(node) = view.find(cx.key().as_str()).map(|id| view.node(id)) else { return };
        self.output |= node.role().wiring.output;
        if view.is_edited() {
            for (_, on) in node.live_dependencies() {
                let key = view.node(on).key();
                if !self.after.contains(key) {
                    self.after.insert(key.clone());
                }
            }
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = self.lock();
        write!(f, "History({} kickoffs of {} workers)", book.executions.len(), book.workers.len())
    }
}
