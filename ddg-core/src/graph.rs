//! The graph: what workers are for, how they depend on each other, and how a run edits its own view.
//!
//! Nothing here knows what a worker *does*. What has to be carried along to run it is a payload, and
//! the graph never looks into one.

mod edit;
mod error;
mod node;
mod rank;
mod role;
mod topology;
mod view;

pub(crate) use edit::Edit;
pub use error::{BuildError, EditError, Fault};
pub(crate) use error::{count, key_list, listing, some_keys};
pub(crate) use node::{Gives, Node, Payload, WorkerId};
pub(crate) use role::{Dealing, Mapping, Origin, Param, Role, Wiring};
pub(crate) use topology::{Declared, Topology};
pub(crate) use view::View;

pub use crate::path::WorkerPath;
