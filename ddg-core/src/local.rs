//! A worker's own state within a run.

mod kept;
mod run;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use kept::{KeptSpaces, Spaces};
pub(crate) use run::Locals;

use crate::printable::shown;
use crate::values::{Data, TypeMismatch, Value};

/// Named values that belong to one worker and last for the run.
///
/// Every change holds a lock, so a worker that runs several times at once loses no change. A change
/// takes effect at once, also if the execution fails later.
///
/// A value of another type than asked for is never replaced. [`get`](Self::get) and
/// [`update`](Self::update) leave it as it is, and the execution ends with an error that says what
/// the value is, whatever the worker returns. [`try_get`](Self::try_get) and
/// [`try_update`](Self::try_update) return that error to the worker instead.
///
/// ```
/// # use ddg_core::prelude::*;
/// async fn visits(cx: Context) -> u32 {
///     cx.local().update("visits", |visits: &mut u32| { *visits += 1; *visits })
/// }
/// ```
pub struct LocalSpace {
    values: LocalValues,
    /// The first value that had another type than asked for.
    mismatch: OnceLock<Box<LocalMismatch>>,
}

/// A local value has another type than asked for. It was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "local value `{name}`: {source}; it was not changed: ask for its own type, or `remove` it first",
    name = shown(.name)
)]
#[non_exhaustive]
pub struct LocalMismatch {
    /// The name of the value.
    pub name: String,
    /// The expected type and the actual one.
    pub source: TypeMismatch,
}

/// The values of a local space, shared by all of its users.
#[derive(Clone, Default)]
pub(crate) struct LocalValues(Arc<Mutex<BTreeMap<String, Value>>>);

impl LocalSpace {
    /// The local space of a worker for one execution.
    pub(crate) fn new(values: LocalValues) -> Self {
        Self { values, mismatch: OnceLock::new() }
    }

    /// The first value that had another type than asked for.
    pub(crate) fn mismatch(&self) -> Option<&LocalMismatch> {
        self.mismatch.get().map(|mismatch| &**mismatch)
    }

    fn ends_as(&self, mismatch: LocalMismatch) {
        self.mismatch.get_or_init(|| Box::new(mismatch));
    }

    /// The value `name`; `None` if it does not exist. If it is not a `T` the result is also `None`,
    /// and the execution ends with an error.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("once");
    /// automa.add_func_as_worker("once", async |cx: Context| {
    ///     match cx.local().get::<u32>("seen") {
    ///         None => { cx.local().set("seen", 7_u32); cx.ferry_to("once", ()); 0 }
    ///         Some(seen) => seen,
    ///     }
    /// }, start().output())?;
    /// assert_eq!(automa.run(()).output::<u32>().await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get<T: Data>(&self, name: &str) -> Option<T> {
        self.try_get(name).unwrap_or_else(|mismatch| {
            self.ends_as(mismatch);
            None
        })
    }

    /// The value `name`; `None` if it does not exist.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("types");
    /// automa.add_func_as_worker("types", async |cx: Context| {
    ///     cx.local().set("n", "seven");
    ///     cx.local().try_get::<u32>("n").is_err()
    /// }, start().output())?;
    /// assert!(automa.run(()).output::<bool>().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn try_get<T: Data>(&self, name: &str) -> Result<Option<T>, LocalMismatch> {
        let found = self.values.lock().get(name).map(Value::get);
        found.transpose().map_err(|source| LocalMismatch { name: name.to_owned(), source })
    }

    /// Sets the value `name`, whatever it was before.
    pub fn set<T: Data>(&self, name: impl Into<String>, value: T) {
        self.values.lock().insert(name.into(), Value::new(value));
    }

    /// Changes the value `name`, which is `T::default()` if it does not exist, and returns the
    /// result of `change`. `change` must not use this local space.
    ///
    /// If the value is not a `T`, `change` gets a default that is dropped afterwards, and the
    /// execution ends with an error.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("count");
    /// automa.add_func_as_worker("count", async |cx: Context| {
    ///     let n = cx.local().update("n", |n: &mut u32| { *n += 1; *n });
    ///     if n < 3 {
    ///         cx.ferry_to("count", ());
    ///     }
    ///     n
    /// }, start().output())?;
    /// assert_eq!(automa.run(()).output::<u32>().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Changes the value `name`, which is `T::default()` if it does not exist, and returns the
    /// result of `change`. `change` must not use this local space.
    ///
    /// # Errors
    /// If the value is not a `T`. `change` is not called then.
    pub fn try_update<T: Data + Default, R>(
        &self,
        name: impl Into<String>,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, LocalMismatch> {
        self.update_or_else(name.into(), change).map_err(|(mismatch, _)| mismatch)
    }

    /// Changes a value, or returns `change` if the value has another type.
    fn update_or_else<T: Data + Default, R, F: FnOnce(&mut T) -> R>(
        &self,
        name: String,
        change: F,
    ) -> Result<R, (LocalMismatch, F)> {
        let mut values = self.values.lock();
        let (slot, value) = match values.entry(name) {
            Entry::Vacant(vacant) => (vacant.insert(Value::null()), T::default()),
            Entry::Occupied(mut found) => {
                // A value that is a `T` in memory is moved out rather than cloned.
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
        // The guard puts the value back also if `change` panics.
        let mut borrowed = Borrowed { slot, value: Some(value) };
        let value = borrowed.value.as_mut().expect("taken only when it is put back");
        Ok(change(value))
    }

    /// Removes the value `name`, and returns whether it existed.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("once");
    /// automa.add_func_as_worker("once", async |cx: Context| {
    ///     cx.local().set("n", 7);
    ///     cx.local().remove("n");
    ///     cx.local().get::<u32>("n")
    /// }, start().output())?;
    /// assert_eq!(automa.run(()).output::<Option<u32>>().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove(&self, name: &str) -> bool {
        self.values.lock().remove(name).is_some()
    }

    /// The names of all values, sorted.
    pub fn names(&self) -> Vec<String> {
        self.values.lock().keys().cloned().collect()
    }
}

impl LocalValues {
    /// A local space with these values.
    pub(crate) fn of(values: BTreeMap<String, Value>) -> Self {
        Self(Arc::new(Mutex::new(values)))
    }

    /// A copy of the values, by name.
    pub(crate) fn values(&self) -> BTreeMap<String, Value> {
        self.lock().clone()
    }

    /// Whether somebody else holds it.
    fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value taken out of its slot, and put back on drop.
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
