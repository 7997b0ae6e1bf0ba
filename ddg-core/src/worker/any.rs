//! Workers behind one pointer.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::task::Context as TaskContext;

use super::{Body, Call, Rooms, Signature, Worker};
use crate::args::Args;
use crate::automa::{GraphAutoma, Program};
use crate::context::Context;
use crate::error::WorkerError;
use crate::graph::{Topology, View, WorkerId};
use crate::key::Key;
use crate::values::{Value, ValueType};

/// A worker whose type is known only at run time. Cheap to clone.
///
/// ```
/// use ddg_core::prelude::*;
///
/// let tools = [
///     ("upper", AnyWorker::func(|text: String| text.to_uppercase())),
///     ("count", AnyWorker::func(|text: String| text.len())),
/// ];
/// let mut automa = GraphAutoma::new("tools");
/// for (name, tool) in tools {
///     automa.add_worker(name, tool, free())?;
/// }
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone)]
pub struct AnyWorker(pub(crate) Arc<dyn Callable>);

impl AnyWorker {
    /// Wraps an own worker or an automa.
    pub fn new<M>(worker: impl IntoWorker<M>) -> Self {
        worker.into_worker()
    }

    /// Wraps a function.
    pub fn func<M>(function: impl IntoFunc<M, Made = Self>) -> Self {
        function.into_func()
    }
}

impl AnyWorker {
    /// The worker as it was added, before the run changed its graph.
    pub(crate) fn origin(&self) -> &Self {
        self.0.origin().unwrap_or(self)
    }
}

impl AnyWorker {
    /// The compiled program, if the worker is an automa without faults.
    pub(crate) fn program(&self) -> Option<Arc<Program>> {
        self.0.automa()?.compiled().ok()
    }

    /// The graph as the run has changed it, if the worker is an automa.
    pub(crate) fn graph(&self) -> Option<View<Arc<Body>>> {
        match self.0.view() {
            Some(view) => Some(view.clone()),
            None => self.program().map(|program| program.view()),
        }
    }

    /// The same automa with another graph. A worker that is not an automa is not changed.
    pub(crate) fn with_graph(&self, view: View<Arc<Body>>) -> Self {
        self.0.with_graph(self.origin(), view).unwrap_or_else(|| self.clone())
    }
}

impl std::fmt::Debug for AnyWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnyWorker({:?})", self.0.signature())
    }
}

/// A type that [`add_worker`](crate::GraphAutoma::add_worker) takes: an own [`Worker`], a
/// [`GraphAutoma`] (nesting), or an [`AnyWorker`]. The compiler infers `M`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a worker",
    label = "not a worker",
    note = "a type with `#[automa]` is built first: `{Self}.build()?`",
    note = "for another type of yours implement `Worker`; functions and closures go to `add_func_as_worker`"
)]
pub trait IntoWorker<M> {
    /// Converts into a worker behind a pointer.
    fn into_worker(self) -> AnyWorker;
}

