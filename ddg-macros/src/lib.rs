//! The `#[automa]` and `#[worker]` attributes of `ddg-core` and the `#[tool]` attribute of
//! `ddg-agentic`, which re-export them.
//!
//! The first two turn an impl block into an automa: the methods marked `#[worker]` become its workers.
//! What can be known about the graph before it runs is checked while it is compiled, and the expansion
//! is made of plain calls that a person could have written. The third turns a function into a tool
//! (`tool`).
//!
//! A block or a function goes through four phases, one module each: it is parsed (`parse`) into a model
//! (`model`), the model is checked (`check`) and lowered to code (`lower`). All faults are
//! reported in one go, and lowering cannot fail.

mod check;
mod expand;
mod fault;
mod lower;
mod model;
mod parse;
mod suggestion;
mod syntax;
#[cfg(test)]
mod tests;
mod tool;
mod type_syntax;

use proc_macro::TokenStream;

/// Makes an automa of an impl block: implements `Automa` for its type.
///
/// ```ignore
/// use ddg_core::prelude::*;
///
/// struct Sum100;
///
/// #[automa]
/// impl Sum100 {
///     #[worker(start)]
///     async fn start(&self, x: i64) -> i64 { x }
///
///     #[worker(dependencies = [start])]
///     async fn accumulate(&self, x: i64, cx: &Context) {
///         let sum = cx.local().update("sum", |sum: &mut i64| { *sum += x; *sum });
///         if x < 100 { cx.ferry_to(Self::START, (x + 1,)) } else { cx.ferry_to(Self::END, (sum,)) }
///     }
///
///     #[worker(output)]
///     async fn end(&self, x: i64) -> i64 { x }
/// }
///
/// let y = Sum100.run(args!(x = 0)).await?;             // 5050, an i64
/// ```
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "…"` | the automa's name; otherwise the name of the type |
/// | `output = T` | type of the result; otherwise that of the workers marked `output` |
/// | `fragments = [Self::tools, self.retrieval]` | workers that are declared elsewhere, see below |
/// | `fragment = tools` | this block declares a part of an automa, see below |
/// | `crate = path` | where to find the engine; otherwise `::ddg_core` |
///
/// Without `output`, the result has the output type of the workers marked `output`: `Value` if
/// they differ or if there are none but fragments, `()` if there are none at all.
///
/// # The block
///
/// It may be generic over types, which need to be `Send + Sync + 'static`; it can't have lifetimes,
/// because an automa is shared by all its runs. Methods without `#[worker]` stay what they are.
///
/// # What it generates
///
/// - The block itself, without the attributes.
/// - A typed constant for each worker, with the visibility of its method: `Self::START` for
///   `start`. To ferry with it has the arguments checked by the compiler.
/// - `impl Automa`, whose `declare` adds the workers in the order of their methods.
/// - In `declare` a closure that is never called, in which the compiler compares outputs with what
///   they fill, and looks whether the types of workers can travel.
///
/// ```ignore
/// impl Sum100 {
///     /// The worker `start`.
///     const START: WorkerRef<fn(i64) -> i64> = WorkerRef::new("start");
///     // and so on
/// }
///
/// impl Automa for Sum100 {
///     type Output = i64;
///     const NAME: &'static str = "Sum100";
///
///     fn declare(this: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
///         graph.add_func_as_worker(
///             "start",
///             {
///                 let this = Arc::clone(this);
///                 move |x: i64| {
///                     let this = Arc::clone(&this);
///                     async move { Self::start(&this, x).await }
///                 }
///             },
///             start().params(["x"]),
///         )?;
///         // and so on
///         Ok(())
///     }
/// }
/// ```
///
/// # Fragments
///
/// An automa can be put together of several blocks. Each entry of `fragments` is declared ahead of
/// the block's own workers, in order:
///
/// - `Self::tools` is another block of the same type, marked `#[automa(fragment = tools)]` (or
///   just `fragment`, which makes it `Self::fragment`). Instead of `impl Automa` it generates the
///   function `tools`.
/// - `self.retrieval` is a field of type `Arc<Retrieval>`, where `Retrieval` is an automa: its
///   workers become workers of this one.
///
/// A block sees only its own workers. One of another fragment is named `dynamic("key")`, and
/// checked when the graph is validated; with `#[worker(override)]` a worker takes its place.
///
/// ```ignore
/// #[automa(fragments = [Self::tools, self.retrieval])]
/// impl Agent {
///     #[worker(dependencies = [dynamic("search")], output)]
///     async fn answer(&self, hits: Vec<Hit>) -> String { .. }
/// }
///
/// #[automa(fragment = tools)]
/// impl Agent {
///     #[worker(start)]
///     async fn search(&self, query: String) -> Vec<Hit> { .. }
/// }
/// ```
///
/// # What the compiler checks
///
/// Keys that are given twice, unknown dependencies and those that a `#[cfg]` has removed, cycles, two
/// outputs on one path, `#[from]` of an unknown worker, more outputs than parameters, the arguments of
/// ferries to constants, unknown options, type parameters without the bounds of data, and signatures
/// that can't be called. And the types:
///
/// | of | against |
/// | --- | --- |
/// | a dependency's output | the parameter that it fills |
/// | the outputs that are merged | `T` in `Vec<T>`, or the elements of a tuple |
/// | the elements of an output that is unpacked | the parameters |
/// | the elements of a list that is dealt out (`in_order`) | the parameters of the successors |
/// | the last output of a worker | the parameter that it is injected into (`#[from]`) |
/// | the output of the workers marked `output` | `output = T` |
///
/// Types are compared where both are written down: not for `Value`, streams, and lists and maps that
/// have another name.
///
/// # Syntax errors
///
/// The compiler reports a syntax error in the block, and nothing else is wrong because of it: the other
/// workers, all constants and the automa itself stay what they are.
#[proc_macro_attribute]
pub fn automa(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attr.into(), item.into()).into()
}

