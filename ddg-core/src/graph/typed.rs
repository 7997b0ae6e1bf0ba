//! Automata that are types: what `#[automa]` implements.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::{BuildError, GraphAutoma};
use crate::args::IntoArgs;
use crate::run::RunBuilder;
use crate::snapshot::Snapshot;
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

    /// [Builds](Self::build) it for one run, which begins with `args`; see [`RunBuilder`]. That it
    /// cannot be built is an error of the run.
    fn run(self, args: impl IntoArgs) -> RunBuilder<Self::Output> {
        match self.build() {
            Ok(automa) => automa.run(args),
            Err(error) => RunBuilder::invalid(error),
        }
    }
}

/// A [`GraphAutoma`] whose result type the compiler knows.
///
/// It can be used as a `GraphAutoma` in every way; what its runs give is a `T`.
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
    /// A run that begins with `args` and gives a `T`; see [`GraphAutoma::run`].
    pub fn run(&self, args: impl IntoArgs) -> RunBuilder<T> {
        RunBuilder::new(&self.graph, args.into_args())
    }

    /// A run that goes on from where it was saved and gives a `T`; see [`GraphAutoma::resume`].
    pub fn resume(&self, snapshot: Snapshot) -> RunBuilder<T> {
        RunBuilder::resumed(&self.graph, snapshot)
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
