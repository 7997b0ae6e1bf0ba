//! Asks serde whether a value is a list, and how long it is, without serialising it.

use std::fmt;

use serde::ser::{Impossible, Serialize, Serializer};

/// The kind of JSON that a value would serialise to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A list, with its length if the type knows it beforehand.
    List(Option<usize>),
    /// A map, a struct, or anything else with named entries.
    Map,
    /// Null: `None` or `()`.
    Nothing,
    /// A number, a string or a flag.
    Scalar,
}

impl Shape {
    /// The shape of `value`. Nothing is serialised.
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        match value.serialize(Probe) {
            // Only scalars reach the end of `serialize` in the probe.
            Ok(()) => Self::Scalar,
            Err(Found(shape)) => shape,
        }
    }
}

/// A serializer that stops at the first call.
struct Probe;

/// The shape as an error, because an error is the only way to make `serialize` stop early.
#[derive(Debug)]
struct Found(Shape);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Found {}

impl serde::ser::Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(Shape::Scalar)
    }
}

macro_rules! scalars {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, _: $ty) -> Result<(), Found> { Ok(()) })*
    };
}

impl Serializer for Probe {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Impossible<(), Found>;
    type SerializeTuple = Impossible<(), Found>;
    type SerializeTupleStruct = Impossible<(), Found>;
    type SerializeTupleVariant = Impossible<(), Found>;
    type SerializeMap = Impossible<(), Found>;
    type SerializeStruct = Impossible<(), Found>;
    type SerializeStructVariant = Impossible<(), Found>;

    scalars! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_str: &str,
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Found> {
        Err(Found(Shape::List(Some(bytes.len()))))
    }

    fn serialize_none(self) -> Result<(), Found> {
        Err(Found(Shape::Nothing))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Found> {
        Err(Found(Shape::Nothing))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Found> {
        Err(Found(Shape::Nothing))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Found> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Found> {
        Err(Found(Shape::Map))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, Found> {
        Err(Found(Shape::List(len)))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, Found> {
        Err(Found(Shape::List(Some(len))))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, Found> {
        Err(Found(Shape::List(Some(len))))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Found> {
        Err(Found(Shape::Map))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Found> {
        Err(Found(Shape::Map))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Found> {
        Err(Found(Shape::Map))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Found> {
        Err(Found(Shape::Map))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Shape;

    #[test]
    fn lists_say_how_long_they_are() {
        assert_eq!(Shape::of(&vec![1, 2, 3]), Shape::List(Some(3)));
        assert_eq!(Shape::of(&("a", 1)), Shape::List(Some(2)));
        assert_eq!(Shape::of(&Some([0_u8; 4])), Shape::List(Some(4)));
        assert_eq!(Shape::of(&BTreeMap::from([("a", 1)])), Shape::Map);
        assert_eq!(Shape::of("text"), Shape::Scalar);
        assert_eq!(Shape::of(&None::<Vec<u8>>), Shape::Nothing);
    }
}
