//! What travels between workers: typed in memory, JSON at rest.

mod data;
mod opaque;
mod shape;
mod stream;
mod ty;
mod value;

pub use data::Data;
pub use opaque::Opaque;
pub(crate) use shape::Shape;
pub use stream::{ItemStream, Items};
pub use ty::Type;
pub(crate) use value::Dealt;
pub use value::{NotSerializable, TypeMismatch, Value};
