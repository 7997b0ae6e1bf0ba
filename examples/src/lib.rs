//! Code that several examples in `examples/` share.

mod growth;
mod model;
mod person;
mod trace;

pub use growth::Growth;
pub use model::model;
pub use person::Asking;
pub use trace::Trace;
