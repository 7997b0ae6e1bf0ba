//! Signatures of workers: their parameters and their output.

use std::borrow::Cow;

use crate::graph::{Origin, Param};
use crate::values::{Data, ValueType};

/// The parameters and the output of a worker, as far as they are declared.
///
/// Functions have a signature by themselves. An own [`Worker`](crate::Worker) is open by default:
/// it takes any arguments.
///
/// ```
/// use ddg_core::worker::Signature;
///
/// let signature = Signature::new().param::<String>("city").param::<Option<u32>>("days");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signature {
    pub(crate) params: Vec<Param>,
    pub(crate) output: Option<ValueType>,
    pub(crate) context: bool,
    pub(crate) open: bool,
    /// How many arguments an open one takes by position, where that is known.
    pub(crate) most_positional: Option<usize>,
}

impl Signature {
    /// Creates a signature without parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a signature that takes any arguments, by position and by name.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// Adds a parameter that is filled by position, or by `name`.
    #[must_use]
    pub fn param<T: Data>(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.params.push(Param {
            name: Some(name.into()),
            ty: ValueType::of::<T>(),
            origin: Origin::Argument,
        });
        self
    }
}
