//! What a run has done, kickoff by kickoff, as a callback sees it.

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

/// Writes down which worker ran when and why. A [`Callback`]: give a clone to an automa, and ask
/// when the run has ended, also with an error or cancelled.
///
/// From it come an SVG timeline (steps across, workers down, a bar for each kickoff) and, with
/// [`Drawing::with`](crate::render::Drawing::with), the ferries of a graph's drawing.
///
/// It keeps all that it sees, about 100 bytes for each kickoff, until it is
/// [cleared](Self::clear). Runs that follow each other are shown one after the other; give runs
/// that go on at the same time a history each. All attempts of a kickoff are one bar, which has a
/// mark for each retry.
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

/// What has been seen so far.
#[derive(Default)]
pub(super) struct Book {
    /// The automa of the first kickoff.
    pub(super) automa: Option<Arc<str>>,
    pub(super) workers: Vec<Seen>,
    pub(super) executions: Vec<Execution>,
    index: FxHashMap<(Option<usize>, Key), usize>,
    /// Which are running: the run's address, unique while it runs, and the kickoff.
    running: FxHashMap<(usize, KickoffId), usize>,
    epoch: Option<Instant>,
    /// When anything was last seen.
    pub(super) until: Duration,
}

/// A worker that has run, or in which or by which another has.
pub(super) struct Seen {
    /// The nested automa that it is in.
    pub(super) inside: Option<usize>,
    pub(super) key: Key,
    /// What it depended on whenever it ran in a graph that its run had changed: a worker may be
    /// removed and added again under its key.
    pub(super) after: IndexSet<Key, FxBuildHasher>,
    /// Whether it is an output worker of its automa.
    pub(super) output: bool,
}

/// A kickoff and how it went.
pub(super) struct Execution {
    pub(super) worker: usize,
    pub(super) id: KickoffId,
    pub(super) step: u64,
    pub(super) why: Why,
    /// Since the first kickoff.
    pub(super) began: Duration,
    pub(super) end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Start,
    Dependencies,
    /// By this worker.
    Ferry(usize),
}

#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) at: Duration,
    pub(super) failed: bool,
    /// How many attempts it took.
    pub(super) attempts: u32,
}

impl History {
    /// One that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all that it has seen.
    pub fn clear(&self) {
        *self.lock() = Book::default();
    }

    /// A picture of the time that has been seen: steps across, workers down in the order in which
    /// they first ran, nested automata's below them, a bar for each kickoff, a thin line for each
    /// ferry. Bars of workers that failed are red.
    ///
    /// A step is as wide as it was long, but wide enough to be seen; many steps go on in further
    /// strips below. Of very many workers some are shown: those that failed, the output workers, the
    /// slowest, as far as there is room, and the first; it says how many are not.
    pub fn to_svg(&self) -> String {
        self.read(timeline::write)
    }

    /// Writes [`to_svg`](Self::to_svg) to a file, which any browser shows.
    ///
    /// # Errors
    /// The file cannot be written.
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

    /// The worker that runs, after those that it is in.
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

    /// All workers, those of a nested automa right below it, else in the order in which they first
    /// ran, whatever their timing was.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut firsts = vec![None; self.workers.len()];
        for execution in &self.executions {
            let this = (execution.step, execution.id);
            let first = &mut firsts[execution.worker];
            *first = Some(first.map_or(this, |first: (u64, KickoffId)| first.min(this)));
        }
        // A worker that has not run itself has seen others run: it comes first.
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

/// A kickoff among all that are running.
fn identity(cx: &Context) -> (usize, KickoffId) {
    (Arc::as_ptr(cx.core()) as usize, cx.kickoff_id())
}

impl Seen {
    /// Notes what the graph of the run says of it now.
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
