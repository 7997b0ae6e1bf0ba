//! Automata that are types, as `#[automa]` implements them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::GraphAutoma;
use crate::args::IntoArgs;
use crate::graph::BuildError;
use crate::run::RunBuilder;
use crate::saved::Snapshot;
use crate::values::Data;
use crate::worker::{AnyWorker, IntoWorker};

/// A type whose methods are workers. Implemented by `#[automa]`.
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
    /// The output of a run.
    type Output: Data;

    /// The name of the automa in messages and traces.
    const NAME: &'static str;

    /// The name of this instance, by default [`NAME`](Self::NAME).
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    /// Adds the workers to `graph`.
    ///
    /// # Errors
    /// If a worker cannot be added.
    fn declare(this: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError>;

    /// Builds and validates the graph, which can then be run any number of times.
    ///
    /// # Errors
    /// All faults together.
    fn build(self) -> Result<TypedAutoma<Self::Output>, BuildError> {
        let mut graph = GraphAutoma::new(self.name());
        Self::declare(&Arc::new(self), &mut graph)?;
        graph.validate()?;
        Ok(TypedAutoma { graph, output: PhantomData })
    }

    /// [Builds](Self::build) the graph for one run with the arguments `args`; see [`RunBuilder`].
    /// If the graph is invalid, the run ends with that error.
    fn run(self, args: impl IntoArgs) -> RunBuilder<Self::Output> {
        match self.build() {
            Ok(automa) => automa.run(args),
            Err(error) => RunBuilder::invalid(error),
        }
    }
}

/// A [`GraphAutoma`] whose output type the compiler knows.
///
/// It can be used like a `GraphAutoma`; its runs give a `T`.
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
/// let y = double.run(args!(1)).await?;
/// assert_eq!(y, 2);
/// // The type is known; all else about the run is in its outcome.
/// assert_eq!(double.run(args!(1)).outcome().await?.steps(), 1);
/// # Ok(())
/// # }
/// ```
pub struct TypedAutoma<T> {
    graph: GraphAutoma,
    output: PhantomData<fn() -> T>,
}

impl<T: Data> TypedAutoma<T> {
    /// Creates a run with the arguments `args` that gives a `T`. See [`GraphAutoma::run`].
    pub fn run(&self, args: impl IntoArgs) -> RunBuilder<T> {
        RunBuilder::new(&self.graph, args.into_args())
    }

    /// Creates a run that resumes `snapshot` and gives a `T`. See [`GraphAutoma::resume`].
    pub fn resume(&self, snapshot: Snapshot) -> RunBuilder<T> {
        RunBuilder::resumed(&self.graph, snapshot)
    }

    /// Returns the graph without the type.
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
