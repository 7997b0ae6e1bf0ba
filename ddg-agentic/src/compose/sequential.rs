//! One worker after the other.

use ddg_core::graph::BuildError;
use ddg_core::worker::{AnyWorker, IntoFunc, IntoWorker};
use ddg_core::{GraphAutoma, Key, after, start};

/// Builds an automa of workers that run one after the other: the first takes the run's arguments,
/// each other one what the one before gave, and what the last gives is the result.
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
#[must_use = "it is no automa yet: call `build`"]
pub struct SequentialAutoma {
    name: String,
    workers: Vec<(Key, AnyWorker)>,
}

impl SequentialAutoma {
    /// An automa without workers.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), workers: Vec::new() }
    }

    /// Runs an own worker, an automa or an [`AnyWorker`] after those that are there.
    pub fn then<M>(mut self, key: impl Into<Key>, worker: impl IntoWorker<M>) -> Self {
        self.workers.push((key.into(), worker.into_worker()));
        self
    }

    /// Runs a function or a closure after those that are there.
    pub fn then_func<M>(
        self,
        key: impl Into<Key>,
        function: impl IntoFunc<M, Made = AnyWorker>,
    ) -> Self {
        self.then(key, AnyWorker::func(function))
    }

    /// The automa, to be run as often as you like. Without workers, its result is null.
    ///
    /// # Errors
    /// A key is empty or given twice, or what a worker gives is not what the next takes.
    pub fn build(self) -> Result<GraphAutoma, BuildError> {
        let mut automa = GraphAutoma::new(self.name);
        let n_workers = self.workers.len();
        let mut before: Option<Key> = None;
        for (nth, (key, worker)) in self.workers.into_iter().enumerate() {
            let options = match before.replace(key.clone()) {
                Some(before) => after([before]),
                None => start(),
            };
            let options = if nth + 1 == n_workers { options.output() } else { options };
            automa.add_worker(key, worker, options)?;
        }
        automa.validate()?;
        Ok(automa)
    }
}
