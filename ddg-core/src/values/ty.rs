//! Types at run time: enough to compare the two ends of an edge and to convert a value.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::Data;
use super::text::{Owner, owner_of};
use super::value::{TypeMismatch, Value};

/// The type of a worker's output or parameter.
///
/// ```
/// use std::sync::Arc;
/// use ddg_core::values::ValueType;
///
/// assert!(ValueType::of::<Arc<String>>().accepts(ValueType::of::<String>()));
/// assert!(ValueType::of::<f64>().accepts(ValueType::of::<i32>()));
/// assert!(ValueType::of::<Option<u8>>().accepts(ValueType::of::<i32>()));
/// assert!(!ValueType::of::<String>().accepts(ValueType::of::<i32>()));
/// assert_eq!(ValueType::of::<Vec<String>>().to_string(), "Vec<String>");
/// ```
#[derive(Clone, Copy)]
pub struct ValueType(&'static TypeInfo);

struct TypeInfo {
    id: TypeId,
    name: fn() -> &'static str,
    family: fn() -> Family,
    adopt: fn(Value) -> Result<Value, TypeMismatch>,
    gather: fn(&[&Value]) -> Option<Value>,
    missing: fn() -> Option<Value>,
}

/// The types that a value of `T` can be read as without going through JSON.
struct Family {
    shared: TypeId,
    optional: TypeId,
    optional_shared: TypeId,
}

impl ValueType {
    /// The type `T`. A text literal has the type `String`.
    pub fn of<T: Data>() -> Self {
        match owner_of::<T>() {
            None => Self::as_written::<T>(),
            Some(Owner::Text) => Self::as_written::<String>(),
            Some(Owner::Optional) => Self::as_written::<Option<String>>(),
        }
    }

    fn as_written<T: Data>() -> Self {
        Self(
            const {
                &TypeInfo {
                    id: TypeId::of::<T>(),
                    name: std::any::type_name::<T>,
                    family: || Family {
                        shared: TypeId::of::<Arc<T>>(),
                        optional: TypeId::of::<Option<T>>(),
                        optional_shared: TypeId::of::<Option<Arc<T>>>(),
                    },
                    adopt: super::adopt::adopt::<T>,
                    gather: super::adopt::gather::<T>,
                    missing: || T::deserialize(Missing).ok().map(Value::new),
                }
            },
        )
    }

    /// Whether a parameter of this type accepts values of type `given`.
    ///
    /// It accepts the same type and its shared and optional forms, numbers for numbers, and
    /// anything if one of the two is a [`Value`] or JSON, optional or not.
    pub fn accepts(self, given: ValueType) -> bool {
        let (want, have) = (self.id(), given.id());
        want == have
            || given.hands_out_to(self)
            || given.is_shared_form_of(self)
            || given.id() == (self.0.family)().optional
            || is_dynamic(want)
            || is_dynamic(have)
            || numbers_agree(want, have)
            || self.owns_text_of(given)
    }

    /// Whether this type differs from `given` only in having `String` where `given` has text
    /// literals: `(String, u8)` for `(&str, u8)`.
    pub(super) fn owns_text_of(self, given: ValueType) -> bool {
        // There is no way to take a tuple apart at run time, so the names are compared.
        const LITERAL: &str = "&str";
        let given = (given.0.name)();
        given.contains(LITERAL)
            && given.replace(LITERAL, std::any::type_name::<String>()) == (self.0.name)()
    }

    pub(crate) fn id(self) -> TypeId {
        self.0.id
    }

    /// Whether this is the unit type, which orders workers but carries no data.
    pub(crate) fn is_unit(self) -> bool {
        self.id() == TypeId::of::<()>()
    }

    /// Converts `value` into one of this type, or says why that is impossible.
    pub(crate) fn adopt(self, value: Value) -> Result<Value, TypeMismatch> {
        (self.0.adopt)(value)
    }

    /// Collects `items` into a list of this type, if all of them hold its element type.
    pub(crate) fn gather(self, items: &[&Value]) -> Option<Value> {
        (self.0.gather)(items)
    }

    /// The value of an argument that was not given: `None` if this type is an `Option`.
    pub(crate) fn missing(self) -> Option<Value> {
        (self.0.missing)()
    }

    /// Whether a value of this type `T` can be read as `want`: as `Arc<T>`, `Option<T>` or
    /// `Option<Arc<T>>`.
    pub(super) fn hands_out_to(self, want: ValueType) -> bool {
        let (family, want) = ((self.0.family)(), want.id());
        want == family.shared || want == family.optional || want == family.optional_shared
    }

    /// Whether this type is `Arc<T>` and `inner` is `T`.
    pub(super) fn is_shared_form_of(self, inner: ValueType) -> bool {
        self.id() == (inner.0.family)().shared
    }
}

/// Whether the content of the type is known only at run time.
pub(super) fn is_dynamic(id: TypeId) -> bool {
    id == TypeId::of::<Value>()
        || id == TypeId::of::<Option<Value>>()
        || id == TypeId::of::<Option<serde_json::Value>>()
        || id == TypeId::of::<Vec<Value>>()
        || id == TypeId::of::<serde_json::Value>()
        || id == TypeId::of::<Vec<serde_json::Value>>()
        || id == TypeId::of::<serde_json::Map<String, serde_json::Value>>()
}

/// Whether both are numbers (optional or not), or both lists of numbers. Numbers convert to any
/// number type that they fit.
pub(super) fn numbers_agree(want: TypeId, have: TypeId) -> bool {
    matches!(
        (numbers(want), numbers(have)),
        (Some(Numbers::One | Numbers::Optional), Some(Numbers::One | Numbers::Optional))
            | (Some(Numbers::List), Some(Numbers::List))
    )
}

/// Whether this is a number, an optional number or a list of numbers.
pub(super) fn is_numeric(id: TypeId) -> bool {
    numbers(id).is_some()
}

enum Numbers {
    One,
    Optional,
    List,
}

fn numbers(id: TypeId) -> Option<Numbers> {
    macro_rules! numbers {
        ($($ty:ty),*) => {
            if $(id == TypeId::of::<$ty>() || id == TypeId::of::<Arc<$ty>>())||* {
                Some(Numbers::One)
            } else if $(id == TypeId::of::<Option<$ty>>())||* {
                Some(Numbers::Optional)
            } else if $(id == TypeId::of::<Vec<$ty>>())||* {
                Some(Numbers::List)
            } else {
                None
            }
        };
    }
    numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64)
}

