//! The graph: what is declared, what it compiles to, and how a run changes its own view of it.

mod automa;
mod catalogue;
mod compile;
mod difference;
mod digest;
mod edit;
mod error;
mod fingerprint;
mod grown;
mod nested;
mod node;
mod order;
mod typed;
mod view;

pub use automa::GraphAutoma;
pub(crate) use catalogue::Catalogue;
pub(crate) use compile::Topology;
pub use difference::Difference;
pub(crate) use edit::Edit;
pub use error::{BuildError, EditError, Fault};
pub(crate) use error::{count, key_list, listing, some_keys};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use grown::{Grown, SavedEdit, Scope};
pub(crate) use nested::Nested;
pub(crate) use node::{Gives, Node, Spec, WorkerId};
pub use typed::{Automa, TypedAutoma};
pub(crate) use view::View;
