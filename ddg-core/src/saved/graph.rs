//! The run's changes of its graph as data: the delta from the declared graph.
//!
//! A worker that the run has added is resolved again by the name that it is declared under, by the
//! name of its registered type together with its configuration, or, if it is an automa, by its
//! content. Restoring applies the delta as one transaction of edits, with every check that edits go
//! through.

mod automa;
mod edit;
mod scope;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::automa::GrownAutoma;
pub(super) use self::edit::SavedEdit;
pub(super) use self::scope::Scope;
use super::SnapshotError;
use crate::automa::{Digest, Program};
use crate::graph::{Dealing, Edit, Mapping, Node, Origin, Param, View, Wiring};
use crate::key::Key;
use crate::worker::{AnyWorker, Body, Calling, From, Placement, Retry, Source, WorkerOptions};

/// The delta of a run's graph from the declared one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Grown {
    /// Declared workers that were removed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    removed: BTreeSet<Key>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    added: BTreeMap<Key, Added>,
    /// Declared workers with changed dependencies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rewired: BTreeMap<Key, Rewired>,
    /// Nested automata with changed graphs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    nested: BTreeMap<Key, Grown>,
}

/// A worker that is not declared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Added {
    /// Its position in the order in which workers were added.
    nth: u64,
    is: Is,
    /// The hash of its signature when it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    looks: Option<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<Key>,
    #[serde(default, skip_serializing_if = "is_default")]
    start: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    output: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    mapping: Mapping,
    #[serde(default, skip_serializing_if = "is_default")]
    dealing: Dealing,
    #[serde(default, skip_serializing_if = "is_default")]
    after_loops: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    after_nobody: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    placement: Placement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<Retry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    params: Vec<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    froms: Vec<From>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Cow<'static, str>>,
}

/// How a worker is resolved again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Is {
    /// Placed by the name that it is declared under.
    Declared(Key),
    /// The worker that is declared under this name, with options of its own.
    SameAs(Key),
    /// A worker of the type that is registered under this name.
    Registered { name: Key, config: serde_json::Value },
    /// An automa.
    Automa(Box<GrownAutoma>),
}

/// The changes of a declared worker's dependencies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rewired {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without: Vec<Key>,
    /// The dependencies that come after the declared ones, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    with: Vec<Key>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl View<Arc<Body>> {
    /// The run's changes.
    ///
    /// # Errors
    /// If an added worker cannot be resolved again.
    pub(super) fn grown(&self, scope: &Scope<'_>) -> Result<Grown, SnapshotError> {
        let mut grown = Grown::default();
        for (id, touched) in self.touched() {
            let declared = &self.base().nodes[id.index()];
            let key = declared.key().clone();
            let Some(node) = touched else {
                grown.removed.insert(key);
                continue;
            };
            if let Some(rewired) = self.rewired(declared, node) {
                grown.rewired.insert(key, rewired);
            }
            grown.note_nested(node, scope)?;
        }
        for (nth, node) in self.added() {
            let added = Added::of(nth, node, self, scope)?;
            if !matches!(added.is, Is::Automa(_)) {
                grown.note_nested(node, scope)?;
            }
            grown.added.insert(node.key().clone(), added);
        }
        Ok(grown)
    }

    /// The changes of a worker's dependencies. The longest prefix of the current ones that is in
    /// declared order counts as unchanged, and the rest as added.
    fn rewired(&self, declared: &Node<Arc<Body>>, node: &Node<Arc<Body>>) -> Option<Rewired> {
        let mut now = node.live_dependencies().map(|(_, on)| on).peekable();
        let mut rewired = Rewired::default();
        for (_, on) in declared.live_dependencies() {
            if now.next_if_eq(&on).is_none() && self.get(on).is_some() {
                rewired.without.push(self.node(on).key().clone());
            }
        }
        rewired.with = now.map(|on| self.node(on).key().clone()).collect();
        (!rewired.without.is_empty() || !rewired.with.is_empty()).then_some(rewired)
    }

    /// Applies the delta `grown`.
    ///
    /// # Errors
    /// If the delta does not fit the declared graph, or a worker cannot be resolved.
    pub(super) fn grow(
        &mut self,
        grown: &Grown,
        program: &Program,
        scope: &Scope<'_>,
        lenient: bool,
    ) -> Result<(), SnapshotError> {
        let edits = grown.edits(program, scope, lenient)?;
        self.apply(edits.into_iter().map(|edit| ((), edit)))
            .map_err(|((), source)| scope.misfit(source))?;
        let places = grown.added.iter().map(|(key, added)| (key, added.nth));
        self.set_places(places);
        Ok(())
    }
}

