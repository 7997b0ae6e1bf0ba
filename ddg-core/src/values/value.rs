//! A value of any type: the user's own `T`, shared, or JSON that becomes a `T` on first use.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::adopt::{adopt, null_as, read_json};
use super::cell::{Cell, Dealt, Element, Erased, List, Parsed};
use super::repr::Repr;
use super::text::{borrowed, owned, owner_of};
use super::{Data, Shape, ValueType};
use crate::printable::{shown, shown_lines};

/// A value of any type. Cloning it copies one pointer.
///
/// A value made from a `T` holds that very `T`: reading it as `T` clones it, and
/// [`shared`](Self::shared) gives it as an `Arc<T>`. A value made from JSON is converted to a `T`
/// when it is first read as one, and keeps the result for later readers. Numbers can be read as any
/// number type that they fit.
///
/// ```
/// use ddg_core::Value;
/// use serde_json::json;
///
/// let typed = Value::new(vec![1_i64, 2, 3]);
/// assert_eq!(typed.get::<Vec<i64>>()?, [1, 2, 3]);
/// assert_eq!(typed.shared::<Vec<i64>>()?.len(), 3);
///
/// let parsed = Value::from_json(json!({"city": "Tokyo"}));
/// assert_eq!(parsed.get::<std::collections::BTreeMap<String, String>>()?["city"], "Tokyo");
///
/// assert_eq!(Value::new(7_i32).get::<u64>()?, 7);
/// assert_eq!(
///     Value::new("seven".to_owned()).get::<u64>().unwrap_err().to_string(),
///     "expected `u64`, found `String`",
/// );
/// # Ok::<(), ddg_core::values::TypeMismatch>(())
/// ```
#[derive(Clone, Default)]
pub struct Value(pub(super) Repr);

/// A value was read as a type that it is not.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{expected}`, found {found}", expected = shown(.expected), found = shown(.found))]
#[non_exhaustive]
pub struct TypeMismatch {
    /// The type asked for.
    pub expected: String,
    /// What the value is: a type in backquotes, or a description of JSON that does not fit.
    pub found: String,
}

/// A value cannot be serialised as JSON.
#[derive(thiserror::Error)]
#[error(
    "`{type_name}` cannot be written as JSON: {source}",
    type_name = shown(.type_name), source = shown_lines(.source)
)]
#[non_exhaustive]
pub struct NotSerializable {
    /// The type of the value.
    pub type_name: String,
    /// The error of serde.
    pub r#source: serde_json::Error,
}

