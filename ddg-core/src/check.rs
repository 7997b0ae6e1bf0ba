//! What `#[automa]` asks the compiler about the edges between its workers.

use std::sync::Arc;

/// A parameter of this type takes an output of type `Output`: the same type, or one side shared
/// (`Arc<T>`) or optional (`Option<T>`). `M` is found by the compiler.
#[diagnostic::on_unimplemented(
    message = "the dependency gives `{Output}`, but this parameter takes `{Self}`",
    label = "takes `{Self}`, is given `{Output}`",
    note = "outputs fill the parameters in the order of `dependencies`; use `merge`, `unpack` or `suppressed` to fill them otherwise"
)]
pub trait Accepts<Output, M> {}

/// Marks equal types.
pub struct Same;
/// Marks a shared or optional parameter.
pub struct Wrapping;
/// Marks a shared output.
pub struct Unwrapping;

impl<T> Accepts<T, Same> for T {}
impl<T> Accepts<T, Wrapping> for Arc<T> {}
impl<T> Accepts<T, Wrapping> for Option<T> {}
impl<T> Accepts<Arc<T>, Unwrapping> for T {}

/// Compiles if an output can travel.
pub const fn output<T: crate::Data>() {}

/// Compiles if a dependency that gives `O` can fill a parameter of type `P`.
pub const fn dependency<O, P: Accepts<O, M>, M>() {}
