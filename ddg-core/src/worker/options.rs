//! Options of a worker: its place in the graph, and how it is called.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Calling, Placement, Retry};
use crate::callback::{Callback, DynCallback};
use crate::graph::{Dealing, Mapping, Wiring};
use crate::key::Key;
use crate::values::{Data, Value};

/// The options of a worker. Create them with [`start`], [`after`] or [`free`].
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
    /// The parameters that only run inputs can fill.
    pub(crate) inputs: Vec<Cow<'static, str>>,
    pub(crate) callbacks: Vec<Arc<dyn DynCallback>>,
}

/// A parameter that is filled with another worker's last output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct From {
    pub(crate) param: Cow<'static, str>,
    pub(crate) worker: Key,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Value>,
}

/// Deserialises a default that is present, also if it is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Options of a worker that runs in the first step, with the run's arguments.
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

/// Options of a worker that runs when all of `dependencies` have run, with their outputs.
///
/// ```
/// # use ddg_core::prelude::*;
/// let mut automa = GraphAutoma::new("sum");
/// automa.add_func_as_worker("a", async || 1, start())?;
/// automa.add_func_as_worker("b", async || 2, start())?;
/// automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, after(["a", "b"]).output())?;
/// # Ok::<(), BuildError>(())
/// ```
///
/// A worker after an empty list waits for nobody: it runs once, in the step after the one that adds
/// it, or in the first step if it is declared. So a fan-out to no worker at all is joined as any
/// other. (A [`free`] worker runs only when it is ferried to.)
///
/// ```
/// # use ddg_core::prelude::*;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("fan");
/// automa.add_func_as_worker("split", async |parts: Vec<u32>, cx: Context| {
///     let keys: Vec<String> = parts.iter().map(|part| format!("part {part}")).collect();
///     for (key, part) in keys.iter().zip(parts) {
///         cx.add_func_as_worker(key, async |part: u32| 2 * part, free());
///         cx.ferry_to(key, (part,));
///     }
///     let sum = async |parts: Vec<u32>| parts.iter().sum::<u32>();
///     cx.add_func_as_worker("sum", sum, after(keys).merge().output());
/// }, start())?;
/// assert_eq!(automa.run(args!(vec![1, 2])).output::<u32>().await?, 6);
/// assert_eq!(automa.run(args!(Vec::<u32>::new())).output::<u32>().await?, 0);
/// # Ok(())
/// # }
/// ```
pub fn after(dependencies: impl IntoKeys) -> WorkerOptions {
    WorkerOptions::default().after(dependencies)
}

/// Keys of workers in their order: an array, a vector, or any iterable of items that convert to
/// [`Key`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of keys",
    label = "not a list of keys",
    note = "write a single key as a list, too: `after([\"load\"])`"
)]
pub trait IntoKeys {
    /// The keys.
    fn into_keys(self) -> impl Iterator<Item = Key>;
}

// The message names the list, not the iterator that it is not.
#[diagnostic::do_not_recommend]
impl<K: Into<Key>, I: IntoIterator<Item = K>> IntoKeys for I {
    fn into_keys(self) -> impl Iterator<Item = Key> {
        self.into_iter().map(Into::into)
    }
}

/// Names of parameters in their order: an array, a vector, or any iterable of texts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of names",
    label = "not a list of names",
    note = "write a single name as a list, too: `.params([\"city\"])`"
)]
pub trait IntoNames {
    /// The names.
    fn into_names(self) -> impl Iterator<Item = Cow<'static, str>>;
}

