//! What a worker takes and gives.

use std::borrow::Cow;

use crate::key::Key;
use crate::values::{Data, Type, Value};

/// What a worker takes and gives, as far as it says so beforehand.
///
/// Functions describe themselves. An own [`Worker`](crate::Worker) is open unless it says
/// otherwise: it takes whatever it is called with.
///
/// ```
/// use ddg_core::Signature;
///
/// let signature = Signature::new().param::<String>("city").param::<Option<u32>>("days");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signature {
    pub(crate) params: Vec<Param>,
    pub(crate) output: Option<Type>,
    pub(crate) context: bool,
    pub(crate) open: bool,
}

/// One parameter that is filled with a value.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) ty: Type,
    pub(crate) origin: Origin,
}

/// Where a parameter's argument comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// By position, else by name.
    Argument,
    /// Another worker's last output, else the default.
    From { key: Key, default: Option<Value> },
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
            ty: Type::of::<T>(),
            origin: Origin::Argument,
        });
        self
    }
}

impl Param {
    pub(crate) fn unnamed(ty: Type) -> Self {
        Self { name: None, ty, origin: Origin::Argument }
    }
}
