//! Converts a value into a form that can be read as a given type, or says why that is impossible.

use std::any::TypeId;
use std::sync::Arc;

use serde_json::Value as Json;

use super::cell::{Cell, caught};
use super::repr::Repr;
use super::text::{Owner, owner_of};
use super::ty::{is_dynamic, is_numeric, numbers_agree};
use super::value::same;
use super::{Data, TypeMismatch, Value, ValueType};

/// Converts `value` into one that can be read as a `T` without failing.
pub(super) fn adopt<T: Data>(value: Value) -> Result<Value, TypeMismatch> {
    // A type that borrows its text is read from the type that owns the text.
    match owner_of::<T>() {
        None => {}
        Some(Owner::Text) => return adopt::<String>(value),
        Some(Owner::Optional) => return adopt::<Option<String>>(value),
    }
    let want = ValueType::of::<T>();
    if want.id() == TypeId::of::<Value>() {
        return Ok(value);
    }
    if want.id() == TypeId::of::<Option<Value>>() && !value.holds(want) {
        // Any value can be an `Option<Value>` without being converted.
        return Ok(Value::new((!value.is_nothing()).then_some(value)));
    }
    match value.cell() {
        Cell::Null => null_as::<T>().map(Value::new),
        Cell::Typed(inner) => {
            let have = inner.ty();
            // Readers clone or share the inner value in these forms, so nothing has to be
            // converted.
            if have == want || have.hands_out_to(want) || have.is_shared_form_of(want) {
                return Ok(value);
            }
            if let Some(optional) = value.downcast_ref::<Option<T>>() {
                return optional.clone().map(Value::new).ok_or_else(|| mismatch::<T>("`None`"));
            }
            // Between these types JSON is the common form: serde checks ranges and shapes.
            if numbers_agree(want.id(), have.id())
                || is_dynamic(have.id())
                || is_dynamic(want.id())
                || want.owns_text_of(have)
            {
                return read_json::<T>(&value).map(Value::new);
            }
            Err(mismatch::<T>(&format!("`{have}`")))
        }
        Cell::Parsed(parsed) => {
            if let Some(typed) = parsed.typed.get()
                && typed.ty() == want
            {
                return Ok(Value(Repr::Shared(Arc::clone(typed))));
            }
            let adopted = Value::new(read_json::<T>(&value)?);
            if let Some(typed) = adopted.0.clone().into_shared() {
                // The first reader decides the cached type. A reader of another type parses the
                // JSON each time.
                _ = parsed.typed.set(typed);
            }
            Ok(adopted)
        }
        Cell::List(list) => {
            let items: Vec<&Value> = list.0.iter().collect();
            match gather::<T>(&items) {
                Some(gathered) => Ok(gathered),
                None => match same::<Vec<Value>, T>(list.0.clone()) {
                    Ok(values) => Ok(Value(Repr::Shared(Arc::new(values)))),
                    Err(_) => read_json::<T>(&value).map(Value::new),
                },
            }
        }
        Cell::Element(element) => match element.dealt.list.downcast_ref::<Vec<T>>() {
            Some(items) => Ok(Value::new(items[element.index].clone())),
            None => match element.inner() {
                Some(inner) => adopt::<T>(inner),
                None => read_json::<T>(&value).map(Value::new),
            },
        },
    }
}

/// Collects `items` into a list of type `T`, if all of them hold its element type.
pub(super) fn gather<T: Data>(items: &[&Value]) -> Option<Value> {
    let mut slot: Option<T> = None;
    let first = items.first()?.0.get()?;
    first.gather(items, &mut slot);
    slot.map(Value::new)
}

/// Converts null into a `T`: `None`, `()` or JSON's null.
pub(super) fn null_as<T: Data>() -> Result<T, TypeMismatch> {
    T::deserialize(Json::Null).map_err(|_| mismatch::<T>("null"))
}

pub(super) fn read_json<T: Data>(value: &Value) -> Result<T, TypeMismatch> {
    let json = value.to_json().map_err(|error| mismatch::<T>(&format!("`{}`", error.type_name)))?;
    // A number out of range gets a message of its own, which names the number instead of serde's
    // reason.
    let number = match &json {
        Json::Number(number) if is_numeric(ValueType::of::<T>().id()) => Some(number.to_string()),
        _ => None,
    };
    let misfit = number.map(|number| mismatch::<T>(&format!("{number}, which does not fit")));
    if is_numeric(ValueType::of::<T>().id()) && too_large::<T>(&json) {
        return Err(misfit.unwrap_or_else(|| mismatch::<T>("a number that does not fit")));
    }
    let found = match &json {
        Json::Number(number) => format!("the number {number}"),
        _ => value.describe(),
    };
    caught(|| T::deserialize(json))
        .map_err(|error| misfit.unwrap_or_else(|| mismatch::<T>(&format!("{found} ({error})"))))
}

/// Whether a float in `json` becomes infinite when read as a `T`. serde accepts that without an
/// error; an infinite float is written as null, so the numbers in the JSON of the result are
/// counted.
fn too_large<T: Data>(json: &Json) -> bool {
    fn finite(json: &Json) -> usize {
        match json {
            Json::Number(_) => 1,
            Json::Array(items) => items.iter().map(finite).sum(),
            Json::Null | Json::Bool(_) | Json::String(_) | Json::Object(_) => 0,
        }
    }
    let read = T::deserialize(json.clone()).ok().and_then(|read| serde_json::to_value(read).ok());
    read.is_some_and(|read| finite(&read) < finite(json))
}

pub(super) fn mismatch<T: Data>(found: &str) -> TypeMismatch {
    TypeMismatch { expected: ValueType::of::<T>().to_string(), found: found.to_owned() }
}
