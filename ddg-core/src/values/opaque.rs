//! A wrapper for values without a JSON form.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::ty::short_name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that exists only in memory, such as a connection, a channel or a handle.
///
/// It travels like any other data: shared, never copied. It cannot be serialised, so taking a
/// snapshot of a run that holds one fails with an error that names the worker and the type.
///
/// ```
/// use ddg_core::Value;
/// use ddg_core::values::Opaque;
///
/// let channel = Opaque::new(std::sync::mpsc::channel::<i32>().0);
/// let value = Value::new(channel);
/// assert!(value.get::<Opaque<std::sync::mpsc::Sender<i32>>>().is_ok());
/// assert!(value.to_json().is_err());
/// ```
pub struct Opaque<T>(Arc<T>);

impl<T> Opaque<T> {
    /// Wraps `inner`.
    pub fn new(inner: T) -> Self {
        Self(Arc::new(inner))
    }

    /// Returns the shared inner value.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T> Clone for Opaque<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Opaque<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<Arc<T>> for Opaque<T> {
    fn from(inner: Arc<T>) -> Self {
        Self(inner)
    }
}

impl<T> fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque<{}>", std::any::type_name::<T>())
    }
}

impl<T> Serialize for Opaque<T> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format_args!(
            "`{}` is opaque: it lives only in memory and has no JSON form",
            short_name(std::any::type_name::<T>())
        )))
    }
}

impl<'de, T> Deserialize<'de> for Opaque<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(format_args!(
            "`{}` is opaque: it lives only in memory and cannot be read from JSON",
            short_name(std::any::type_name::<T>())
        )))
    }
}
