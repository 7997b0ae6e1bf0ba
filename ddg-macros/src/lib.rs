//! The `#[automa]` and `#[worker]` attributes of `ddg-core` and the `#[tool]` attribute of
//! `ddg-agentic`, which re-export them.
//!
//! The first two turn an impl block into an automa: methods marked `#[worker]` become its workers.
//! What can be known about the graph is checked at compile time, and the expansion consists of
//! plain calls that a person could have written. The third turns a function into a tool (`tool`).
//!
//! A block or a function goes through four phases, one module each: it is parsed (`parse`) into a
//! model (`model`), which is checked (`check`) and lowered to code (`lower`). All faults are
//! reported at once, and lowering cannot fail.

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

/// Turns an impl block into an automa: implements `Automa` for its type.
///
/// ```
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
/// # async fn example() -> Result<(), RunError> {
/// let y: i64 = Sum100.run(args!(x = 0)).await?;        // 5050
/// # Ok(())
/// # }
/// ```
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "…"` | name of the automa; default: the name of the type |
/// | `output = T` | type of the result; default: that of the workers marked `output` |
/// | `fragments = [Self::tools, self.retrieval]` | workers declared in other blocks, see below |
/// | `fragment = tools` | this block declares a part of an automa, see below |
/// | `crate = path` | path of the engine; default: `::ddg_core` |
///
/// Without `output`, the result has the output type of the workers marked `output`: `Value` if they
/// differ or if there are only fragments, and `()` if there are none at all.
///
/// # The block
///
/// The block may be generic over types, which must be `Send + Sync + 'static`. It cannot have
/// lifetimes, because an automa is shared by all its runs. Methods without `#[worker]` are not
/// changed.
///
/// # What it generates
///
/// - The block itself, without the attributes.
/// - A typed constant for each worker, with the visibility of its method: `Self::START` for
///   `start`. The compiler checks the arguments of a ferry to such a constant.
/// - `impl Automa`, whose `declare` adds the workers in the order of their methods.
/// - In `declare`, a closure that is never called. In it the compiler compares outputs with the
///   parameters that they fill, and checks that the types of workers can travel.
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
/// An automa can consist of several blocks. Each entry of `fragments` is declared before the
/// block's own workers, in order:
///
/// - `Self::tools` is another block of the same type, marked `#[automa(fragment = tools)]` (or just
///   `fragment`, which makes it `Self::fragment`). Instead of `impl Automa` it generates the
///   function `tools`.
/// - `self.retrieval` is a field of type `Arc<Retrieval>`, where `Retrieval` is an automa. Its
///   workers become workers of this automa.
///
/// A block sees only its own workers. A worker of another fragment is named `dynamic("key")` and is
/// checked when the graph is validated. A worker with `#[worker(override)]` replaces one of a
/// fragment.
///
/// ```
/// # use std::sync::Arc;
/// # use ddg_core::prelude::*;
/// struct Retrieval;
///
/// #[automa]
/// impl Retrieval {
///     #[worker(start)]
///     async fn search(&self, query: String) -> Vec<String> { vec![query] }
/// }
///
/// struct Agent {
///     retrieval: Arc<Retrieval>,
/// }
///
/// #[automa(fragments = [Self::tools, self.retrieval])]
/// impl Agent {
///     #[worker(dependencies = [dynamic("search"), dynamic("clock")], output)]
///     async fn answer(&self, hits: Vec<String>, hour: u32) -> String {
///         format!("at {hour} h: {}", hits.join(", "))
///     }
/// }
///
/// #[automa(fragment = tools)]
/// impl Agent {
///     #[worker(start)]
///     async fn clock(&self) -> u32 { 12 }
/// }
/// ```
///
/// # What the compiler checks
///
/// Duplicate keys, unknown dependencies and those that a `#[cfg]` has removed, cycles, two outputs
/// on one path, `#[from]` of an unknown worker, more outputs than parameters, the arguments of
/// ferries to constants, unknown options, type parameters without the bounds of data, and
/// signatures that cannot be called. The types are compared as well:
///
/// | of | against |
/// | --- | --- |
/// | a dependency's output | the parameter that it fills |
/// | the outputs that are merged | `T` in `Vec<T>`, or the elements of a tuple |
/// | the elements of an output that is unpacked | the parameters |
/// | the elements of a list that is scattered (`in_order`) | the parameters of the successors |
/// | the last output of a worker | the parameter that it is injected into (`#[from]`) |
/// | the output of the workers marked `output` | `output = T` |
///
/// Types are compared if both are written out. `Value`, streams, and lists and maps with other
/// names are not compared.
///
/// # Syntax errors
///
/// The compiler reports a syntax error in the block, and the error has no consequences: the other
/// workers, all constants and the automa itself are generated as usual.
#[proc_macro_attribute]
pub fn automa(attr: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(attr.into(), item.into()).into()
}

