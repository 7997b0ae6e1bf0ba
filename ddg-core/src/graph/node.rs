//! One worker in a graph: what it is, how it is run, and its edges.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Fault;
use crate::callback::DynCallback;
use crate::key::Key;
use crate::values::Type;
use crate::worker::{
    AnyWorker, Cost, Dealing, From, Mapping, Origin, Param, Placement, Retry, WorkerOptions,
};

/// A worker's place in its run; small, dense, never reused while the worker may still be running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(u32);

impl WorkerId {
    /// Marks an edge that has been removed.
    pub(crate) const VACANT: Self = Self(u32::MAX);

    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a graph has fewer than 2^32 workers"))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What does not change about a worker once it is in a graph.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) key: Key,
    /// The name it is declared under, where it was placed by that.
    pub(crate) declared: Option<Key>,
    pub(crate) worker: AnyWorker,
    pub(crate) params: Box<[Param]>,
    /// How many of them can be filled by position.
    pub(crate) n_positional: usize,
    pub(crate) open: bool,
    pub(crate) context: bool,
    pub(crate) returns: Option<Type>,
    pub(crate) start: bool,
    pub(crate) output: bool,
    /// Whether there is more to running it than calling it: hooks, retries or a timeout.
    pub(crate) hooked: bool,
    pub(crate) mapping: Mapping,
    pub(crate) dealing: Dealing,
    pub(crate) placement: Placement,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
    pub(crate) callbacks: Box<[Arc<dyn DynCallback>]>,
    pub(crate) cost: Cost,
}

impl Spec {
    /// Brings what the worker says of itself together with what its options say.
    pub(crate) fn new(
        key: &Key,
        worker: AnyWorker,
        options: WorkerOptions,
        faults: &mut Vec<Fault>,
    ) -> Arc<Self> {
        let signature = worker.0.signature();
        let mut params = signature.params;
        if !options.params.is_empty() {
            if options.params.len() != params.len() {
                faults.push(Fault::ParamNames {
                    worker: key.clone(),
                    parameters: params.len(),
                    names: options.params.len(),
                });
            }
            for (param, name) in params.iter_mut().zip(options.params) {
                param.name = Some(name);
            }
        }
        for from in options.froms {
            match params.iter_mut().find(|param| param.name.as_ref() == Some(&from.param)) {
                Some(param) => {
                    param.origin = Origin::From { key: from.worker, default: from.default };
                }
                None => faults.push(Fault::UnknownParameter {
                    worker: key.clone(),
                    parameter: from.param.into_owned(),
                    from: from.worker,
                }),
            }
        }
        Arc::new(Self {
            key: key.clone(),
            declared: None,
            worker,
            n_positional: params
                .iter()
                .filter(|param| matches!(param.origin, Origin::Argument))
                .count(),
            params: params.into(),
            open: signature.open,
            context: signature.context,
            returns: signature.output,
            start: options.start,
            output: options.output,
            hooked: is_hooked(options.timeout, options.retry.as_ref(), &options.callbacks),
            mapping: options.mapping,
            dealing: options.dealing,
            placement: options.placement,
            timeout: options.timeout,
            retry: options.retry,
            callbacks: options.callbacks.into(),
            cost: Cost::default(),
        })
    }

    /// The same worker placed elsewhere in the graph. What was declared with the function holds
    /// (its parameters, its callbacks), and so do its timeout and retry unless set anew.
    pub(crate) fn placed(&self, name: Key, key: Key, options: WorkerOptions) -> Arc<Self> {
        let timeout = options.timeout.or(self.timeout);
        let retry = options.retry.or(self.retry);
        let callbacks: Box<_> = self.callbacks.iter().cloned().chain(options.callbacks).collect();
        Arc::new(Self {
            key,
            declared: Some(name),
            start: options.start,
            output: options.output,
            hooked: is_hooked(timeout, retry.as_ref(), &callbacks),
            mapping: options.mapping,
            dealing: options.dealing,
            timeout,
            retry,
            callbacks,
            ..self.clone()
        })
    }

