//! How a worker sits in its graph and how it is run: one small value.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Calling, Placement, Retry};
use crate::callback::{Callback, DynCallback};
use crate::graph::{Dealing, Mapping, Wiring};
use crate::key::Key;
use crate::values::{Data, Value};

/// The options of one worker; begin with [`start`], [`after`] or [`free`].
///
/// ```
/// use std::time::Duration;
/// use ddg_core::after;
/// use ddg_core::worker::Retry;
///
/// let options = after(["fetch", "parse"])
///     .merge()
///     .output()
///     .timeout(Duration::from_secs(5))
///     .retry(Retry::times(2));
/// ```
#[derive(Clone, Default)]
pub struct WorkerOptions {
    pub(crate) dependencies: Vec<Key>,
    pub(crate) wiring: Wiring,
    pub(crate) calling: Calling,
    pub(crate) params: Vec<Cow<'static, str>>,
    pub(crate) froms: Vec<From>,
    /// The parameters that only run inputs fill.
    pub(crate) inputs: Vec<Cow<'static, str>>,
    pub(crate) callbacks: Vec<Arc<dyn DynCallback>>,
}

/// A parameter that takes another worker's last output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct From {
    pub(crate) param: Cow<'static, str>,
    pub(crate) worker: Key,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Value>,
}

/// A default that is there, also where it is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A worker that runs in the first step, with the run's arguments.
///
/// ```
/// # use ddg_core::prelude::*;
/// let mut automa = GraphAutoma::new("greet");
/// automa.add_func_as_worker("greet", async |name: String| format!("Hello, {name}!"), start())?;
/// # Ok::<(), BuildError>(())
/// ```
pub fn start() -> WorkerOptions {
    WorkerOptions::default().start()
}

/// A worker that runs when all of `dependencies` have, with their outputs.
///
/// ```
/// # use ddg_core::prelude::*;
/// let mut automa = GraphAutoma::new("sum");
/// automa.add_func_as_worker("a", async || 1, start())?;
/// automa.add_func_as_worker("b", async || 2, start())?;
/// automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, after(["a", "b"]).output())?;
/// # Ok::<(), BuildError>(())
/// ```
pub fn after(dependencies: impl IntoKeys) -> WorkerOptions {
    WorkerOptions::default().after(dependencies)
}

/// Keys of workers, in their order: an array, a vector, or whatever can be iterated over, of what can be a [`Key`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of keys",
    label = "not a list of keys",
    note = "a single key stands in a list, too: `after([\"load\"])`"
)]
pub trait IntoKeys {
    /// The keys.
    fn into_keys(self) -> impl Iterator<Item = Key>;
}

// The list is told of, and not that it is no iterator.
#[diagnostic::do_not_recommend]
impl<K: Into<Key>, I: IntoIterator<Item = K>> IntoKeys for I {
    fn into_keys(self) -> impl Iterator<Item = Key> {
        self.into_iter().map(Into::into)
    }
}

/// A worker that runs only when it is ferried to.
///
/// ```
/// # use ddg_core::prelude::*;
/// let mut automa = GraphAutoma::new("jump");
/// automa.add_func_as_worker("first", async |cx: Context| cx.ferry_to("last", (1,)), start())?;
/// automa.add_func_as_worker("last", async |x: i32| x, free().output())?;
/// # Ok::<(), BuildError>(())
/// ```
pub fn free() -> WorkerOptions {
    WorkerOptions::default()
}

impl WorkerOptions {
    /// Runs in the first step, too.
    #[must_use]
    pub fn start(mut self) -> Self {
        self.wiring.start = true;
        self
    }

    /// Depends on these workers as well.
    #[must_use]
    pub fn after(mut self, dependencies: impl IntoKeys) -> Self {
        self.dependencies.extend(dependencies.into_keys());
        self
    }

    /// Its output is the result of the run.
    #[must_use]
    pub fn output(mut self) -> Self {
        self.wiring.output = true;
        self
    }