impl PartialEq for ValueType {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for ValueType {}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short_name((self.0.name)()))
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The name of a type without its modules: `Vec<String>` for `alloc::vec::Vec<..>`.
pub(crate) fn short_name(full: &str) -> String {
    let mut short = String::with_capacity(full.len());
    let mut word_start = 0;
    let mut rest = full;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("::") {
            short.truncate(word_start);
            rest = &rest[2..];
            continue;
        }
        short.push(c);
        // Braces are part of names: a type declared in a closure is in the module `{{closure}}`.
        if !(c.is_alphanumeric() || matches!(c, '_' | '{' | '}')) {
            word_start = short.len();
        }
        rest = &rest[c.len_utf8()..];
    }
    short
}

/// A deserializer without a value: only `Option` can be read from it.
struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_modules() {
        assert_eq!(short_name("alloc::vec::Vec<core::option::Option<i64>>"), "Vec<Option<i64>>");
        assert_eq!(short_name("(alloc::string::String, u8)"), "(String, u8)");
        assert_eq!(short_name("[my_crate::städte::Stadt; 3]"), "[Stadt; 3]");
        assert_eq!(short_name("Vec<my_crate::main::{{closure}}::Search>"), "Vec<Search>");
        assert_eq!(short_name("my_crate::main::{{closure}}"), "{{closure}}");
    }

    #[test]
    fn only_options_can_be_missing() {
        assert!(ValueType::of::<Option<String>>().missing().is_some());
        assert!(ValueType::of::<String>().missing().is_none());
        assert!(ValueType::of::<Vec<u8>>().missing().is_none());
        assert!(ValueType::of::<Value>().missing().is_none());
        assert!(ValueType::of::<()>().missing().is_none());
    }
}
