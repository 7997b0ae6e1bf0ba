//! Workers: what can be one, and how it is called.

mod any;
mod arity;
mod body;
mod cost;
mod declared;
mod func;
mod options;
mod output;
mod own;
mod param;
mod retry;
mod rooms;
mod signature;
mod stateful;

pub use any::{AnyWorker, IntoFunc, IntoWorker};
pub(crate) use any::{CallEnd, Callable, Called, Callee, OwnWorker, Source, Start, Started, begin};
pub(crate) use body::{Body, Calling, Placement};
pub(crate) use cost::Cost;
pub use declared::{FerryArgument, FerryTarget, WorkerRef};
pub(crate) use options::From;
pub use options::{IntoKeys, IntoNames, WorkerOptions, after, free, start};
pub use output::{IntoOutput, IntoWorkerError};
pub use own::Worker;
pub use param::{FromContext, Parameter};
pub use retry::Retry;
pub(crate) use rooms::{Call, Rooms};
pub use signature::Signature;
pub use stateful::{With, with};

pub use crate::error::{BoxError, Panicked, TimedOut, WorkerError};
