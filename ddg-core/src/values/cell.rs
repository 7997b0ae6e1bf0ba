//! The content of a value behind one pointer.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use super::value::NotSerializable;
use super::written::written;
use super::{Data, Shape, Value, ValueType};

/// The content of a value, with its type erased.
pub(super) trait Erased: Any + Send + Sync {
    fn ty(&self) -> ValueType;
    fn cell(&self) -> Cell<'_>;
    fn shape(&self) -> Shape;
    fn to_json(&self) -> Result<Json, serde_json::Error>;
    /// The same, where that is read as the same value.
    fn write(&self) -> Result<Json, serde_json::Error>;
    /// Fills `slot` if it is an `Option` of another form in which this `T` can be read:
    /// `Arc<T>`, `Option<T>`, `Option<Arc<T>>`.
    fn hand_out(self: Arc<Self>, slot: &mut dyn Any) -> bool;
    /// Fills `slot` if it is an `Option<Vec<T>>` or `Option<Vec<Arc<T>>>` and all `items` are `T`.
    fn gather(&self, items: &[&Value], slot: &mut dyn Any);
}

pub(super) enum Cell<'a> {
    Null,
    Typed(&'a dyn Erased),
    Parsed(&'a Parsed),
    List(&'a List),
    Element(&'a Element),
}

impl<T: Data> Erased for T {
    fn ty(&self) -> ValueType {
        ValueType::of::<T>()
    }

    fn cell(&self) -> Cell<'_> {
        Cell::Typed(self)
    }

    fn shape(&self) -> Shape {
        caught(|| Ok(Shape::of(self))).unwrap_or(Shape::Scalar)
    }

    fn to_json(&self) -> Result<Json, serde_json::Error> {
        caught(|| serde_json::to_value(self))
    }

    fn write(&self) -> Result<Json, serde_json::Error> {
        caught(|| written(self))
    }

    fn hand_out(self: Arc<Self>, slot: &mut dyn Any) -> bool {
        if let Some(shared) = slot.downcast_mut::<Option<Arc<T>>>() {
            *shared = Some(self);
        } else if let Some(optional) = slot.downcast_mut::<Option<Option<T>>>() {
            *optional = Some(Some(Arc::unwrap_or_clone(self)));
        } else if let Some(optional) = slot.downcast_mut::<Option<Option<Arc<T>>>>() {
            *optional = Some(Some(self));
        } else {
            return false;
        }
        true
    }

    fn gather(&self, items: &[&Value], slot: &mut dyn Any) {
        if let Some(slot) = slot.downcast_mut::<Option<Vec<T>>>() {
            *slot = all(items, |item| item.downcast_ref::<T>().cloned());
        } else if let Some(slot) = slot.downcast_mut::<Option<Vec<Arc<T>>>>() {
            *slot = all(items, Value::held::<T>);
        }
    }
}

/// Collects what `read` makes of the items; `None` if it fails for one of them.
fn all<T>(items: &[&Value], read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        all.push(read(item)?);
    }
    Some(all)
}

/// JSON, and the value that its first reader has parsed from it.
pub(super) struct Parsed {
    pub(super) json: Json,
    pub(super) typed: OnceLock<Arc<dyn Erased>>,
}

/// A list of values.
pub(super) struct List(pub(super) Vec<Value>);

/// One element of a scattered list.
pub(super) struct Element {
    pub(super) dealt: Arc<Dealt>,
    pub(super) index: usize,
}

/// A list that is scattered element by element. Its JSON is written at most once.
pub(crate) struct Dealt {
    pub(super) list: Value,
    json: OnceLock<Json>,
}

impl Dealt {
    pub(crate) fn new(list: Value) -> Arc<Self> {
        Arc::new(Self { list, json: OnceLock::new() })
    }
}

impl Element {
    /// The element, if the list consists of values.
    pub(super) fn inner(&self) -> Option<Value> {
        if let Cell::List(list) = self.dealt.list.cell() {
            return Some(list.0[self.index].clone());
        }
        Some(self.dealt.list.downcast_ref::<Vec<Value>>()?[self.index].clone())
    }

    pub(super) fn to_json(&self) -> Result<Json, NotSerializable> {
        match self.inner() {
            Some(inner) => inner.to_json(),
            None => self.of_written(),
        }
    }

    /// The element, of the list as it is written.
    pub(super) fn of_written(&self) -> Result<Json, NotSerializable> {
        let json = match self.dealt.json.get() {
            Some(json) => json,
            None => {
                let json = self.dealt.list.written()?;
                self.dealt.json.get_or_init(|| json)
            }
        };
        Ok(json.get(self.index).cloned().unwrap_or_default())
    }
}

macro_rules! erased_cell {
    ($cell:ident) => {
        impl Erased for $cell {
            fn ty(&self) -> ValueType {
                ValueType::of::<Value>()
            }

            fn cell(&self) -> Cell<'_> {
                Cell::$cell(self)
            }

            fn shape(&self) -> Shape {
                unreachable!("only typed cells are asked for their shape")
            }

            fn to_json(&self) -> Result<Json, serde_json::Error> {
                unreachable!("only typed cells are asked for their JSON")
            }

            fn write(&self) -> Result<Json, serde_json::Error> {
                unreachable!("only typed cells are asked for their JSON")
            }

            fn hand_out(self: Arc<Self>, _: &mut dyn Any) -> bool {
                false
            }

            fn gather(&self, _: &[&Value], _: &mut dyn Any) {}
        }
    };
}

erased_cell!(Parsed);
erased_cell!(List);
erased_cell!(Element);

/// Calls a user's `Serialize` or `Deserialize` implementation and turns a panic into an error.
pub(super) fn caught<T>(
    call: impl FnOnce() -> Result<T, serde_json::Error>,
) -> Result<T, serde_json::Error> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(serde::de::Error::custom("its serde implementation panicked")))
}
