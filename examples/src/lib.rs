//! What several of the examples in `examples/` use.

mod growth;
mod model;
mod person;

pub use growth::Growth;
pub use model::model;
pub use person::Asking;