    /// Takes each dependency's output as one argument, in the order they were declared. This is
    /// what holds unless another mapping is set. A dependency that outputs `()` gives none.
    #[must_use]
    pub fn as_is(mut self) -> Self {
        self.wiring.mapping = Mapping::AsIs;
        self
    }

    /// Takes all outputs of its dependencies as one list, a `Vec<T>`. It has one element for each
    /// dependency, in the order they were declared: null for one that outputs `()`.
    #[must_use]
    pub fn merge(mut self) -> Self {
        self.wiring.mapping = Mapping::Merge;
        self
    }

    /// Takes the output of its one dependency spread out: a list by position, a map by name.
    #[must_use]
    pub fn unpack(mut self) -> Self {
        self.wiring.mapping = Mapping::Unpack;
        self
    }

    /// Takes nothing from its dependencies; they only say when it runs.
    #[must_use]
    pub fn suppressed(mut self) -> Self {
        self.wiring.mapping = Mapping::Suppressed;
        self
    }

    /// Deals its output, a list, out to its successors: the first element to the one that was
    /// declared first, and so on. There must be as many elements as successors.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.wiring.dealing = Dealing::InOrder;
        self
    }

    /// Fails with [`TimedOut`](crate::worker::TimedOut) if an attempt takes longer. An async worker is
    /// dropped then; a blocking one cannot be stopped, its output is dropped when it ends.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.calling.timeout = Some(timeout);
        self
    }

    /// Tries it again when it fails.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.calling.retry = Some(retry);
        self
    }

    /// Runs a synchronous worker on the pool for blocking work (holds unless
    /// [`inline`](Self::inline) is set). An async worker is not affected.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.calling.placement = Placement::Blocking;
        self
    }

    /// Runs a synchronous worker in place: right for one that takes microseconds, wrong for one
    /// that blocks.
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.calling.placement = Placement::Inline;
        self
    }

    /// Names the parameters, in order and without the context, so that they can be filled by
    /// name. `#[worker]` does this by itself.
    #[must_use]
    pub fn params<N: Into<Cow<'static, str>>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.params = names.into_iter().map(Into::into).collect();
        self
    }

    /// Fills the parameter called `param` (see [`params`](Self::params)) with the last output of
    /// `worker`. That no such output exists when it is needed is an error.
    #[must_use]
    pub fn from(self, param: impl Into<Cow<'static, str>>, worker: impl Into<Key>) -> Self {
        self.with_from(param.into(), worker.into(), None)
    }

    /// Like [`from`](Self::from), with a value for when that worker has not run.
    #[must_use]
    pub fn from_or<T: Data>(
        self,
        param: impl Into<Cow<'static, str>>,
        worker: impl Into<Key>,
        default: T,
    ) -> Self {
        self.with_from(param.into(), worker.into(), Some(Value::new(default)))
    }

    /// Fills the parameter called `param` (see [`params`](Self::params)) by name only: with the run's
    /// input of that name, or what a ferry names so. No output and no argument by position fills it. A run
    /// that is not given it does not begin, unless it is an `Option`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("greet");
    /// automa.add_func_as_worker("begin", async |cx: Context| cx.ferry_to("greet", (2,)), start())?;
    /// let greet = async |name: String, times: usize| vec![name; times].join(" and ");
    /// let options = free().params(["name", "times"]).input("name").output();
    /// automa.add_func_as_worker("greet", greet, options)?;
    /// assert_eq!(automa.run(args!(name = "Ada")).output::<String>().await?, "Ada and Ada");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn input(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.inputs.push(param.into());
        self
    }

    /// Adds a callback around this worker; see [`Callback`].
    #[must_use]
    pub fn callback(mut self, callback: impl Callback) -> Self {
        self.callbacks.push(Arc::new(callback));
        self
    }

    /// Whether anything about the parameters is said in it.
    pub(crate) fn says_parameters(&self) -> bool {
        !self.params.is_empty() || !self.froms.is_empty() || !self.inputs.is_empty()
    }

    fn with_from(mut self, param: Cow<'static, str>, worker: Key, default: Option<Value>) -> Self {
        self.froms.push(From { param, worker, default });
        self
    }
}