#[diagnostic::do_not_recommend]
impl<N: Into<Cow<'static, str>>, I: IntoIterator<Item = N>> IntoNames for I {
    fn into_names(self) -> impl Iterator<Item = Cow<'static, str>> {
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
    /// Runs the worker in the first step as well.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("again");
    /// let end = async || "done".to_owned();
    /// automa.add_func_as_worker("check", async |cx: Context| println!("{}", cx.cause()), after(["work"]).start())?;
    /// automa.add_func_as_worker("work", async || (), start())?;
    /// automa.add_func_as_worker("end", end, after(["check"]).output())?;
    /// // `check` runs in the first step, and again after `work`.
    /// assert_eq!(automa.run(()).output::<String>().await?, "done");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn start(mut self) -> Self {
        self.wiring.start = true;
        self
    }

    /// Adds dependencies. A worker after an empty list waits for nobody; see [`after`].
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("sum");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async || 2, start())?;
    /// let options = after(["a"]).after(["b"]).output();
    /// automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, options)?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn after(mut self, dependencies: impl IntoKeys) -> Self {
        self.dependencies.extend(dependencies.into_keys());
        self.wiring.after_nobody = self.dependencies.is_empty();
        self
    }

    /// Runs the worker only when the loops before it have ended, with the last outputs of its
    /// dependencies. Without this it runs each time that all of them have run, so behind loops of 3
    /// and of 2 rounds twice.
    ///
    /// A loop is a ferry back, and ferries may lead anywhere. So the worker runs when all of its
    /// dependencies have run and nothing else of its automa is running or about to run, apart from
    /// workers that wait for the end of loops as well and do not come before it.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("rounds");
    /// automa.add_func_as_worker("a", async |cx: Context| round(&cx, 3), start())?;
    /// automa.add_func_as_worker("b", async |cx: Context| round(&cx, 2), start())?;
    /// let join = async |a: u32, b: u32| format!("{a} and {b} rounds");
    /// automa.add_func_as_worker("join", join, after(["a", "b"]).after_loops().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "3 and 2 rounds");
    ///
    /// fn round(cx: &Context, most: u32) -> u32 {
    ///     let n = cx.local().update("n", |n: &mut u32| { *n += 1; *n });
    ///     if n < most {
    ///         cx.ferry_to(cx.key(), ());
    ///     }
    ///     n
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn after_loops(mut self) -> Self {
        self.wiring.after_loops = true;
        self
    }

    /// Makes the worker an output worker: its output is the result of the run.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("shout");
    /// automa.add_func_as_worker("shout", async |text: String| text.to_uppercase(), start().output())?;
    /// assert_eq!(automa.run(args!("hello")).output::<String>().await?, "HELLO");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn output(mut self) -> Self {
        self.wiring.output = true;
        self
    }

    /// Passes each dependency's output as one argument, in the order in which they were declared.
    /// This is the default. A dependency that outputs `()` gives no argument.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("page");
    /// automa.add_func_as_worker("prepare", async || (), start())?;
    /// automa.add_func_as_worker("name", async || "Ada".to_owned(), start())?;
    /// automa.add_func_as_worker("age", async || 36, start())?;
    /// let page = async |name: String, age: u32| format!("{name}, {age}");
    /// let options = after(["prepare", "name", "age"]).as_is().output();
    /// automa.add_func_as_worker("page", page, options)?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "Ada, 36");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn as_is(mut self) -> Self {
        self.wiring.mapping = Mapping::AsIs;
        self
    }

    /// Passes all outputs of the dependencies as one list, a `Vec<T>`. It has one element for each
    /// dependency, in the order in which they were declared; the element of one that outputs `()`
    /// is null.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("sum");
    /// automa.add_func_as_worker("a", async || 1, start())?;
    /// automa.add_func_as_worker("b", async || 2, start())?;
    /// let sum = async |all: Vec<i32>| all.iter().sum::<i32>();
    /// automa.add_func_as_worker("sum", sum, after(["a", "b"]).merge().output())?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn merge(mut self) -> Self {
        self.wiring.mapping = Mapping::Merge;
        self
    }

    /// Passes the elements of the only dependency's output as arguments: a list by position, a map
    /// by name.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("trip");
    /// automa.add_func_as_worker("choose", async || ("Oslo".to_owned(), 3), start())?;
    /// let book = async |city: String, days: u32| format!("{days} days in {city}");
    /// automa.add_func_as_worker("book", book, after(["choose"]).unpack().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "3 days in Oslo");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unpack(mut self) -> Self {
        self.wiring.mapping = Mapping::Unpack;
        self
    }

    /// Passes nothing from the dependencies, which only decide when the worker runs.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("load", async || 7, start())?;
    /// let report = async || "loaded".to_owned();
    /// automa.add_func_as_worker("report", report, after(["load"]).suppressed().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "loaded");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn suppressed(mut self) -> Self {
        self.wiring.mapping = Mapping::Suppressed;
        self
    }

    /// Scatters the output, a list, over the successors: the first element goes to the successor
    /// that was declared first, and so on. There must be as many elements as successors.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("halves");
    /// automa.add_func_as_worker("split", async || vec![1, 2], start().in_order())?;
    /// automa.add_func_as_worker("left", async |n: i32| 10 * n, after(["split"]))?;
    /// automa.add_func_as_worker("right", async |n: i32| 100 * n, after(["split"]))?;
    /// let sum = async |left: i32, right: i32| left + right;
    /// automa.add_func_as_worker("sum", sum, after(["left", "right"]).output())?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 210);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.wiring.dealing = Dealing::InOrder;
        self
    }

    /// Fails the worker with [`TimedOut`](crate::worker::TimedOut) if an attempt takes longer than
    /// `timeout`. An async worker is dropped then. A blocking worker cannot be stopped; its output
    /// is dropped when it ends.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// use ddg_core::worker::TimedOut;
    ///
    /// let mut automa = GraphAutoma::new("slow");
    /// let options = start().timeout(Duration::from_millis(1));
    /// automa.add_func_as_worker("wait", async || std::future::pending::<()>().await, options)?;
    /// let error = automa.run(()).await.unwrap_err();
    /// assert!(error.downcast_ref::<TimedOut>().is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.calling.timeout = Some(timeout);
        self
    }

    /// Retries the worker when it fails.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("flaky");
    /// let call = async |cx: Context| match cx.attempt() {
    ///     1 | 2 => Err(WorkerError::msg("not up yet")),
    ///     n => Ok(n),
    /// };
    /// automa.add_func_as_worker("call", call, start().retry(Retry::times(2)).output())?;
    /// assert_eq!(automa.run(()).output::<u32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.calling.retry = Some(retry);
        self
    }

    /// Runs a synchronous worker on the blocking pool. This is the default;
    /// [`inline`](Self::inline) changes it. Async workers are not affected.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("read");
    /// let read = |path: String| std::fs::read_to_string(path);
    /// automa.add_func_as_worker("read", read, start().blocking().output())?;
    /// assert!(automa.run(args!("/no/such/file")).output::<String>().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.calling.placement = Placement::Blocking;
        self
    }

    /// Runs a synchronous worker in place. This is right for a worker that takes microseconds and
    /// wrong for one that blocks.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("add");
    /// automa.add_func_as_worker("add", |a: i32, b: i32| a + b, start().inline().output())?;
    /// assert_eq!(automa.run(args!(1, 2)).output::<i32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.calling.placement = Placement::Inline;
        self
    }

    /// Names the parameters, in order and without the context, so that they can be filled by name.
    /// `#[worker]` does this itself.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("greet");
    /// let greet = async |greeting: String, name: String| format!("{greeting} {name}!");
    /// let options = start().params(["greeting", "name"]).output();
    /// automa.add_func_as_worker("greet", greet, options)?;
    /// let text: String = automa.run(args!(name = "Ada", greeting = "Hello")).output().await?;
    /// assert_eq!(text, "Hello Ada!");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn params(mut self, names: impl IntoNames) -> Self {
        self.params = names.into_names().collect();
        self
    }

    /// Fills the parameter `param`, named by [`params`](Self::params), with the last output of
    /// `worker`. It is an error if there is none when it is needed.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("price");
    /// automa.add_func_as_worker("net", async || 100, start())?;
    /// automa.add_func_as_worker("tax", async |net: i32| net / 4, after(["net"]))?;
    /// let options = after(["tax"]).params(["tax", "net"]).from("net", "net");
    /// automa.add_func_as_worker("gross", async |tax: i32, net: i32| net + tax, options.output())?;
    /// assert_eq!(automa.run(()).output::<i32>().await?, 125);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from(self, param: impl Into<Cow<'static, str>>, worker: impl Into<Key>) -> Self {
        self.with_from(param.into(), worker.into(), None)
    }

    /// Like [`from`](Self::from), with a default for when that worker has not run.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("price");
    /// automa.add_func_as_worker("discount", async || 10, free())?;
    /// let options = start().params(["net", "discount"]).from_or("discount", "discount", 0);
    /// automa.add_func_as_worker("price", async |net: i32, discount: i32| net - discount, options.output())?;
    /// assert_eq!(automa.run(args!(100)).output::<i32>().await?, 100);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_or<T: Data>(
        self,
        param: impl Into<Cow<'static, str>>,
        worker: impl Into<Key>,
        default: T,
    ) -> Self {
        self.with_from(param.into(), worker.into(), Some(Value::new(default)))
    }

    /// Fills the parameter `param` (see [`params`](Self::params)) only by name: with the run's
    /// input of that name, or a named argument of a ferry. Outputs and positional arguments do not
    /// fill it. A run without the input does not begin, unless the parameter is an `Option`.
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
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// /// Counts as 0 what is not a number.
    /// struct Zero;
    ///
    /// impl Callback for Zero {
    ///     async fn did_fail(&self, _: &Context, _: &WorkerError) -> Result<Option<Value>, WorkerError> {
    ///         Ok(Some(Value::new(0)))
    ///     }
    /// }
    ///
    /// let mut automa = GraphAutoma::new("parse");
    /// let parse = async |text: String| text.parse::<i32>();
    /// automa.add_func_as_worker("parse", parse, start().callback(Zero).output())?;
    /// assert_eq!(automa.run(args!("seven")).output::<i32>().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn callback(mut self, callback: impl Callback) -> Self {
        self.callbacks.push(Arc::new(callback));
        self
    }

    /// Whether the options say anything about parameters.
    pub(crate) fn says_parameters(&self) -> bool {
        !self.params.is_empty() || !self.froms.is_empty() || !self.inputs.is_empty()
    }

    fn with_from(mut self, param: Cow<'static, str>, worker: Key, default: Option<Value>) -> Self {
        self.froms.push(From { param, worker, default });
        self
    }
}
