//! Bodies of workers: what they do and how they are called. The graph and the machine only carry
//! them.

use std::sync::Arc;
use std::time::Duration;

use super::{AnyWorker, Cost, Retry, Start, WorkerOptions};
use crate::callback::DynCallback;
use crate::graph::{Fault, Payload, Role, View};
use crate::key::Key;

use serde::{Deserialize, Serialize};

/// A worker with everything that is needed to run it. It does not change once it is in a graph.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) role: Role,
    pub(crate) worker: AnyWorker,
    /// The function that calls the worker.
    pub(crate) start: Start,
    /// The name that it is declared under, if it was placed by that name.
    pub(crate) declared: Option<Key>,
    /// Whether the worker takes a context.
    pub(crate) context: bool,
    pub(crate) calling: Calling,
    pub(crate) callbacks: Box<[Arc<dyn DynCallback>]>,
    /// Whether calls are instrumented: with hooks, retries or a timeout.
    pub(crate) hooked: bool,
    pub(crate) cost: Cost,
}

/// The options that decide how a worker is called.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calling {
    pub(crate) placement: Placement,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
}

/// Where a synchronous worker runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Placement {
    /// On the blocking pool.
    #[default]
    Blocking,
    /// In the task of the run.
    Inline,
}

impl Body {
    /// Combines the worker's signature with its options, without the dependencies, which belong to
    /// the graph. Adds a fault to `faults` for each option that does not fit.
    pub(crate) fn new(
        key: &Key,
        worker: AnyWorker,
        options: WorkerOptions,
        faults: &mut Vec<Fault>,
    ) -> Arc<Self> {
        let signature = worker.0.signature();
        let WorkerOptions { wiring, calling, params, froms, inputs, callbacks, .. } = options;
        let mut role = Role::new(key.clone(), signature.params, params, wiring, faults);
        for from in froms {
            role.fill_from(from.param, from.worker, from.default, faults);
        }
        for input in inputs {
            role.fill_by_name(input, faults);
        }
        if signature.open {
            role.open = true;
            role.n_positional = signature.most_positional.unwrap_or(usize::MAX);
        }
        role.returns = signature.output;
        Arc::new(Self {
            role,
            start: worker.0.start(),
            worker,
            declared: None,
            context: signature.context,
            hooked: calling.is_hooked() || !callbacks.is_empty(),
            calling,
            callbacks: callbacks.into(),
            cost: Cost::default(),
        })
    }

    /// The same worker placed in the graph under `key`. It keeps what was declared with the
    /// function: parameters, placement, callbacks and, unless `options` set them, timeout and
    /// retry.
    pub(crate) fn placed(&self, name: Key, key: Key, options: WorkerOptions) -> Arc<Self> {
        let calling = Calling {
            placement: self.calling.placement,
            timeout: options.calling.timeout.or(self.calling.timeout),
            retry: options.calling.retry.or(self.calling.retry),
        };
        let callbacks: Box<_> = self.callbacks.iter().cloned().chain(options.callbacks).collect();
        Arc::new(Self {
            role: Role { key, wiring: options.wiring, ..self.role.clone() },
            declared: Some(name),
            hooked: calling.is_hooked() || !callbacks.is_empty(),
            calling,
            callbacks,
            ..self.clone()
        })
    }
}

impl Calling {
    fn is_hooked(&self) -> bool {
        self.timeout.is_some() || self.retry.is_some()
    }
}

impl Payload for Arc<Body> {
    #[inline]
    fn role(&self) -> &Role {
        &self.role
    }

    fn inner(&self) -> Option<View<Self>> {
        self.worker.graph()
    }

    fn with_inner(&self, inner: View<Self>) -> Self {
        let worker = self.worker.with_graph(inner);
        Arc::new(Body { start: worker.0.start(), worker, ..Body::clone(self) })
    }
}
