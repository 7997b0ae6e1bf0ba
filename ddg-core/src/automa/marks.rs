//! Marks: hashes of a declaration that tell whether it has changed.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Digest, Hasher, Program};
use crate::graph::{Dealing, Mapping, Node, Origin, WorkerId};
use crate::key::Key;
use crate::worker::{AnyWorker, Body, Signature};

/// The hashes of one declared worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Mark {
    /// Its place in the order of the declaration.
    pub(crate) place: usize,
    pub(crate) dependencies: Digest,
    pub(crate) signature: Digest,
    pub(crate) options: Digest,
}

/// The hashes of a graph, computed when first needed.
pub(crate) struct Marks {
    pub(crate) whole: Digest,
    pub(crate) by_worker: Vec<Mark>,
    /// The names of declared workers, by the address of the worker.
    names: FxHashMap<usize, Key>,
}

impl Program {
    /// The name under which `worker` is declared.
    pub(crate) fn name_of(&self, worker: &AnyWorker) -> Option<&Key> {
        self.marks().names.get(&address(worker))
    }

    /// The hash of the signature of the worker declared as `name`.
    pub(crate) fn digest_of(&self, name: &Key) -> Option<Digest> {
        Some(digest_of_body(self.declared(name)?, |key| key))
    }

    /// The marks of the graph, computed on first use.
    pub(crate) fn marks(&self) -> &Marks {
        if let Some(marks) = self.marks.get() {
            return marks;
        }
        // Inner automata come first: computing them recursively could overflow the call stack.
        let mut unmarked: Vec<_> = self.unmarked().collect();
        while let Some(inner) = unmarked.last() {
            let deeper: Vec<_> = inner.unmarked().collect();
            if deeper.is_empty() {
                inner.marks.get_or_init(|| Marks::of(inner, |key| key));
                unmarked.pop();
            } else {
                unmarked.extend(deeper);
            }
        }
        self.marks.get_or_init(|| Marks::of(self, |key| key))
    }

    /// The same, with the workers called as they were when they were declared under other keys.
    pub(crate) fn marks_by<'a>(&'a self, called: impl Fn(&'a Key) -> &'a Key) -> Marks {
        // Those of the automata in it are worked out before.
        self.marks();
        Marks::of(self, called)
    }

    /// The automata inside that have no marks yet.
    fn unmarked(&self) -> impl Iterator<Item = Arc<Self>> {
        let bodies = self.topology.nodes.iter().map(|node| &node.payload);
        let bodies = bodies.chain(self.registry.iter().map(|(_, body)| body));
        let inner = bodies.filter_map(|body| body.worker.program());
        inner.filter(|inner| inner.marks.get().is_none())
    }
}

impl Marks {
    fn of<'a>(program: &'a Program, called: impl Fn(&'a Key) -> &'a Key) -> Self {
        let topology = &program.topology;
        let mut whole = Hasher::new();
        let by_worker = topology.nodes.iter().enumerate().map(|(place, node)| {
            let mark = Mark::of(place, node, |on| topology.nodes[on.index()].key(), &called);
            whole.text(called(node.key()).as_str());
            for part in [mark.dependencies, mark.signature, mark.options] {
                whole.digest(part);
            }
            mark
        });
        let by_worker = by_worker.collect();
        let nodes = topology.nodes.iter().map(|node| (node.key(), &node.payload));
        let named = nodes.chain(program.registry.iter());
        let names = named.map(|(name, body)| (address(&body.worker), name.clone())).collect();
        Self { whole: whole.end(), by_worker, names }
    }
}

/// The address of the worker, by which it is recognised.
fn address(worker: &AnyWorker) -> usize {
    Arc::as_ptr(&worker.origin().0).addr()
}

impl Mark {
    fn of<'a>(
        place: usize,
        node: &'a Node<Arc<Body>>,
        key: impl Fn(WorkerId) -> &'a Key,
        called: impl Fn(&'a Key) -> &'a Key,
    ) -> Self {
        let mut dependencies = Hasher::new();
        for (_, on) in node.live_dependencies() {
            dependencies.text(called(key(on)).as_str());
        }
        let body = &node.payload;
        let wiring = body.role.wiring;
        let mut options = Hasher::new();
        let flags = [wiring.start, wiring.output, wiring.after_loops, wiring.after_nobody];
        options.number(flags.iter().rev().fold(0, |bits, flag| 2 * bits + u64::from(*flag)));
        options.number(match wiring.mapping {
            Mapping::AsIs => 0,
            Mapping::Merge => 1,
            Mapping::Unpack => 2,
            Mapping::Suppressed => 3,
        });
        options.number(match wiring.dealing {
            Dealing::AsIs => 0,
            Dealing::InOrder => 1,
        });
        Self {
            place,
            dependencies: dependencies.end(),
            signature: digest_of_body(body, called),
            options: options.end(),
        }
    }
}

/// The hash of the signature of `worker` itself, without the options that it is placed with.
pub(crate) fn digest_of_worker(worker: &AnyWorker) -> Digest {
    let Signature { params, output, open, .. } = worker.0.signature();
    let params = params.iter().map(|param| (param.name.as_deref(), param.ty.to_string(), None));
    digest(params, output.map(|ty| ty.to_string()), open, worker)
}

fn digest_of_body<'a>(body: &'a Body, called: impl Fn(&'a Key) -> &'a Key) -> Digest {
    let params = body.role.params.iter().map(|param| {
        let from = match &param.origin {
            Origin::Argument => None,
            // No key is empty.
            Origin::Input => Some(("", false)),
            Origin::From { key, default } => Some((called(key).as_str(), default.is_some())),
        };
        (param.name.as_deref(), param.ty.to_string(), from)
    });
    digest(params, body.role.returns.map(|ty| ty.to_string()), body.role.open, &body.worker)
}

fn digest<'a>(
    params: impl Iterator<Item = (Option<&'a str>, String, Option<(&'a str, bool)>)>,
    returns: Option<String>,
    open: bool,
    worker: &AnyWorker,
) -> Digest {
    let mut signature = Hasher::new();
    for (name, ty, from) in params {
        signature.text(name.unwrap_or_default());
        signature.text(&ty);
        if let Some((key, has_default)) = from {
            signature.text(key);
            signature.number(has_default.into());
        }
    }
    signature.text(&returns.unwrap_or_default());
    signature.number(open.into());
    if let Some(inner) = worker.program() {
        signature.digest(inner.marks().whole);
    }
    signature.end()
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        let parts = [mark.dependencies, mark.signature, mark.options].map(Self::from);
        format!("{}-{}", mark.place, parts.join("-"))
    }
}

impl TryFrom<String> for Mark {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let no_mark = || format!("`{text}` is no mark");
        let (place, parts) = text.split_once('-').ok_or_else(no_mark)?;
        let place = place.parse().map_err(|_| no_mark())?;
        let mut parts = parts.split('-').map(|part| Digest::try_from(part.to_owned()));
        let mut next = || parts.next().unwrap_or_else(|| Err(no_mark()));
        Ok(Self { place, dependencies: next()?, signature: next()?, options: next()? })
    }
}
