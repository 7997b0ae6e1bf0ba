//! Values that travel between workers: typed in memory, JSON when saved.

mod adopt;
mod cell;
mod data;
mod opaque;
mod repr;
mod shape;
mod stream;
mod text;
mod ty;
mod value;
mod written;

pub(crate) use cell::Dealt;
pub use data::{Answer, Data, RunResult};
pub use opaque::Opaque;
pub(crate) use shape::Shape;
pub use stream::{ItemStream, Items};
pub(crate) use text::literal_as_text;
pub use ty::ValueType;
pub(crate) use ty::short_name;
pub use value::{NotSerializable, TypeMismatch, Value};
pub(crate) use written::{levels, written};
