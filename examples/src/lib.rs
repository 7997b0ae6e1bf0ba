//! Code that several examples in `examples/` share.

mod growth;
mod model;
mod person;

pub use growth::Growth;
pub use model::model;
pub use person::Asking;
