//! The trait of own worker types.

use std::future::Future;

use super::Signature;
use crate::args::Args;
use crate::context::Context;
use crate::error::WorkerError;
use crate::values::Data;

/// A worker with a type of its own, for state, configuration, or arguments that are only known at
/// run time. Functions and closures do not need it; add them with
/// [`add_func_as_worker`](crate::GraphAutoma::add_func_as_worker).
///
/// ```
/// use ddg_core::prelude::*;
///
/// struct Greeter { greeting: String }
///
/// impl Worker for Greeter {
///     type Output = String;
///
///     fn signature(&self) -> Signature {
///         Signature::new().param::<String>("name")
///     }
///
///     async fn run(&self, args: Args, _cx: &Context) -> Result<String, WorkerError> {
///         Ok(format!("{}, {}!", self.greeting, args.get::<String>(0)?))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("greet");
/// automa.add_worker("greet", Greeter { greeting: "Hello".into() }, start().output())?;
/// let text: String = automa.run(args!("Ada")).output().await?;
/// assert_eq!(text, "Hello, Ada!");
/// # Ok(())
/// # }
/// ```
pub trait Worker: Send + Sync + 'static {
    /// The output of the worker.
    type Output: Data;

    /// The signature of the worker, by default [open](Signature::open). If it has parameters,
    /// `args` has exactly one value by position for each.
    fn signature(&self) -> Signature {
        Signature::open()
    }

    /// Runs the worker.
    ///
    /// # Cancel safety
    /// The future is dropped at any `await` when the run is cancelled or the worker times out.
    fn run(
        &self,
        args: Args,
        cx: &Context,
    ) -> impl Future<Output = Result<Self::Output, WorkerError>> + Send;
}