/// A type that [`add_func_as_worker`](crate::GraphAutoma::add_func_as_worker) takes: an async or
/// sync function or closure of up to 12 parameters or, when a running graph is changed, a
/// [`WorkerRef`](crate::worker::WorkerRef). The compiler infers `M`.
///
/// Parameters are taken by value (`T`, cloned if it has another holder, as the output of a
/// dependency has), shared (`&T` or `Arc<T>`, never cloned), optional (`Option<T>`), or untyped
/// ([`Value`]); the [`Context`] can be a parameter, too. See
/// [`Parameter`](crate::worker::Parameter). The return type is `T`, `Result<T, E>` or a stream; see
/// [`IntoOutput`](crate::worker::IntoOutput).
///
/// A closure that needs values from outside takes them as a state:
/// `with(state, async |state: &S, x: i64| { … })`, see [`with`](crate::with). Captures that are
/// `Copy` need no state: `move |x: i64| async move { … }`. With other captures, the first call of
/// that closure would take them (E0525). `async move |x: i64| { … }` lends its captures to the
/// future, and Rust only allows one such call at a time.
///
/// ```
/// use std::sync::Arc;
/// use ddg_core::prelude::*;
///
/// async fn by_value(x: i64) -> i64 { x }
/// async fn borrowed(text: &String, cx: &Context) -> String { format!("{}: {text}", cx.key()) }
/// fn blocking(shared: Arc<Vec<u8>>, limit: Option<u64>) -> std::io::Result<u64> {
///     Ok(limit.unwrap_or(shared.len() as u64))
/// }
///
/// let mut automa = GraphAutoma::new("functions");
/// automa.add_func_as_worker("by_value", by_value, start())?;
/// automa.add_func_as_worker("borrowed", borrowed, free())?;
/// automa.add_func_as_worker("blocking", blocking, free())?;
/// automa.add_func_as_worker("closure", |x: i64| async move { x + 1 }, after(["by_value"]))?;
/// # Ok::<(), BuildError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a worker function",
    label = "not a worker function",
    note = "its parameters, at most 12, are `T`, `&T`, `&str`, `Arc<T>`, `Option<T>`, `Value` or `Context`; a closure names their types",
    note = "it returns `T`, `Result<T, E>` or `impl Stream<Item = T>`, where `E` is an error that is `Send + Sync`: `WorkerError`, `Box<dyn Error + Send + Sync>`",
    note = "`T` has `#[derive(Clone, serde::Serialize, serde::Deserialize)]`, or is wrapped in `Opaque<T>`",
    note = "a closure that captures something is written `with(state, async |state: &S, x: i64| …)`; `S` is `Send + Sync`",
    note = "its future is `Send`: it holds no `Rc`, `RefCell` borrow or lock guard over an `.await`",
    note = "it is given itself, and not called: `f`, not `f(x)`; automata and `Worker`s go to `add_worker`"
)]
pub trait IntoFunc<M> {
    /// An [`AnyWorker`], or a reference to a declared worker.
    type Made: Into<Source>;

    /// Converts into a worker or a reference.
    fn into_func(self) -> Self::Made;
}

/// The source of a worker.
#[derive(Clone)]
pub enum Source {
    /// The worker itself.
    Here(AnyWorker),
    /// The name that the worker is declared under.
    Declared(Key),
}

impl From<AnyWorker> for Source {
    fn from(worker: AnyWorker) -> Self {
        Self::Here(worker)
    }
}

impl From<Key> for Source {
    fn from(declared: Key) -> Self {
        Self::Declared(declared)
    }
}

/// A worker as the engine starts it.
pub(crate) trait Callable: Any + Send + Sync {
    fn signature(&self) -> Signature;

    /// The function that calls workers of this type.
    fn start(&self) -> Start;

    /// The automa, if the worker is one.
    fn automa(&self) -> Option<&Arc<GraphAutoma>> {
        None
    }

    /// The graph of the automa, if the run has changed it.
    fn view(&self) -> Option<&View<Arc<Body>>> {
        None
    }

    /// The automa as it was added, if the run has changed its graph.
    fn origin(&self) -> Option<&AnyWorker> {
        None
    }

    /// The automa with another graph, if the worker is an automa. `origin` is the automa as it was
    /// added.
    fn with_graph(&self, origin: &AnyWorker, view: View<Arc<Body>>) -> Option<AnyWorker> {
        _ = (origin, view);
        None
    }

    /// The name of the type, if it is a user's type.
    fn own_type(&self) -> Option<&'static str> {
        None
    }
}

