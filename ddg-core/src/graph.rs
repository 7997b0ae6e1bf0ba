//! The graph: the roles of workers, their dependencies, and how a run edits its own view.
//!
//! Nothing here knows what a worker *does*. What the engine needs to run a worker is a payload,
//! which the graph carries without looking into it.

mod edit;
mod error;
mod groups;
mod lint;
mod node;
mod rank;
mod role;
mod topology;
mod view;

pub(crate) use edit::Edit;
pub use error::{BuildError, EditError, Fault};
pub(crate) use error::{count, key_list, listing, some_keys};
pub(crate) use groups::Groups;
pub use lint::Lint;
pub(crate) use node::{Gives, Node, Payload, Successor, WorkerId};
pub(crate) use role::{Dealing, Mapping, Origin, Param, Role, Wiring};
pub(crate) use topology::{Declared, NARROW, Topology};
pub(crate) use view::View;

pub use crate::path::WorkerPath;