impl Grown {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { removed, added, rewired, nested } = self;
        removed.is_empty() && added.is_empty() && rewired.is_empty() && nested.is_empty()
    }

    /// The highest position of an added worker.
    pub(crate) fn latest(&self) -> u64 {
        self.added.values().map(|added| added.nth).max().unwrap_or_default()
    }

    /// The declared workers that the delta names.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &Key> {
        let named = self.removed.iter().chain(self.rewired.keys()).chain(self.nested.keys());
        named.filter(|key| !self.added.contains_key(key.as_str()))
    }

    /// Whether the delta concerns the worker `key`, or a worker declared under that name.
    pub(crate) fn knows(&self, key: &Key) -> bool {
        let is_named = |added: &Added| match &added.is {
            Is::Declared(name) | Is::SameAs(name) => name == key,
            Is::Registered { .. } | Is::Automa(_) => false,
        };
        self.added.contains_key(key)
            || self.declared().any(|declared| declared == key)
            || self.added.values().any(is_named)
    }

    fn note_nested(
        &mut self,
        node: &Node<Arc<Body>>,
        scope: &Scope<'_>,
    ) -> Result<(), SnapshotError> {
        let worker = &node.payload.worker;
        if let (Some(view), Some(program)) = (worker.0.view(), worker.program()) {
            let grown = view.grown(&scope.inner(node.key(), Some(&program))?)?;
            if !grown.is_empty() {
                self.nested.insert(node.key().clone(), grown);
            }
        }
        Ok(())
    }

    /// The edits that lead from the graph of `base` to this one.
    fn edits(
        &self,
        program: &Program,
        scope: &Scope<'_>,
        lenient: bool,
    ) -> Result<Vec<Edit<Arc<Body>>>, SnapshotError> {
        let base = &program.topology;
        let mut edits = Vec::new();
        let is_gone = |key: &Key| lenient && !base.index.contains_key(key);
        for key in self.removed.iter().filter(|key| !is_gone(key)) {
            edits.push(Edit::RemoveWorker { key: key.clone() });
        }
        let mut automata: BTreeMap<&Key, AnyWorker> = BTreeMap::new();
        let mut added: Vec<_> = self.added.iter().collect();
        added.sort_by_key(|(_, added)| added.nth);
        for (key, added) in added {
            let (source, worker) = added.source(key, scope, lenient)?;
            if self.nested.contains_key(key) {
                automata.insert(key, worker);
            }
            let payload = program.place(key, source, added.options(), |name| scope.declared(name));
            let dependencies = added.after.clone();
            edits.push(Edit::AddWorker { key: key.clone(), payload, dependencies });
        }
        for (worker, rewired) in &self.rewired {
            let declared = base.index.get(worker);
            let have = |on: &&Key| {
                let on = base.index.get(*on);
                declared.is_some_and(|id| {
                    let node = &base.nodes[id.index()];
                    node.live_dependencies().any(|(_, have)| Some(&have) == on)
                })
            };
            for on in rewired.without.iter().filter(|on| !lenient || have(on)) {
                let (worker, dependency) = (worker.clone(), on.clone());
                edits.push(Edit::RemoveDependency { worker, dependency });
            }
            for on in &rewired.with {
                let (worker, dependency) = (worker.clone(), on.clone());
                edits.push(Edit::AddDependency { worker, dependency });
            }
        }
        for (key, grown) in &self.nested {
            let declared = || Some(&base.nodes[base.index.get(key)?.index()].payload.worker);
            let Some(worker) = automata.get(key).or_else(declared) else {
                return Err(scope.unknown(key));
            };
            let Some(inner) = worker.program() else { return Err(scope.unknown(key)) };
            let inner_edits = grown.edits(&inner, &scope.inner(key, Some(&inner))?, lenient)?;
            edits.extend(
                inner_edits
                    .into_iter()
                    .map(|edit| Edit::Nested { key: key.clone(), edit: Box::new(edit) }),
            );
        }
        Ok(edits)
    }

    /// Renames the worker or the declaration `old` to `new`.
    pub(crate) fn rename(&mut self, old: &Key, new: &Key) {
        let follow = |key: &mut Key| {
            if key == old {
                *key = new.clone();
            }
        };
        if self.removed.remove(old) {
            self.removed.insert(new.clone());
        }
        let added = self.added.remove(old);
        let is_declared = added.is_none();
        if let Some(added) = added {
            self.added.insert(new.clone(), added);
        }
        if let Some(rewired) = self.rewired.remove(old) {
            self.rewired.insert(new.clone(), rewired);
        }
        if let Some(nested) = self.nested.remove(old) {
            self.nested.insert(new.clone(), nested);
        }
        for added in self.added.values_mut() {
            added.after.iter_mut().for_each(follow);
            added.froms.iter_mut().for_each(|from| follow(&mut from.worker));
            if let Is::Declared(name) | Is::SameAs(name) = &mut added.is
                && is_declared
            {
                follow(name);
            }
        }
        for rewired in self.rewired.values_mut() {
            rewired.without.iter_mut().chain(&mut rewired.with).for_each(follow);
        }
    }

    /// Removes everything about the worker `key`.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.removed.remove(key);
        self.added.remove(key);
        self.rewired.remove(key);
        self.nested.remove(key);
        for added in self.added.values_mut() {
            added.after.retain(|on| on != key);
        }
        for rewired in self.rewired.values_mut() {
            rewired.without.retain(|on| on != key);
            rewired.with.retain(|on| on != key);
        }
        self.rewired.retain(|_, rewired| !rewired.without.is_empty() || !rewired.with.is_empty());
    }
}

