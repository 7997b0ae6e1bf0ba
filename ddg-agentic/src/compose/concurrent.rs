//! All workers at once, and what they give in order.

use ddg_core::args::IntoArgs;
use ddg_core::graph::BuildError;
use ddg_core::worker::{AnyWorker, IntoFunc, IntoWorker};
use ddg_core::{Context, GraphAutoma, Key, Value, after, free, start};

/// The worker that waits for all branches.
const RESULTS: &str = "results";

/// Builds an automa of workers that run at once, the branches: each takes the run's arguments, and
/// the result is the list of what they give, in the order in which they were added, whichever ends
/// first. It can [grow](Self::grow) while it runs.
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
#[must_use = "it is no automa yet: call `build`"]
pub struct ConcurrentAutoma {
    name: String,
    branches: Vec<(Key, AnyWorker)>,
}

impl ConcurrentAutoma {
    /// An automa without branches.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), branches: Vec::new() }
    }

    /// Runs an own worker, an automa or an [`AnyWorker`] beside those that are there. The key
    /// `results` is taken.
    pub fn branch<M>(mut self, key: impl Into<Key>, worker: impl IntoWorker<M>) -> Self {
        self.branches.push((key.into(), worker.into_worker()));
        self
    }

    /// Runs a function or a closure beside those that are there.
    pub fn branch_func<M>(
        self,
        key: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
    ) -> Self {
        self.branch(key, AnyWorker::func(function))
    }

    /// The automa, to be run as often as you like.
    ///
    /// # Errors
    /// A key is empty, given twice, or `results`.
    pub fn build(self) -> Result<GraphAutoma, BuildError> {
        let mut automa = GraphAutoma::new(self.name);
        let mut keys = Vec::new();
        for (key, worker) in self.branches {
            keys.push(key.clone());
            automa.add_worker(key, worker, start())?;
        }
        if keys.is_empty() {
            let nothing = async || Vec::<Value>::new();
            automa.add_func_as_worker(RESULTS, nothing, start().output())?;
        } else {
            let all = async |results: Value| results;
            automa.add_func_as_worker(RESULTS, all, after(keys).merge().output())?;
        }
        automa.validate()?;
        Ok(automa)
    }

    /// Adds a branch to the run that the worker of `cx`, itself a branch, is in: it begins in the
    /// next step with `args`, and what it gives comes after the results of those that were there.
    ///
    /// As with every change of a graph, one that cannot be made fails the run when the step
    /// settles: if the key is taken, or the automa is no `ConcurrentAutoma`.
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
}
