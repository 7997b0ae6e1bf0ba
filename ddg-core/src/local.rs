//! A worker's own state within a run.

mod kept;
mod run;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use kept::{KeptSpaces, Spaces};
pub(crate) use run::Locals;

use crate::values::{Data, TypeMismatch, Value};

/// Values by name that belong to one worker and last for the run.
///
/// Every change is made under a lock of its own, so that a worker that runs several times at once
/// loses none; it takes effect at once, also if the execution fails later.
///
/// A value that is not of the type asked for is never replaced: [`get`](Self::get) and
/// [`update`](Self::update) leave it alone, and the execution ends as an error that says what is
/// there, whatever the worker gives. [`try_get`](Self::try_get) and [`try_update`](Self::try_update)
/// give that error to the worker instead.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn visits(cx: Context) -> u32 {
///     cx.local().update("visits", |visits: &mut u32| { *visits += 1; *visits })
/// }
/// ```
pub struct LocalSpace {
    values: LocalValues,
    /// The first value that was not of the type asked for.
    mismatch: OnceLock<Box<LocalMismatch>>,
}

/// A local value is not of the type asked for; it was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "local value `{name}`: {source}; it was left as it is: ask for what it is, or `remove` it first"
)]
#[non_exhaustive]
pub struct LocalMismatch {
    /// The value's name.
    pub name: String,
    /// Expected and found.
    pub source: TypeMismatch,
}

/// The values of a local space, shared by all who have it.
#[derive(Clone, Default)]
pub(crate) struct LocalValues(Arc<Mutex<BTreeMap<String, Value>>>);

impl LocalSpace {
    /// A worker's, for one execution.
    pub(crate) fn new(values: LocalValues) -> Self {
        Self { values, mismatch: OnceLock::new() }
    }

    /// The first value that was not of the type asked for.
    pub(crate) fn mismatch(&self) -> Option<&LocalMismatch> {
        self.mismatch.get().map(|mismatch| &**mismatch)
    }

    fn ends_as(&self, mismatch: LocalMismatch) {
        self.mismatch.get_or_init(|| Box::new(mismatch));
    }

    /// The value called `name`; `None` if there is none. If it is no `T`, it is `None`, too, and the
    /// execution ends as an error.
    pub fn get<T: Data>(&self, name: &str) -> Option<T> {
        self.try_get(name).unwrap_or_else(|mismatch| {
            self.ends_as(mismatch);
            None
        })
    }

    /// The value called `name`; `None` if there is none.
    ///
    /// # Errors
    /// It is no `T`.
    pub fn try_get<T: Data>(&self, name: &str) -> Result<Option<T>, LocalMismatch> {
        let found = self.values.lock().get(name).map(Value::get);
        found.transpose().map_err(|source| LocalMismatch { name: name.to_owned(), source })
    }

    /// Sets the value called `name`, whatever it was before.
    pub fn set<T: Data>(&self, name: impl Into<String>, value: T) {
        self.values.lock().insert(name.into(), Value::new(value));
    }

    /// Changes the value called `name`, which is `T::default()` if there is none yet, and gives back
    /// what `change` returns. `change` must not use this local space.
    ///
    /// If the value is no `T`, `change` is given a default that is then dropped, and the execution
    /// ends as an error.
    pub fn update<T: Data + Default, R>(
        &self,
        name: impl Into<String>,
        change: impl FnOnce(&mut T) -> R,
    ) -> R {
        match self.update_or_else(name.into(), change) {
            Ok(changed) => changed,
            Err((mismatch, change)) => {
                self.ends_as(mismatch);
                change(&mut T::default())
            }
        }
    }

    /// Changes the value called `name`, which is `T::default()` if there is none yet, and gives back
    /// what `change` returns. `change` must not use this local space.
    ///
    /// # Errors
    /// The value is no `T`; `change` is not called then.
    pub fn try_update<T: Data + Default, R>(
        &self,
        name: impl Into<String>,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, LocalMismatch> {
        self.update_or_else(name.into(), change).map_err(|(mismatch, _)| mismatch)
    }

    /// Changes a value, or gives `change` back.
    fn update_or_else<T: Data + Default, R, F: FnOnce(&mut T) -> R>(
        &self,
        name: String,
        change: F,
    ) -> Result<R, (LocalMismatch, F)> {
        let mut values = self.values.lock();
        let (slot, value) = match values.entry(name) {
            Entry::Vacant(vacant) => (vacant.insert(Value::null()), T::default()),
            Entry::Occupied(mut found) => {
                // What is a `T` in memory is moved out, not copied.
                let value = match found.get().downcast_ref::<T>() {
                    Some(_) => std::mem::take(found.get_mut()).take(),
                    None => found.get().get(),
                };
                match value {
                    Ok(value) => (found.into_mut(), value),
                    Err(source) => {
                        let name = found.key().clone();
                        return Err((LocalMismatch { name, source }, change));
                    }
                }
            }
        };
        // Put back also if `change` panics, as it was left then.
        let mut borrowed = Borrowed { slot, value: Some(value) };
        let value = borrowed.value.as_mut().expect("taken only when it is put back");
        Ok(change(value))
    }

    /// Removes the value called `name` and returns whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        self.values.lock().remove(name).is_some()
    }

    /// The names that have a value, sorted.
    pub fn names(&self) -> Vec<String> {
        self.values.lock().keys().cloned().collect()
    }
}

impl LocalValues {
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
        f.debug_map().entries(self.values.lock().iter()).finish()
    }
}