impl Added {
    fn of(
        nth: u64,
        node: &Node<Arc<Body>>,
        view: &View<Arc<Body>>,
        scope: &Scope<'_>,
    ) -> Result<Self, SnapshotError> {
        let after = node.live_dependencies().map(|(_, on)| view.node(on).key().clone());
        Self::of_body(nth, &node.payload, after.collect(), scope)
    }

    fn of_body(
        nth: u64,
        body: &Body,
        after: Vec<Key>,
        scope: &Scope<'_>,
    ) -> Result<Self, SnapshotError> {
        let is = scope.find(body)?;
        let looks = scope.looks(&is, &body.worker);
        let placed = matches!(is, Is::Declared(_));
        for default in body.role.params.iter().filter_map(|param| match &param.origin {
            Origin::From { default, .. } if !placed => default.as_ref(),
            _ => None,
        }) {
            default.written().map_err(|source| {
                scope.not_writable(&body.role.key, "the default of a parameter", source)
            })?;
        }
        let Wiring { start, output, mapping, dealing, after_loops, after_nobody } =
            body.role.wiring;
        let Calling { placement, timeout, retry } = body.calling;
        Ok(Self {
            nth,
            looks,
            after,
            start,
            output,
            mapping,
            dealing,
            after_loops,
            after_nobody,
            // Options that belong to the declaration come from the declaration again.
            placement: if placed { Placement::default() } else { placement },
            timeout,
            retry,
            params: if placed { Vec::new() } else { own_names(body) },
            froms: if placed { Vec::new() } else { froms(body) },
            inputs: if placed { Vec::new() } else { inputs(body) },
            is,
        })
    }

    /// The options that the worker was added with, without its dependencies.
    fn options(&self) -> WorkerOptions {
        let Self { start, output, mapping, dealing, after_loops, after_nobody, .. } = *self;
        let Self { placement, timeout, retry, .. } = *self;
        WorkerOptions {
            dependencies: Vec::new(),
            wiring: Wiring { start, output, mapping, dealing, after_loops, after_nobody },
            calling: Calling { placement, timeout, retry },
            params: self.params.clone(),
            froms: self.froms.clone(),
            inputs: self.inputs.clone(),
            callbacks: Vec::new(),
        }
    }

    /// The worker, and the placement for the edit that adds it.
    fn source(
        &self,
        key: &Key,
        scope: &Scope<'_>,
        lenient: bool,
    ) -> Result<(Source, AnyWorker), SnapshotError> {
        let worker = scope.get(key, &self.is)?;
        if let Some(looked) = self.looks
            && !lenient
            && scope.looks(&self.is, &worker).is_some_and(|looks| looks != looked)
        {
            return Err(scope.looks_different(key, &self.is, &worker));
        }
        Ok(match &self.is {
            Is::Declared(name) => (Source::Declared(name.clone()), worker),
            Is::SameAs(_) | Is::Registered { .. } | Is::Automa(_) => {
                (Source::Here(worker.clone()), worker)
            }
        })
    }
}

/// The names of a worker's parameters, if they differ from the worker's own.
fn own_names(body: &Body) -> Vec<Cow<'static, str>> {
    let given = body.worker.0.signature().params;
    let params = &body.role.params;
    if params.iter().map(|param| &param.name).eq(given.iter().map(|param| &param.name)) {
        return Vec::new();
    }
    params.iter().filter_map(|param| param.name.clone()).collect()
}

/// The parameters of a worker that only run inputs fill.
fn inputs(body: &Body) -> Vec<Cow<'static, str>> {
    let inputs = body.role.params.iter().filter(|param| matches!(param.origin, Origin::Input));
    inputs.filter_map(|param| param.name.clone()).collect()
}

/// The parameters of a worker that take another worker's last output.
fn froms(body: &Body) -> Vec<From> {
    let from = |param: &Param| match &param.origin {
        Origin::Argument | Origin::Input => None,
        Origin::From { key, default } => {
            Some(From { param: param.name.clone()?, worker: key.clone(), default: default.clone() })
        }
    };
    body.role.params.iter().filter_map(from).collect()
}
