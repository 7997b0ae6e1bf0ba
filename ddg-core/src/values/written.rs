//! Serialises values as JSON that deserialises to the same value, or reports why that is
//! impossible.
//!
//! serde_json silently changes some values: NaN and infinities become null, `Some(None)` becomes
//! null, and map keys with the same text become one. So all stored data (snapshots, journals,
//! results) is written here.

use std::cell::Cell;

use serde::ser::{self, Error as _, Serialize, Serializer};
use serde_json::{Error, Value as Json};

use super::cell::Cell as Content;
use super::value::NotSerializable;
use super::{Shape, Value};

/// Maximum depth of a value, so that it can be read again within a snapshot. Readers such as
/// serde_json's stop at 128 levels.
const MOST_LEVELS: usize = 100;

impl Value {
    /// Serialises this value as JSON that deserialises to the same value.
    ///
    /// # Errors
    /// If there is no such JSON.
    pub(crate) fn written(&self) -> Result<Json, NotSerializable> {
        self.written_at(0)
    }

    /// Serialises this value as a part that is `level` levels deep in the whole value. The depth is
    /// checked before anything recurses, since a stack overflow would end the process.
    fn written_at(&self, level: usize) -> Result<Json, NotSerializable> {
        let fail = |source| NotSerializable { type_name: self.type_name(), source };
        if level > MOST_LEVELS {
            return Err(fail(too_deep()));
        }
        let json = match self.cell() {
            Content::Null => Json::Null,
            Content::Typed(inner) => inner.write().map_err(fail)?,
            Content::Parsed(parsed) if level + levels(&parsed.json) > MOST_LEVELS => {
                return Err(fail(too_deep()));
            }
            Content::Parsed(parsed) => parsed.json.clone(),
            Content::List(list) => {
                let item = |item: &Self| item.written_at(level + 1);
                list.0.iter().map(item).collect::<Result<_, _>>()?
            }
            Content::Element(element) => match element.inner() {
                Some(inner) => inner.written_at(level)?,
                None => element.of_written()?,
            },
        };
        if level + levels(&json) > MOST_LEVELS {
            return Err(fail(too_deep()));
        }
        Ok(json)
    }
}

fn too_deep() -> Error {
    Error::custom(format_args!(
        "it is nested more than {MOST_LEVELS} levels deep; keep it as a list of its parts"
    ))
}

/// Values that are serialised as parts of others, on one thread.
///
/// A value of a user's type may contain values, which are asked for their JSON by the `Serialize`
/// of that type. Without this they would not know how deep they are, and each level would check all
/// levels in it again.
#[derive(Clone, Copy, Default)]
struct Nesting {
    /// The number of values around.
    n_around: usize,
    /// Whether the value around has been checked with all that it contains.
    is_checked: bool,
}

thread_local! {
    static NESTING: Cell<Nesting> = const { Cell::new(Nesting { n_around: 0, is_checked: false }) };
}

impl Nesting {
    /// Calls `write` within this nesting.
    fn within<T>(self, write: impl FnOnce() -> T) -> T {
        /// Restores what was before, also if a user's `Serialize` panics.
        struct Restore(Nesting);

        impl Drop for Restore {
            fn drop(&mut self) {
                NESTING.set(self.0);
            }
        }

        let _restore = Restore(NESTING.replace(self));
        write()
    }

    /// Calls `write` for a value that was checked.
    fn checked<T>(write: impl FnOnce() -> T) -> T {
        Self { is_checked: true, ..NESTING.get() }.within(write)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let around = NESTING.get();
        if around.n_around > MOST_LEVELS {
            return Err(ser::Error::custom(too_deep()));
        }
        let nesting = Nesting { n_around: around.n_around + 1, ..around };
        let json =
            nesting.within(|| if around.is_checked { self.to_json() } else { self.written() });
        json.map_err(ser::Error::custom)?.serialize(serializer)
    }
}

