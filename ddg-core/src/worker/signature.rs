//! What a worker takes and gives.

use std::borrow::Cow;

use crate::graph::{Origin, Param};
use crate::values::{Data, ValueType};

/// What a worker takes and gives, as far as it says so beforehand.
///
/// Functions describe themselves. An own [`Worker`](crate::Worker) is open unless it says
/// otherwise: it takes whatever it is called with.
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
    /// Takes nothing, until parameters are added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes any arguments, by position and by name.
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
