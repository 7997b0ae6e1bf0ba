//! Automata that are types: what `#[automa]` implements.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::GraphAutoma;
use crate::args::IntoArgs;
use crate::graph::BuildError;
use crate::run::RunError;
use crate::values::Data;
use crate::worker::{AnyWorker, IntoWorker};

/// A type whose methods are workers; implemented by `#[automa]`.
///
/// ```
/// use ddg_core::prelude::*;
///
/// struct Greet { greeting: &'static str }
///
/// #[automa]
/// impl Greet {
///     #[worker(start, output)]
///     async fn greet(&self, name: String) -> String {
///         format!("{}, {name}!", self.greeting)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let greet = Greet { greeting: "Hello" }.build()?;
/// assert_eq!(greet.run(args!("Ada")).await?, "Hello, Ada!");
/// assert_eq!(greet.run(args!(name = "Grace")).await?, "Hello, Grace!");
/// # Ok(())
/// # }
/// ```
pub trait Automa: Sized + Send + Sync + 'static {
    /// What a run gives.
    type Output: Data;

    /// The automa's name in messages and traces.
    const NAME: &'static str;

    /// The name of this one: [`NAME`](Self::NAME), unless this is overridden.
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    /// Adds the workers to `graph`.
    ///
    /// # Errors
    /// A worker cannot be added.
    fn declare(this: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError>;

    /// The graph, validated, to be run as often as you like.
    ///
    /// # Errors
    /// All faults together.
    fn build(self) -> Result<TypedAutoma<Self::Output>, BuildError> {
        let mut graph = GraphAutoma::new(self.name());
        Self::declare(&Arc::new(self), &mut graph)?;
        graph.validate()?;
        Ok(TypedAutoma { graph, output: PhantomData })
    }

    /// [Builds](Self::build) it and runs it once.
    ///
    /// # Errors
    /// As [`GraphAutoma::run`].
    ///
    /// # Cancel safety
    /// As [`GraphAutoma::run`].
    fn run(
        self,
        args: impl IntoArgs + Send,
    ) -> impl Future<Output = Result<Self::Output, RunError>> + Send {
        let args = args.into_args();
        async move { self.build()?.run(args).await }
    }
}

/// A [`GraphAutoma`] whose result type the compiler knows.
///
/// It can be used as a `GraphAutoma` in every way but one: its [`run`](Self::run) gives a `T`.
///
/// ```
/// use ddg_core::prelude::*;
///
/// struct Double;
///
/// #[automa]
/// impl Double {
///     #[worker(start, output)]
///     async fn double(&self, x: i64) -> i64 { x * 2 }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let double: TypedAutoma<i64> = Double.build()?;
/// let (a, b) = tokio::join!(double.run(args!(1)), double.run(args!(2)));
/// assert_eq!((a?, b?), (2, 4));
/// # Ok(())
/// # }
/// ```
pub struct TypedAutoma<T> {
    graph: GraphAutoma,
    output: PhantomData<fn() -> T>,
}

impl<T: Data> TypedAutoma<T> {
    /// Runs it to its end; see [`GraphAutoma::run`].
    ///
    /// # Errors
    /// As [`GraphAutoma::run`].
    ///
    /// # Cancel safety
    /// As [`GraphAutoma::run`].
    pub async fn run(&self, args: impl IntoArgs) -> Result<T, RunError> {
        self.graph.run(args).await
    }

    /// The graph without the type.
    pub fn into_graph(self) -> GraphAutoma {
        self.graph
    }
}

impl<T> Deref for TypedAutoma<T> {
    type Target = GraphAutoma;

    fn deref(&self) -> &GraphAutoma {
        &self.graph
    }
}

impl<T> DerefMut for TypedAutoma<T> {
    fn deref_mut(&mut self) -> &mut GraphAutoma {
        &mut self.graph
    }
}

impl<T> Clone for TypedAutoma<T> {
    fn clone(&self) -> Self {
        Self { graph: self.graph.clone(), output: PhantomData }
    }
}

impl<T> fmt::Debug for TypedAutoma<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.graph.fmt(f)
    }
}

/// Marks a typed automa.
#[doc(hidden)]
pub struct Typed;

impl<T: Data> IntoWorker<Typed> for TypedAutoma<T> {
    fn into_worker(self) -> AnyWorker {
        self.graph.into_worker()
    }
}
