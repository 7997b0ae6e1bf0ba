//! What can be a worker, and how it wants to be run.

mod any;
mod cost;
mod declared;
mod error;
mod func;
mod options;
mod output;
mod own;
mod param;
mod retry;
mod signature;

pub use any::{AnyWorker, IntoFunc, IntoWorker};
pub(crate) use any::{CallEnd, Callable, Called, Callee, OwnWorker, Source, Start, Started, begin};
pub(crate) use cost::Cost;
pub use declared::{Declared, FerryArgument, FerryTarget};
pub use error::{BoxError, Panicked, TimedOut, WorkerError};
pub(crate) use options::{Dealing, From, Mapping, Placement};
pub use options::{WorkerOptions, after, free, start};
pub use output::{Failure, IntoOutput};
pub use own::Worker;
pub use param::Parameter;
pub use retry::Retry;
pub use signature::Signature;
pub(crate) use signature::{Origin, Param};