/// Calls a worker with arguments that are bound in the order of its parameters. It takes them out
/// of `Args`. An async worker is polled once if there is a task.
pub(crate) type Start = fn(Callee, &mut Args, &mut Rooms, Option<&mut TaskContext<'_>>) -> Started;

/// The callee, through its [`Context`] if it takes one, else through the graph or its body.
#[doc(hidden)]
pub struct Callee(pub(crate) Called);

pub(crate) enum Called {
    /// A worker of the declared graph that takes no context. The graph is handed from one call to
    /// the next, so that it is not counted for each.
    Declared(Arc<Topology<Arc<Body>>>, WorkerId),
    /// Another worker that takes no context.
    Plain(Arc<Body>),
    WithContext(Context),
}

/// The end of a call, with the callee, unless the call was lost with its thread.
pub(crate) type CallEnd = (Result<Value, WorkerError>, Option<Callee>);

impl Callee {
    #[inline]
    pub(crate) fn body(&self) -> &Arc<Body> {
        match &self.0 {
            Called::Declared(topology, worker) => &topology.nodes[worker.index()].payload,
            Called::Plain(body) => body,
            Called::WithContext(cx) => cx.body(),
        }
    }

    /// The worker as its own type.
    pub(crate) fn worker<W: Callable>(&self) -> &W {
        let worker: &dyn Any = &*self.body().worker.0;
        worker.downcast_ref().expect("a call is made to the worker that it is for")
    }

    pub(crate) fn context(&self) -> &Context {
        match &self.0 {
            Called::Declared(..) | Called::Plain(_) => {
                unreachable!("the signature of a worker says whether it takes a context")
            }
            Called::WithContext(cx) => cx,
        }
    }
}

/// Starts an async call, and polls `future` once if there is a `task`.
#[inline]
pub(crate) fn begin(
    future: impl Future<Output = CallEnd> + Send + 'static,
    rooms: &mut Rooms,
    task: Option<&mut TaskContext<'_>>,
) -> Started {
    match task {
        Some(task) => rooms.begin(future, task),
        None => Started::Async(Call::new(future)),
    }
}

/// What the engine must do to get the output.
pub(crate) enum Started {
    /// Nothing: the worker has run.
    Ended(CallEnd),
    /// Poll the future.
    Async(Call),
    /// Call the function on the blocking pool.
    Blocking(Box<dyn FnOnce() -> CallEnd + Send>),
}

/// Marks a type that implements [`Worker`].
#[doc(hidden)]
pub struct Own;

#[diagnostic::do_not_recommend]
impl<W: Worker> IntoWorker<Own> for W {
    fn into_worker(self) -> AnyWorker {
        AnyWorker(Arc::new(OwnWorker(self)))
    }
}

/// An own worker as a [`Callable`].
pub(crate) struct OwnWorker<W>(pub(crate) W);

impl<W: Worker> Callable for OwnWorker<W> {
    fn signature(&self) -> Signature {
        let mut signature = self.0.signature();
        signature.output = Some(ValueType::of::<W::Output>());
        signature.context = true;
        signature
    }

    fn own_type(&self) -> Option<&'static str> {
        Some(std::any::type_name::<W>())
    }

    fn start(&self) -> Start {
        |callee, args, rooms, task| {
            let args = std::mem::take(args);
            let run = async move {
                let Self(worker) = callee.worker();
                let output = worker.run(args, callee.context()).await;
                (output.map(Value::new), Some(callee))
            };
            begin(run, rooms, task)
        }
    }
}

/// Marks an [`AnyWorker`].
#[doc(hidden)]
pub struct AsIs;

impl IntoWorker<AsIs> for AnyWorker {
    fn into_worker(self) -> AnyWorker {
        self
    }
}

/// Marks a declared worker.
#[doc(hidden)]
pub struct ByName;

#[diagnostic::do_not_recommend]
impl<F> IntoFunc<ByName> for super::WorkerRef<F> {
    type Made = Key;

    fn into_func(self) -> Key {
        self.into()
    }
}

/// A name that is known only at run time.
#[diagnostic::do_not_recommend]
impl IntoFunc<ByName> for Key {
    type Made = Self;

    fn into_func(self) -> Self {
        self
    }
}