/// Makes a worker of a method in an [`#[automa]`](macro@automa) block.
///
/// ```ignore
/// #[worker(dependencies = [fetch_page, "fetch index"], timeout = Duration::from_secs(30))]
/// async fn compare(&self, page: &Page, index: &Index, cx: &Context) -> Result<Report, Failure> { .. }
/// ```
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `start` | runs in the first step, with the run's arguments |
/// | `output` | its output is the result of the run |
/// | `dependencies = [..]` | runs when all of these have run; see below |
/// | `as_is` (default) | takes one argument per dependency, in order; one that gives `()` gives none |
/// | `merge` | takes all outputs as one list |
/// | `unpack` | takes the list or map of its dependency spread out |
/// | `suppressed` | takes nothing from its dependencies |
/// | `in_order` | deals its output, a list, out: one element per successor |
/// | `timeout = expr` | a `Duration`; when it is over the worker fails |
/// | `retry = expr` | a `Retry`: what to do when it has failed |
/// | `blocking`, `inline` | where a sync worker runs: the blocking pool (default), or in place |
/// | `callbacks = [..]` | a list of callbacks |
/// | `key = "…"` | its key; otherwise the name of the method |
/// | `detached` | declared, and placed at run time: `cx.add_func_as_worker("key", Self::NAME, ..)` |
/// | `override` | takes the place of a fragment's worker |
///
/// A detached worker gets `start`, `output`, dependencies and mapping when it is placed.
///
/// In the expressions `self` is the automa as it is declared: `timeout = self.patience`.
///
/// # Naming other workers
///
/// In `dependencies` and `#[from]` a worker is named by its method (`fetch_page`) or by its key
/// (`"fetch index"`). `dynamic("key")` is any worker, one of another fragment, say; it is checked
/// when the graph is validated.
///
/// # The method
///
/// An `async fn`, or an `fn`, which runs on the blocking pool unless it is marked `inline`. It takes
/// `&self` or nothing of `self`, and up to 12 parameters with plain names:
///
/// | parameter | gets |
/// | --- | --- |
/// | `x: T` | its own `T` |
/// | `x: &T`, `x: &str`, `x: &[T]` | borrows a shared `T`, `String`, `Vec<T>` |
/// | `cx: &Context`, `cx: Context` | the context, known by the name `Context` |
/// | `#[from("key")] x: T` | the last output of that worker |
/// | `#[from("key", default = expr)] x: T` | the same; `expr` while there is none |
/// | `#[input] x: T` | the run's input called `x`; a ferry's tuple leaves it out |
///
/// Parameters other than the context are also filled by name, from the inputs of the run and from
/// named arguments of a ferry.
///
/// It returns nothing, `T`, `Result<T, E>` or `impl Stream<Item = T>`, all of which own their data.
/// A stream outlives the call that made it; that it borrows nothing from `&self` is written
/// `impl Stream<Item = T> + use<>`.
#[proc_macro_attribute]
pub fn worker(_options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand_lone_worker(item.into()).into()
}

/// Makes a tool of a function: something that a model can have done.
///
/// ```ignore
/// use ddg_agentic::{Toolbox, tool};
///
/// /// Tells the weather of the next days. Use it before you plan a trip.
/// #[tool]
/// async fn weather(
///     /// The city, in English.
///     city: String,
///     #[default = 3] days: u32,
///     unit: Option<Unit>,
///     cx: &Context,
///     stations: State<Stations>,
/// ) -> Result<Forecast, StationError> { .. }
///
/// let tools = Toolbox::builder().with(weather::tool()).state(stations).build()?;
/// ```
///
/// The function stays what it is. Beside it there is a type of the same name, with its visibility,
/// whose one function `tool()` gives the tool.
///
/// # What a model is told
///
/// The name and the doc comment of the function, and the JSON schema of its parameters: their names,
/// types and doc comments, which of them are needed, and the defaults of others.
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "…"` | the tool's name; otherwise that of the function |
/// | `description = "…"` | what it does; otherwise the doc comment |
/// | `inline` | a sync function is called where it stands; otherwise where blocking is allowed |
/// | `crate = path` | where to find the agents; otherwise `::ddg_agentic` |
///
/// # The function
///
/// An `async fn`, or an `fn`, with any number of parameters with plain names:
///
/// | parameter | gets |
/// | --- | --- |
/// | `x: T` | a `T` that the model gives: it implements `Deserialize` and `JsonSchema` |
/// | `x: &T`, `x: &str`, `x: &[T]` | the same, borrowed from a `T`, `String`, `Vec<T>` |
/// | `x: Option<T>` | `None` if the model leaves it out |
/// | `#[default = expr] x: T` | `expr` if the model leaves it out |
/// | `#[default] x: T` | `T::default()` if the model leaves it out |
/// | `cx: &Context`, `cx: Context` | the context of the worker that makes the call |
/// | `x: State<T>` | the `T` that the toolbox was given |
///
/// `#[serde(..)]` and `#[schemars(..)]` on a parameter do what they do on a field, as
/// `#[schemars(range(min = 1))]`.
///
/// It returns a text, a serde type, nothing, a `ToolOutput`, or a `Result` of these with any error or
/// a text that says what went wrong. All of them own their data.
#[proc_macro_attribute]
pub fn tool(attr: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attr.into(), item.into()).into()
}
