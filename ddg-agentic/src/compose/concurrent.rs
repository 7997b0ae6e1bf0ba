//! Workers that run concurrently, with their outputs in order.

use ddg_core::args::IntoArgs;
use ddg_core::context::NestedAutoma;
use ddg_core::graph::BuildError;
use ddg_core::run::Cause;
use ddg_core::worker::{AnyWorker, IntoFunc, IntoWorker};
use ddg_core::{Context, GraphAutoma, Key, Value, WorkerOptions, after, free, start};

/// The key of the worker that waits for all branches.
const RESULTS: &str = "results";

/// Builds an automa of concurrent workers, its branches. Each branch takes the run's arguments, and
/// the result is the list of their outputs, in the order in which the branches were added. The
/// automa can [grow](Self::grow) while it runs.
///
/// ```
/// use ddg_agentic::compose::ConcurrentAutoma;
/// use ddg_core::prelude::*;
///
/// async fn search(topic: String, cx: Context) -> String {
///     // There is more to look up than was known before.
///     let maps = AnyWorker::func(async |topic: String| format!("a map of {topic}"));
///     ConcurrentAutoma::grow(&cx, "maps", maps, (topic.clone(),));
///     format!("pages on {topic}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let automa = ConcurrentAutoma::new("research")
///     .branch_func("search", search)
///     .branch_func("books", async |topic: String| format!("books on {topic}"))
///     .build()?;
/// let found: Vec<String> = automa.run(args!("trees".to_owned())).output().await?;
/// assert_eq!(found, ["pages on trees", "books on trees", "a map of trees"]);
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder is not an automa: call `build`"]
pub struct ConcurrentAutoma {
    name: String,
    branches: Vec<(Key, AnyWorker, WorkerOptions)>,
}

impl ConcurrentAutoma {
    /// Creates an automa without branches.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), branches: Vec::new() }
    }

    /// Adds an own worker, an automa or an [`AnyWorker`] as a branch. The key `results` is
    /// reserved.
    pub fn branch<M>(mut self, key: impl Into<Key>, worker: impl IntoWorker<M>) -> Self {
        self.branches.push((key.into(), worker.into_worker(), WorkerOptions::default()));
        self
    }

    /// Adds a branch with options: a timeout, a retry, names of parameters, or the mapping of the
    /// run's arguments.
    pub fn branch_with<M>(
        mut self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Self {
        self.branches.push((key.into(), worker.into_worker(), options));
        self
    }

    /// Adds a function or a closure as a branch.
    pub fn branch_func<M>(
        self,
        key: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
    ) -> Self {
        self.branch(key, AnyWorker::func(function))
    }

    /// Builds the automa, which can be run any number of times.
    ///
    /// # Errors
    /// If a key is empty, used twice, or `results`.
    pub fn build(self) -> Result<GraphAutoma, BuildError> {
        let mut automa = GraphAutoma::new(self.name);
        let mut keys = Vec::new();
        for (key, worker, options) in self.branches {
            keys.push(key.clone());
            automa.add_worker(key, worker, options.start())?;
        }
        // Without branches, no worker would make it ready.
        let options = if keys.is_empty() { start() } else { after(keys) };
        automa.add_func_as_worker(RESULTS, results, options.merge().output())?;
        automa.validate()?;
        Ok(automa)
    }

    /// Adds a branch to the current run. `cx` is the context of another branch. The new branch
    /// starts in the next step with `args`, and its output is added at the end of the result.
    ///
    /// As with every edit of a graph, the run fails when the step settles if the edit is
    /// impossible, that is if the key is taken, or if the automa is not a `ConcurrentAutoma`.
    pub fn grow<M>(
        cx: &Context,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        args: impl IntoArgs,
    ) {
        let key = key.into();
        cx.add_worker(key.clone(), worker, free());
        cx.add_dependency(RESULTS, key.clone());
        cx.ferry_to(key, args.into_args());
    }

    /// Adds a branch to a nested automa that has not started. The branch begins with the others,
    /// and its output comes after theirs. The automa may have no branches before.
    ///
    /// ```
    /// use ddg_agentic::compose::ConcurrentAutoma;
    /// use ddg_core::prelude::*;
    /// use ddg_core::worker::AnyWorker;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = async |topics: Vec<String>, cx: Context| {
    ///     let research = cx.nested("research").expect("it is added below");
    ///     for topic in topics {
    ///         let look_up = AnyWorker::func(with(topic.clone(), async |topic: &String| topic.len()));
    ///         ConcurrentAutoma::fill(&research, topic, look_up);
    ///     }
    /// };
    /// let mut automa = GraphAutoma::new("library");
    /// automa.add_func_as_worker("plan", plan, start())?;
    /// let research = ConcurrentAutoma::new("research").build()?;
    /// automa.add_worker("research", research, after(["plan"]).output())?;
    /// let topics = vec!["trees".to_owned(), "ants".to_owned()];
    /// assert_eq!(automa.run((topics,)).output::<Vec<usize>>().await?, [5, 4]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fill<M>(automa: &NestedAutoma<'_>, key: impl Into<Key>, worker: impl IntoWorker<M>) {
        let key = key.into();
        automa.add_worker(key.clone(), worker, start());
        automa.add_dependency(RESULTS, key);
    }

    /// Removes a branch from the current run. `cx` is the context of another branch. The result has
    /// no output of the branch; if it is running, it runs to its end.
    ///
    /// If there is no such branch, the run fails when the step settles.
    pub fn take_out(cx: &Context, key: impl Into<Key>) {
        cx.remove_worker(key);
    }
}

/// Collects the outputs of the branches in order. Without branches it is called when the run
/// begins, with the arguments of the run.
async fn results(results: Value, cx: Context) -> Value {
    match cx.cause() {
        Cause::Start => Value::new(Vec::<Value>::new()),
        _ => results,
    }
}