    /// The same place in the graph taken by another worker.
    pub(crate) fn with_worker(&self, worker: AnyWorker) -> Arc<Self> {
        Arc::new(Self { worker, ..self.clone() })
    }

    /// The names of its parameters, where they are not those that the worker itself gives them.
    pub(super) fn own_names(&self) -> Vec<Cow<'static, str>> {
        let given = self.worker.0.signature().params;
        if self.params.iter().map(|param| &param.name).eq(given.iter().map(|param| &param.name)) {
            return Vec::new();
        }
        self.params.iter().filter_map(|param| param.name.clone()).collect()
    }

    /// The parameters that take another worker's last output.
    pub(super) fn froms(&self) -> Vec<From> {
        let from = |param: &Param| match &param.origin {
            Origin::Argument => None,
            Origin::From { key, default } => Some(From {
                param: param.name.clone()?,
                worker: key.clone(),
                default: default.clone(),
            }),
        };
        self.params.iter().filter_map(from).collect()
    }

    /// What this worker hands on to its successors: a unit output only orders.
    pub(crate) fn gives(&self) -> Gives {
        match self.dealing {
            _ if self.returns.is_some_and(Type::is_unit) => Gives::Nothing,
            Dealing::AsIs => Gives::Output,
            Dealing::InOrder => Gives::Element,
        }
    }

    /// The parameters that can be filled by position, with their place among all.
    pub(crate) fn positional(&self) -> impl Iterator<Item = (usize, &Param)> {
        self.params.iter().enumerate().filter(|(_, param)| matches!(param.origin, Origin::Argument))
    }

    /// What messages call the parameter at `place`: its name in backquotes, or its position.
    pub(crate) fn param_label(&self, place: usize) -> String {
        match &self.params[place].name {
            Some(name) => format!("`{name}`"),
            None => format!("#{}", place + 1),
        }
    }
}

fn is_hooked(
    timeout: Option<Duration>,
    retry: Option<&Retry>,
    callbacks: &[Arc<dyn DynCallback>],
) -> bool {
    timeout.is_some() || retry.is_some() || !callbacks.is_empty()
}

/// A worker with its edges.
#[derive(Clone)]
pub(crate) struct Node {
    /// Its place in the order in which workers were declared and added.
    pub(crate) since: u64,
    pub(crate) spec: Arc<Spec>,
    /// What it depends on, in the order declared; vacant where removed.
    pub(crate) dependencies: Vec<Dependency>,
    /// How many of them are not vacant.
    pub(crate) n_dependencies: u32,
    /// What depends on it, in the order declared; vacant where removed.
    pub(crate) successors: Vec<Successor>,
    /// How many of them are vacant.
    pub(crate) n_vacant: u32,
}

/// One end of an edge, at the worker that waits.
#[derive(Clone, Copy)]
pub(crate) struct Dependency {
    pub(crate) on: WorkerId,
    pub(crate) gives: Gives,
    /// The edge's place among `on`'s successors.
    pub(crate) place: u32,
}

/// What a dependency hands on along its edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Its output.
    Output,
    /// One element of its output.
    Element,
    /// Nothing: its output is `()`.
    Nothing,
}

/// The other end, at the worker that is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Successor {
    pub(crate) worker: WorkerId,
    /// The edge's place among `worker`'s dependencies.
    pub(crate) place: u32,
}

impl Node {
    pub(crate) fn new(spec: Arc<Spec>, since: u64) -> Self {
        Self {
            since,
            spec,
            dependencies: Vec::new(),
            n_dependencies: 0,
            successors: Vec::new(),
            n_vacant: 0,
        }
    }

    pub(crate) fn key(&self) -> &Key {
        &self.spec.key
    }

    pub(crate) fn live_dependencies(&self) -> impl Iterator<Item = (usize, WorkerId)> {
        self.dependencies
            .iter()
            .enumerate()
            .filter(|(_, dependency)| dependency.on != WorkerId::VACANT)
            .map(|(place, dependency)| (place, dependency.on))
    }

    pub(crate) fn live_successors(&self) -> impl Iterator<Item = Successor> {
        self.successors.iter().copied().filter(|successor| successor.worker != WorkerId::VACANT)
    }
}
