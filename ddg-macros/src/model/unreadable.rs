//! Workers whose head has a syntax error.

use proc_macro2::Ident;
use syn::{Attribute, Visibility};

use super::{Key, Output};

/// What is known of a worker in which the compiler reports an error. It is enough that referring to
/// the worker is not another error.
pub(crate) struct UnreadableWorker {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) key: Key,
    /// Whether it is marked `output`.
    pub(crate) is_output: bool,
    pub(crate) output: Output,
}
