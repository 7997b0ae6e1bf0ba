//! The registry of an automa: workers that are placed only at run time, and named types of workers.

use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::key::Key;
use crate::values::written;
use crate::worker::{AnyWorker, Body, IntoWorker, OwnWorker, Worker};

/// Declared workers and registered types, by name.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    declared: IndexMap<Key, Arc<Body>, FxBuildHasher>,
    types: IndexMap<Key, WorkerType, FxBuildHasher>,
}

/// A type of workers that snapshots refer to by name.
#[derive(Clone)]
pub(crate) struct WorkerType {
    worker: TypeId,
    to_config: Arc<ToConfig>,
    from_config: Arc<FromConfig>,
}

type ToConfig = dyn Fn(&dyn Any) -> Result<Json, serde_json::Error> + Send + Sync;
type FromConfig = dyn Fn(Json) -> Result<AnyWorker, serde_json::Error> + Send + Sync;

impl Registry {
    pub(crate) fn get(&self, name: &Key) -> Option<&Arc<Body>> {
        self.declared.get(name)
    }

    pub(super) fn insert(&mut self, name: Key, body: Arc<Body>) -> Option<Arc<Body>> {
        self.declared.insert(name, body)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<Body>)> {
        self.declared.iter()
    }

    /// Registers a type. Returns false if another type has the name.
    pub(super) fn insert_type(&mut self, name: Key, ty: WorkerType) -> bool {
        let worker = ty.worker;
        self.types.entry(name).or_insert(ty).worker == worker
    }

    /// The type with this name.
    pub(crate) fn worker_type(&self, name: &Key) -> Option<&WorkerType> {
        self.types.get(name)
    }

    /// The type of `worker`, with the first name that it was registered under.
    pub(crate) fn type_of(&self, worker: &AnyWorker) -> Option<(&Key, &WorkerType)> {
        let worker: &dyn Any = &*worker.0;
        self.types.iter().find(|(_, ty)| ty.worker == worker.type_id())
    }
}

impl WorkerType {
    /// The type `W`, whose workers are their own configuration.
    pub(super) fn of<W: Worker + Serialize + DeserializeOwned>() -> Self {
        Self {
            worker: TypeId::of::<OwnWorker<W>>(),
            to_config: Arc::new(|worker| written(own::<W>(worker))),
            from_config: Arc::new(|json| {
                serde_json::from_value::<W>(json).map(IntoWorker::into_worker)
            }),
        }
    }

    pub(super) fn new<W: Worker, C: Serialize + DeserializeOwned>(
        to_config: impl Fn(&W) -> C + Send + Sync + 'static,
        from_config: impl Fn(C) -> W + Send + Sync + 'static,
    ) -> Self {
        Self {
            worker: TypeId::of::<OwnWorker<W>>(),
            to_config: Arc::new(move |worker| written(&to_config(own(worker)))),
            from_config: Arc::new(move |json| {
                serde_json::from_value(json).map(|config| from_config(config).into_worker())
            }),
        }
    }

    /// The configuration of `worker`, which is of this type.
    pub(crate) fn config(&self, worker: &AnyWorker) -> Result<Json, serde_json::Error> {
        caught(|| (self.to_config)(&*worker.0))
    }

    /// Creates the worker with this configuration.
    pub(crate) fn make(&self, config: Json) -> Result<AnyWorker, serde_json::Error> {
        caught(|| {
            let worker = (self.from_config)(config)?;
            // Called here, inside `caught`, so that a panic of the signature becomes an error.
            worker.0.signature();
            Ok(worker)
        })
    }
}

fn own<W: Worker>(worker: &dyn Any) -> &W {
    let OwnWorker(worker) =
        worker.downcast_ref().expect("a type is asked only for workers of its own");
    worker
}

/// Calls user code and turns a panic into an error.
fn caught<T>(call: impl FnOnce() -> Result<T, serde_json::Error>) -> Result<T, serde_json::Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(serde::de::Error::custom("the code that the type is registered with panicked"))
    })
}