/// Turns a method in an [`#[automa]`](macro@automa) block into a worker.
///
/// ```
/// # use std::time::Duration;
/// # use ddg_core::prelude::*;
/// struct Check;
///
/// #[automa]
/// impl Check {
///     #[worker(start)]
///     async fn fetch_page(&self) -> String { "page 7".to_owned() }
///
///     #[worker(start, key = "fetch index")]
///     async fn fetch_index(&self) -> Vec<String> { vec!["page 7".to_owned()] }
///
///     #[worker(dependencies = [fetch_page, "fetch index"], timeout = Duration::from_secs(30), output)]
///     async fn compare(&self, page: &str, index: &[String], cx: &Context) -> Result<bool, WorkerError> {
///         cx.emit("compared", index.len());
///         Ok(index.iter().any(|known| known == page))
///     }
/// }
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
/// | `unpack` | takes the elements of its dependency's list or map as arguments |
/// | `suppressed` | takes nothing from its dependencies |
/// | `in_order` | scatters its output, a list: one element per successor |
/// | `after_loops` | waits until loops before it have ended, and takes the last outputs |
/// | `timeout = expr` | a `Duration`, after which the worker fails |
/// | `retry = expr` | a `Retry`: when a failed worker is tried again |
/// | `blocking`, `inline` | where a sync worker runs: on the blocking pool (default), or in place |
/// | `callbacks = [..]` | a list of callbacks |
/// | `key = "…"` | its key; default: the name of the method |
/// | `detached` | declared, and placed at run time: `cx.add_func_as_worker("key", Self::NAME, ..)` |
/// | `override` | replaces a worker of a fragment |
///
/// A detached worker gets `start`, `output`, dependencies and mapping when it is placed.
///
/// In the expressions `self` is the automa that is being declared: `timeout = self.patience`.
///
/// # Naming other workers
///
/// In `dependencies` and `#[from]` a worker is named by its method (`fetch_page`) or by its key
/// (`"fetch index"`). `dynamic("key")` is any worker, for example one of another fragment; it is
/// checked when the graph is validated.
///
/// # The method
///
/// An `async fn`, or an `fn`, which runs on the blocking pool unless it is marked `inline`. It
/// takes `&self` or no `self`, and up to 12 parameters with plain names:
///
/// | parameter | gets |
/// | --- | --- |
/// | `x: T` | its own `T` |
/// | `x: &T`, `x: &str`, `x: &[T]` | borrows a shared `T`, `String`, `Vec<T>` |
/// | `cx: &Context`, `cx: Context` | the context, known by the name `Context` |
/// | `#[from("key")] x: T` | the last output of that worker |
/// | `#[from("key", default = expr)] x: T` | the same; `expr` while there is none |
/// | `#[input] x: T` | the run's input called `x`; a ferry's tuple leaves it out |
/// | `#[context] x: T`, `#[context] x: &T` | what `T: FromContext` makes from the context, such as the turn of an agent; a ferry's tuple leaves it out |
///
/// Parameters that are not made from the context can also be filled by name, from the inputs of the
/// run and from named arguments of a ferry.
///
/// It returns nothing, `T`, `Result<T, E>` or `impl Stream<Item = T>`. The output owns its data. A
/// stream outlives the call that made it; write `impl Stream<Item = T> + use<>` to say that it
/// borrows nothing from `&self`.
#[proc_macro_attribute]
pub fn worker(_options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand_lone_worker(item.into()).into()
}

/// Turns a function into a tool: something that a model can call.
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
/// The function is not changed. A type of the same name and visibility is generated beside it,
/// whose function `tool()` returns the tool.
///
/// # What a model is told
///
/// The name and the doc comment of the function, and the JSON schema of its parameters: their
/// names, types and doc comments, which of them are required, and the defaults of the others.
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "…"` | name of the tool; default: that of the function |
/// | `description = "…"` | description for the model; default: the doc comment |
/// | `inline` | a sync function is called in place; default: on the blocking pool |
/// | `crate = path` | path of the crate for agents; default: `::ddg_agentic` |
///
/// # The function
///
/// An `async fn`, or an `fn`, with any number of parameters with plain names:
///
/// | parameter | gets |
/// | --- | --- |
/// | `x: T` | a `T` that the model gives; it implements `Deserialize` and `JsonSchema` |
/// | `x: &T`, `x: &str`, `x: &[T]` | the same, borrowed from a `T`, `String`, `Vec<T>` |
/// | `x: Option<T>` | `None` if the model leaves it out |
/// | `#[default = expr] x: T` | `expr` if the model leaves it out |
/// | `#[default] x: T` | `T::default()` if the model leaves it out |
/// | `cx: &Context`, `cx: Context` | the context of the worker that makes the call |
/// | `turn: Turn`, `turn: &Turn` | the turn of the agent, with which a tool begins child agents |
/// | `x: State<T>` | the `T` that the toolbox was given |
/// | `#[input] x: T` | the run's input called `x`: the user who is speaking, say |
///
/// `#[serde(..)]` and `#[schemars(..)]` on a parameter work as on a field, for example
/// `#[schemars(range(min = 1))]`.
///
/// It returns text, a serde type, nothing, a `ToolOutput`, or a `Result` of these with any error
/// type or with text that says what went wrong. All of them own their data.
#[proc_macro_attribute]
pub fn tool(attr: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attr.into(), item.into()).into()
}
