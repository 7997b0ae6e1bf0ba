//! A worker's own state within a run.

mod kept;
mod run;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use kept::{KeptSpaces, Spaces};
pub(crate) use run::Locals;

use crate::values::{Data, Value};

/// Values by name that belong to one worker and last for the run.
///
/// Every change is made under a lock of its own, so that a worker that runs several times at once
/// loses none; it takes effect at once, also if the execution fails later.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn visits(cx: Context) -> u32 {
///     cx.local().update("visits", |visits: &mut u32| { *visits += 1; *visits })
/// }
/// ```
#[derive(Clone, Default)]
pub struct LocalSpace(Arc<Mutex<BTreeMap<String, Value>>>);

impl LocalSpace {
    /// The value called `name`; `None` if there is none, or it is no `T`.
    pub fn get<T: Data>(&self, name: &str) -> Option<T> {
        self.lock().get(name)?.get().ok()
    }

    /// Sets the value called `name`.
    pub fn set<T: Data>(&self, name: impl Into<String>, value: T) {
        self.lock().insert(name.into(), Value::new(value));
    }

    /// Changes the value called `name`, which is `T::default()` if there is none yet or it is no
    /// `T`, and gives back what `change` returns. `change` must not use this local space.
    pub fn update<T: Data + Default, R>(
        &self,
        name: impl Into<String>,
        change: impl FnOnce(&mut T) -> R,
    ) -> R {
        let mut values = self.lock();
        let slot = values.entry(name.into()).or_default();
        let value = std::mem::take(slot).take().unwrap_or_default();
        // Put back also if `change` panics, as it was left then.
        let mut borrowed = Borrowed { slot, value: Some(value) };
        let value = borrowed.value.as_mut().expect("taken only when it is put back");
        change(value)
    }

    /// Removes the value called `name` and returns whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        self.lock().remove(name).is_some()
    }

    /// The names that have a value, sorted.
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// One with these values.
    pub(crate) fn of(values: BTreeMap<String, Value>) -> Self {
        Self(Arc::new(Mutex::new(values)))
    }

    /// The values as they are now, by name.
    pub(crate) fn values(&self) -> BTreeMap<String, Value> {
        self.lock().clone()
    }

    /// Puts `values` in the place of all that there are.
    pub(crate) fn replace(&self, values: BTreeMap<String, Value>) {
        let old = std::mem::replace(&mut *self.lock(), values);
        drop(old);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value out of its slot, put back when this is dropped.
struct Borrowed<'a, T: Data> {
    slot: &'a mut Value,
    value: Option<T>,
}

impl<T: Data> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            *self.slot = Value::new(value);
        }
    }
}

impl fmt::Debug for LocalSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.lock().iter()).finish()
    }
}

impl Serialize for LocalSpace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lock().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LocalSpace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Arc::new(Mutex::new(BTreeMap::deserialize(deserializer)?))))
    }
}
