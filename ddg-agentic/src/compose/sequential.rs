//! Workers that run in sequence.

use ddg_core::graph::BuildError;
use ddg_core::worker::{AnyWorker, IntoFunc, IntoWorker};
use ddg_core::{Context, GraphAutoma, Key, Value, WorkerOptions, after};

/// The key of the last worker of an automa that can grow.
const RESULT: &str = "result";

/// Builds an automa of workers that run one after another. The first takes the run's arguments,
/// each further one the output of the one before, and the output of the last is the result.
///
/// ```
/// use ddg_agentic::compose::SequentialAutoma;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let automa = SequentialAutoma::new("headline")
///     .then_func("trim", async |text: String| text.trim().to_owned())
///     .then_func("shout", async |text: String| text.to_uppercase() + "!")
///     .build()?;
/// let text: String = automa.run(ddg_core::args!("  rain ".to_owned())).output().await?;
/// assert_eq!(text, "RAIN!");
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder is not an automa: call `build`"]
pub struct SequentialAutoma {
    name: String,
    workers: Vec<(Key, AnyWorker, WorkerOptions)>,
    growing: bool,
}

impl SequentialAutoma {
    /// Creates an automa without workers.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), workers: Vec::new(), growing: false }
    }

    /// Adds an own worker, an automa or an [`AnyWorker`] at the end.
    pub fn then<M>(mut self, key: impl Into<Key>, worker: impl IntoWorker<M>) -> Self {
        self.workers.push((key.into(), worker.into_worker(), WorkerOptions::default()));
        self
    }

    /// Adds a worker with options: a timeout, a retry, names of parameters, or the mapping of its
    /// arguments.
    pub fn then_with<M>(
        mut self,
        key: impl Into<Key>,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Self {
        self.workers.push((key.into(), worker.into_worker(), options));
        self
    }

    /// Adds a function or a closure at the end.
    pub fn then_func<M>(
        self,
        key: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
    ) -> Self {
        self.then(key, AnyWorker::func(function))
    }

    /// Allows workers to [append](Self::append) others at run time. The automa then has a last
    /// worker with the key `result`, which returns the output of the one before it.
    pub fn growing(mut self) -> Self {
        self.growing = true;
        self
    }

    /// Builds the automa, which can be run any number of times. Without workers, its result is
    /// null.
    ///
    /// # Errors
    /// If a key is empty or used twice, or the output of a worker does not fit the next one.
    pub fn build(self) -> Result<GraphAutoma, BuildError> {
        let mut automa = GraphAutoma::new(self.name);
        let n_workers = self.workers.len();
        let mut before: Option<Key> = None;
        for (nth, (key, worker, options)) in self.workers.into_iter().enumerate() {
            let options = match before.replace(key.clone()) {
                Some(before) => options.after([before]),
                None => options.start(),
            };
            let is_last = nth + 1 == n_workers && !self.growing;
            automa.add_worker(key, worker, if is_last { options.output() } else { options })?;
        }
        if self.growing {
            let result = async |result: Option<Value>| result.unwrap_or_default();
            automa.add_func_as_worker(RESULT, result, after(before).output())?;
        }
        automa.validate()?;
        Ok(automa)
    }

    /// Adds workers at the end of the current run; `cx` is the context of one of its workers. Each
    /// takes the output of the one before, and the output of the last is the result. The automa
    /// must be [growing](Self::growing).
    ///
    /// As with every edit of a graph, the run fails when the step settles if the edit is
    /// impossible: if a key is taken, or if this is called twice in a step.
    ///
    /// ```
    /// use ddg_agentic::compose::SequentialAutoma;
    /// use ddg_core::prelude::*;
    /// use ddg_core::worker::AnyWorker;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = async |text: String, cx: Context| {
    ///     let shout = AnyWorker::func(async |text: String| text.to_uppercase());
    ///     let cry = AnyWorker::func(async |text: String| text + "!");
    ///     SequentialAutoma::append(&cx, [("shout", shout), ("cry", cry)]);
    ///     text
    /// };
    /// let automa = SequentialAutoma::new("headline")
    ///     .then_func("plan", plan)
    ///     .then_func("trim", async |text: String| text.trim().to_owned())
    ///     .growing()
    ///     .build()?;
    /// assert_eq!(automa.run(args!("  rain ")).output::<String>().await?, "RAIN!");
    /// # Ok(())
    /// # }
    /// ```
    pub fn append<K: Into<Key>>(cx: &Context, workers: impl IntoIterator<Item = (K, AnyWorker)>) {
        let mut before = cx.automa().dependencies(RESULT).and_then(|mut on| on.pop());
        let old = before.clone();
        for (key, worker) in workers {
            let key = key.into();
            cx.add_worker(key.clone(), worker, after(before.replace(key)));
        }
        if let (Some(old), Some(last)) = (old, before) {
            cx.remove_dependency(RESULT, old);
            cx.add_dependency(RESULT, last);
        }
    }
}