impl Value {
    /// The null value: the output of a worker that gives none.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert!(Value::null().is_null());
    /// assert_eq!(Value::null().get::<Option<i32>>()?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn null() -> Self {
        Self(Repr::Null)
    }

    /// Holds `inner`. `()` becomes [`null`](Self::null), a `Value` is returned as it is, and a text
    /// literal becomes a `String`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(Value::new("text").get::<String>()?, "text");
    /// assert_eq!(Value::new(vec![1, 2]).get::<Vec<i32>>()?, [1, 2]);
    /// assert!(Value::new(()).is_null());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<T: Data>(inner: T) -> Self {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            // All unit values are the same null, so that `()` and JSON's null can replace each
            // other.
            return Self::null();
        }
        let inner = match same::<T, Self>(inner) {
            Ok(value) => return value,
            Err(inner) => inner,
        };
        let inner = match owned(inner) {
            Ok(text) => return text,
            Err(inner) => inner,
        };
        match same::<T, Json>(inner) {
            Ok(json) => Self::from_json(json),
            Err(inner) => Self(Repr::new(inner)),
        }
    }

    /// Holds JSON until it is read as a type.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let value = Value::from_json(serde_json::json!({ "city": "Oslo", "days": 3 }));
    /// let days: std::collections::BTreeMap<String, serde_json::Value> = value.get()?;
    /// assert_eq!(days["days"], 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_json(json: Json) -> Self {
        match json {
            Json::Null => Self::null(),
            json => Self(Repr::Shared(Arc::new(Parsed { json, typed: OnceLock::new() }))),
        }
    }

    /// Creates a list of values, which can be read as any `Vec<T>` whose `T` fits every element.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let list = Value::list(vec![Value::new(1_u8), Value::new(2_i64)]);
    /// assert_eq!(list.get::<Vec<i32>>()?, [1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(items: Vec<Value>) -> Self {
        Self(Repr::Shared(Arc::new(List(items))))
    }

    /// The element number `index` of a scattered list.
    pub(crate) fn element(dealt: Arc<Dealt>, index: usize) -> Self {
        Self(Repr::Shared(Arc::new(Element { dealt, index })))
    }

    /// Whether this is [`null`](Self::null).
    pub fn is_null(&self) -> bool {
        matches!(self.0, Repr::Null)
    }

    /// A description for messages: the type, or the kind of JSON.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(Value::new(7_i32).type_name(), "i32");
    /// assert_eq!(Value::null().type_name(), "null");
    /// # Ok(())
    /// # }
    /// ```
    pub fn type_name(&self) -> String {
        match self.cell() {
            Cell::Null => "null".to_owned(),
            Cell::Typed(inner) => inner.ty().to_string(),
            Cell::Parsed(parsed) => format!("JSON {}", kind(&parsed.json)),
            Cell::List(list) => format!("a list of {}", list.0.len()),
            Cell::Element(element) => format!("an element of {}", element.dealt.list.describe()),
        }
    }

    /// A description for use in a sentence: a type in backquotes, or the kind of JSON.
    pub(crate) fn describe(&self) -> String {
        match self.ty() {
            Some(ty) => format!("`{ty}`"),
            None => self.type_name(),
        }
    }

    /// Borrows the inner value, if it is held as exactly a `T`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let value = Value::new(7_i32);
    /// assert_eq!(value.downcast_ref::<i32>(), Some(&7));
    /// assert_eq!(value.downcast_ref::<i64>(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn downcast_ref<T: Data>(&self) -> Option<&T> {
        (self.0.get()? as &dyn Any).downcast_ref()
    }

    /// Clones the inner value as a `T`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let value = Value::new(7_i32);
    /// assert_eq!(value.get::<u64>()?, 7);
    /// assert!(value.get::<String>().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TypeMismatch`] if the value cannot be read as a `T`.
    pub fn get<T: Data>(&self) -> Result<T, TypeMismatch> {
        match self.downcast_ref::<T>() {
            Some(inner) => Ok(inner.clone()),
            None => self.clone().into_other(),
        }
    }

    /// Takes the inner value as a `T`: moved out if nothing else holds it, cloned otherwise.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let value = Value::new("text".to_owned());
    /// assert_eq!(value.take::<String>()?, "text");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TypeMismatch`] if the value cannot be read as a `T`.
    #[inline]
    pub fn take<T: Data>(self) -> Result<T, TypeMismatch> {
        match self.downcast_ref::<T>() {
            None => self.into_other(),
            // A number in place has no other holder, and copying it is free.
            Some(inner) if !matches!(self.0, Repr::Shared(_)) => Ok(inner.clone()),
            Some(_) => {
                let inner = self.0.into_shared().expect("a value of type `T` is not null");
                let inner: Arc<dyn Any + Send + Sync> = inner;
                let inner = inner.downcast::<T>().expect("the type was just compared");
                Ok(Arc::unwrap_or_clone(inner))
            }
        }
    }

    /// Shares the inner value as a `T`. Nothing is copied if it is held as a `T`.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    ///
    /// let value = Value::new(vec![0_u8; 1 << 20]);
    /// let (one, two) = (value.shared::<Vec<u8>>()?, value.shared::<Vec<u8>>()?);
    /// assert!(Arc::ptr_eq(&one, &two));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TypeMismatch`] if the value cannot be read as a `T`.
    pub fn shared<T: Data>(&self) -> Result<Arc<T>, TypeMismatch> {
        if let Some(shared) = self.downcast_ref::<Arc<T>>() {
            return Ok(Arc::clone(shared));
        }
        match adopt::<T>(self.clone())?.0.into_shared() {
            Some(inner) => {
                let any: Arc<dyn Any + Send + Sync> = inner;
                match any.downcast::<T>() {
                    Ok(shared) => Ok(shared),
                    Err(_) => self.clone().into_other().map(Arc::new),
                }
            }
            None => Self::null().into_other().map(Arc::new),
        }
    }

    /// Serialises the value as JSON.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(Value::new(Some(7)).to_json()?, serde_json::json!(7));
    /// assert!(Value::new(Opaque::new(7)).to_json().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotSerializable`] if it holds something [opaque](crate::values::Opaque).
    pub fn to_json(&self) -> Result<Json, NotSerializable> {
        match self.cell() {
            Cell::Null => Ok(Json::Null),
            Cell::Typed(inner) => inner
                .to_json()
                .map_err(|source| NotSerializable { type_name: inner.ty().to_string(), source }),
            Cell::Parsed(parsed) => Ok(parsed.json.clone()),
            Cell::List(list) => list.0.iter().map(Self::to_json).collect(),
            Cell::Element(element) => element.to_json(),
        }
    }

    /// Shares the inner value, if it is held as exactly a `T`.
    pub(super) fn held<T: Data>(&self) -> Option<Arc<T>> {
        let inner: Arc<dyn Any + Send + Sync> = self.0.clone().into_shared()?;
        inner.downcast().ok()
    }

    /// Whether the value is held as exactly the type `ty`.
    #[inline]
    pub(crate) fn holds(&self, ty: ValueType) -> bool {
        self.0.get().is_some_and(|inner| (inner as &dyn Any).type_id() == ty.id())
    }

    /// The elements, if this is a list of values.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        match self.cell() {
            Cell::List(list) => Some(&list.0),
            Cell::Typed(_) => self.downcast_ref::<Vec<Self>>().map(Vec::as_slice),
            Cell::Null | Cell::Parsed(_) | Cell::Element(_) => None,
        }
    }

    /// The length, if this is a list.
    pub(crate) fn list_len(&self) -> Option<usize> {
        match self.cell() {
            Cell::Null => None,
            Cell::Typed(inner) => match inner.shape() {
                Shape::List(Some(len)) => Some(len),
                Shape::List(None) => self.to_json().ok()?.as_array().map(Vec::len),
                Shape::Map | Shape::Nothing | Shape::Scalar => None,
            },
            Cell::Parsed(parsed) => parsed.json.as_array().map(Vec::len),
            Cell::List(list) => Some(list.0.len()),
            Cell::Element(element) => element.to_json().ok()?.as_array().map(Vec::len),
        }
    }

    /// The entries by name, if this is a map or a struct.
    pub(crate) fn map_entries(&self) -> Option<Vec<(String, Value)>> {
        // Asks for the shape first, which is cheaper than serialising a large value in vain.
        if let Cell::Typed(inner) = self.cell()
            && inner.shape() != Shape::Map
        {
            return None;
        }
        match self.to_json().ok()? {
            Json::Object(map) => {
                Some(map.into_iter().map(|(name, json)| (name, Self::from_json(json))).collect())
            }
            _ => None,
        }
    }

    /// Whether the value serialises to null.
    pub(super) fn is_nothing(&self) -> bool {
        match self.cell() {
            Cell::Null => true,
            Cell::Typed(inner) => inner.shape() == Shape::Nothing,
            Cell::Element(element) => element.to_json().is_ok_and(|json| json.is_null()),
            Cell::Parsed(_) | Cell::List(_) => false,
        }
    }

    /// Whether this is the same value as `other`, not just an equal one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }

    /// The type, if the value is held as a `T`; `None` for JSON, lists and null.
    pub(crate) fn ty(&self) -> Option<ValueType> {
        match self.cell() {
            Cell::Typed(inner) => Some(inner.ty()),
            Cell::Null | Cell::Parsed(_) | Cell::List(_) | Cell::Element(_) => None,
        }
    }

    pub(super) fn cell(&self) -> Cell<'_> {
        self.0.get().map_or(Cell::Null, Erased::cell)
    }

    /// Reads a value that is not held as a `T` as one.
    fn into_other<T: Data>(self) -> Result<T, TypeMismatch> {
        let value = match same::<Self, T>(self) {
            Ok(value) => return Ok(value),
            Err(value) => value,
        };
        if let Some(owner) = owner_of::<T>() {
            return borrowed(value, &owner);
        }
        if let Some(inner) = value.downcast_ref::<Arc<T>>() {
            return Ok(T::clone(inner));
        }
        let adopted = adopt::<T>(value)?;
        match adopted.0.into_shared() {
            None => null_as::<T>(),
            Some(inner) => {
                let mut slot: Option<T> = None;
                if Arc::clone(&inner).hand_out(&mut slot)
                    && let Some(taken) = slot
                {
                    return Ok(taken);
                }
                let any: &dyn Any = &*inner;
                match (any.downcast_ref::<T>(), any.downcast_ref::<Arc<T>>()) {
                    (Some(held), _) => Ok(held.clone()),
                    (None, Some(held)) => Ok(T::clone(held)),
                    // Converting JSON to a JSON type leaves it as it is, so it is read here.
                    (None, None) => read_json::<T>(&Self(Repr::Shared(inner))),
                }
            }
        }
    }
}

/// Converts `from` to a `To` if both are the same type.
pub(super) fn same<From: 'static, To: 'static>(from: From) -> Result<To, From> {
    let mut slot = Some(from);
    match (&mut slot as &mut dyn Any).downcast_mut::<Option<To>>() {
        Some(to) => Ok(to.take().expect("filled one line above")),
        None => Err(slot.expect("filled and not taken")),
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_json() {
            Ok(json) => write!(f, "{json}"),
            Err(_) => write!(f, "<{}>", self.type_name()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self::from_json)
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from_json(json)
    }
}

crate::__debug_is_display!(TypeMismatch, NotSerializable);
