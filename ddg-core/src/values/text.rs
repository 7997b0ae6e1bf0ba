//! Text literals: stored as `String`, and accepted wherever a `String` is.

use std::any::TypeId;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashSet;

use super::value::same;
use super::{Data, TypeMismatch, Value};

/// Text with the lifetime of the program, such as a literal.
type Literal = &'static str;

/// Whether `T` is the type `U`. The answer is constant for each pair, so the check costs nothing.
#[inline]
pub(super) fn is<T: 'static, U: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<U>()
}

/// The type that owns the text of `T`, if `T` is a literal or an optional literal.
#[inline]
pub(super) fn owner_of<T: 'static>() -> Option<Owner> {
    if is::<T, Literal>() {
        Some(Owner::Text)
    } else if is::<T, Option<Literal>>() {
        Some(Owner::Optional)
    } else {
        None
    }
}

/// A type that owns the text of a type that borrows it.
pub(super) enum Owner {
    /// `String`.
    Text,
    /// `Option<String>`.
    Optional,
}

/// Converts `inner` into a value that owns its text, if it is borrowed text.
#[inline]
pub(super) fn owned<T: 'static>(inner: T) -> Result<Value, T> {
    match owner_of::<T>() {
        None => Err(inner),
        Some(Owner::Text) => same::<T, Literal>(inner).map(|text| Value::new(text.to_owned())),
        Some(Owner::Optional) => {
            same::<T, Option<Literal>>(inner).map(|text| Value::new(text.map(str::to_owned)))
        }
    }
}

/// Returns the text of `inner`, if it is a literal.
pub(crate) fn literal_as_text<T: 'static>(inner: T) -> Result<String, T> {
    same::<T, Literal>(inner).map(str::to_owned)
}

/// Reads `value` as a `T` that borrows its text for the lifetime of the program.
pub(super) fn borrowed<T: Data>(value: Value, owner: &Owner) -> Result<T, TypeMismatch> {
    let read = match owner {
        Owner::Text => same::<Literal, T>(kept(value.take::<String>()?)).ok(),
        Owner::Optional => {
            same::<Option<Literal>, T>(value.take::<Option<String>>()?.map(kept)).ok()
        }
    };
    Ok(read.expect("the owner was found by the type"))
}

/// Keeps `text` for the lifetime of the program; equal texts share one copy.
///
/// The compiler sees a function that takes `&str` as one that takes `&'static str`. No bound on
/// types tells the two apart (see "Text is text" in docs/architecture.md), so the text that such a
/// worker gets has to live as long as the program.
fn kept(text: String) -> Literal {
    // Deduplicated, so that the leaked memory is bounded by the number of different texts.
    static KEPT: Mutex<Option<FxHashSet<Literal>>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if let Some(known) = kept.get(text.as_str()) {
        return known;
    }
    let text: Literal = text.leak();
    kept.insert(text);
    text
}