/// Serialises `value` as JSON that deserialises to the same value.
///
/// # Errors
/// If there is no such JSON, or its `Serialize` fails.
pub(crate) fn written<T: Serialize + ?Sized>(value: &T) -> Result<Json, Error> {
    let mut entries = 0;
    value.serialize(Check { entries: &mut entries, level: 0 })?;
    let json = Nesting::checked(|| serde_json::to_value(value))?;
    if entries > 0 && n_entries(&json) < entries {
        return Err(Error::custom(
            "a map in it has two keys with the same text; write it as a list of pairs",
        ));
    }
    Ok(json)
}

/// The depth of `json`.
pub(crate) fn levels(json: &Json) -> usize {
    let mut most = 0;
    let mut rest = vec![(json, 0)];
    while let Some((json, level)) = rest.pop() {
        most = most.max(level);
        match json {
            Json::Array(items) => rest.extend(items.iter().map(|item| (item, level + 1))),
            Json::Object(map) => rest.extend(map.values().map(|item| (item, level + 1))),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    most
}

/// The number of entries of all maps in `json`.
fn n_entries(json: &Json) -> usize {
    let mut n = 0;
    let mut rest = vec![json];
    while let Some(json) = rest.pop() {
        match json {
            Json::Array(items) => rest.extend(items),
            Json::Object(map) => {
                n += map.len();
                rest.extend(map.values());
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    n
}

/// A serialiser that writes nothing. It finds values that JSON would change or that are too deep,
/// and counts the entries of maps and structs.
struct Check<'a> {
    entries: &'a mut usize,
    /// The number of lists, maps and structs around it.
    level: usize,
}

/// Checks the content of a list, a map or a struct.
struct Inside<'a> {
    entries: &'a mut usize,
    /// The level of its items.
    level: usize,
}

impl<'a> Check<'a> {
    /// Checks items `n` levels deeper.
    fn inside(self, n: usize) -> Inside<'a> {
        Inside { entries: self.entries, level: self.level + n }
    }
}

fn finite(float: f64) -> Result<(), Error> {
    if float.is_finite() {
        return Ok(());
    }
    Err(Error::custom(format_args!("JSON has no {float}; give an `Option` without it, or text")))
}

macro_rules! unchanged {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, _: $ty) -> Result<(), Error> { Ok(()) })*
    };
}

impl<'a> Serializer for Check<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'a>;
    type SerializeTuple = Inside<'a>;
    type SerializeTupleStruct = Inside<'a>;
    type SerializeTupleVariant = Inside<'a>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeStructVariant = Inside<'a>;

    unchanged! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, float: f32) -> Result<(), Error> {
        finite(float.into())
    }

    fn serialize_f64(self, float: f64) -> Result<(), Error> {
        finite(float)
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        if Shape::of(value) == Shape::Nothing {
            return Err(Error::custom(
                "`Some` of nothing (`None`, `()`, null) would come back as `None`; use an enum \
                 that has a name for it",
            ));
        }
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.inside(1).entry(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside<'a>, Error> {
        Ok(self.inside(1))
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside<'a>, Error> {
        Ok(self.inside(1))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, Error> {
        Ok(self.inside(1))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, Error> {
        *self.entries += 1;
        Ok(self.inside(2))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside<'a>, Error> {
        Ok(self.inside(1))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside<'a>, Error> {
        Ok(self.inside(1))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Inside<'a>, Error> {
        *self.entries += 1;
        Ok(self.inside(2))
    }
}

impl Inside<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        // Found on the way down, because a value may be deeper than the stack.
        if self.level > MOST_LEVELS {
            return Err(too_deep());
        }
        value.serialize(Check { entries: self.entries, level: self.level })
    }

    fn entry<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        *self.entries += 1;
        self.item(value)
    }
}

macro_rules! items {
    ($($part:ident: $method:ident),* $(,)?) => {
        $(impl ser::$part for Inside<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

items! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

impl ser::SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.entry(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! fields {
    ($($part:ident),* $(,)?) => {
        $(impl ser::$part for Inside<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.entry(value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);
