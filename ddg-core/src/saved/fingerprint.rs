//! What a declaration looked like, in a few bytes: enough to tell later what has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Difference;
use super::digest::{Digest, Hasher};
use crate::automa::Program;
use crate::graph::{Dealing, Mapping, Node, Origin, Topology, WorkerId};
use crate::key::Key;
use crate::worker::{AnyWorker, Body, Signature};

/// Up to so many declared workers are all marked, so that every difference can be named. Of more,
/// those are that the run has reached: a fingerprint does not grow with the graph.
const ALL_MARKED: usize = 64;

/// What a declaration looked like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    whole: Digest,
    n_workers: usize,
    marks: BTreeMap<Key, Mark>,
}

/// What one declared worker looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Mark {
    dependencies: Digest,
    signature: Digest,
    options: Digest,
}

/// What a graph is compared by, made when it is first needed.
pub(crate) struct Marks {
    whole: Digest,
    by_worker: Vec<Mark>,
    /// The names of declared workers, by the address of what they are.
    names: FxHashMap<usize, Key>,
}

impl Program {
    /// What it looks like, with marks of the workers `reached` where there are many.
    pub(crate) fn fingerprint<'a>(&self, reached: impl Iterator<Item = &'a Key>) -> Fingerprint {
        let marks = self.marks();
        let mark = |key: &Key| Some(marks.by_worker[self.topology.index.get(key)?.index()]);
        let marked = if self.topology.nodes.len() <= ALL_MARKED {
            let keys = self.topology.nodes.iter().map(|node| node.key().clone());
            keys.zip(marks.by_worker.iter().copied()).collect()
        } else {
            reached.filter_map(|key| Some((key.clone(), mark(key)?))).collect()
        };
        Fingerprint { whole: marks.whole, n_workers: self.topology.nodes.len(), marks: marked }
    }

    /// The name under which `worker` is declared.
    pub(super) fn name_of(&self, worker: &AnyWorker) -> Option<&Key> {
        self.marks().names.get(&address(worker))
    }

    /// What the worker declared as `name` looks like, from outside.
    pub(super) fn digest_of(&self, name: &Key) -> Option<Digest> {
        Some(digest_of_body(self.declared(name)?))
    }

    fn marks(&self) -> &Marks {
        if let Some(marks) = self.marks.get() {
            return marks;
        }
        // From the inside out, so that automata nested to any depth make no deep recursion.
        let mut unmarked: Vec<_> = self.unmarked().collect();
        while let Some(inner) = unmarked.last() {
            let deeper: Vec<_> = inner.unmarked().collect();
            if deeper.is_empty() {
                inner.marks.get_or_init(|| Marks::of(inner));
                unmarked.pop();
            } else {
                unmarked.extend(deeper);
            }
        }
        self.marks.get_or_init(|| Marks::of(self))
    }

    /// The automata in it that have no marks yet.
    fn unmarked(&self) -> impl Iterator<Item = Arc<Self>> {
        let bodies = self.topology.nodes.iter().map(|node| &node.payload);
        let bodies = bodies.chain(self.registry.iter().map(|(_, body)| body));
        let inner = bodies.filter_map(|body| body.worker.program());
        inner.filter(|inner| inner.marks.get().is_none())
    }
}

impl Marks {
    fn of(program: &Program) -> Self {
        let topology = &program.topology;
        let mut whole = Hasher::new();
        let by_worker = topology.nodes.iter().map(|node| {
            let mark = Mark::of(node, |on| topology.nodes[on.index()].key());
            whole.text(node.key().as_str());
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

/// Where what the worker is lies in memory.
fn address(worker: &AnyWorker) -> usize {
    Arc::as_ptr(&worker.origin().0).addr()
}

impl Mark {
    fn of<'a>(node: &'a Node<Arc<Body>>, key: impl Fn(WorkerId) -> &'a Key) -> Self {
        let mut dependencies = Hasher::new();
        for (_, on) in node.live_dependencies() {
            dependencies.text(key(on).as_str());
        }
        let body = &node.payload;
        let wiring = body.role.wiring;
        let mut options = Hasher::new();
        options.number(u64::from(wiring.start) + 2 * u64::from(wiring.output));
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
            dependencies: dependencies.end(),
            signature: digest_of_body(body),
            options: options.end(),
        }
    }
}

/// What `worker` looks like by itself, whatever the options with which it is placed.
pub(super) fn digest_of_worker(worker: &AnyWorker) -> Digest {
    let Signature { params, output, open, .. } = worker.0.signature();
    let params = params.iter().map(|param| (param.name.as_deref(), param.ty.to_string(), None));
    digest(params, output.map(|ty| ty.to_string()), open, worker)
}

fn digest_of_body(body: &Body) -> Digest {
    let params = body.role.params.iter().map(|param| {
        let from = match &param.origin {
            Origin::Argument => None,
            Origin::From { key, default } => Some((key.as_str(), default.is_some())),
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

impl Fingerprint {
    /// The declared workers that it knows by name.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.marks.keys()
    }

    /// What is declared in another way in `topology`.
    pub(crate) fn differences(&self, program: &Program) -> Vec<Difference> {
        let (now, topology) = (program.marks(), &program.topology);
        if self.whole == now.whole {
            return Vec::new();
        }
        let mut differences = Vec::new();
        for (key, mark) in &self.marks {
            match topology.index.get(key) {
                None => differences.push(Difference::Gone { worker: key.clone() }),
                Some(id) => {
                    mark.compare(now.by_worker[id.index()], *id, topology, &mut differences);
                }
            }
        }
        let all_marked = self.marks.len() == self.n_workers;
        if all_marked {
            let new = topology.nodes.iter().map(Node::key);
            let new = new.filter(|key| !self.marks.contains_key(key.as_str()));
            differences.extend(new.map(|key| Difference::New { worker: key.clone() }));
        }
        if differences.is_empty() {
            let (then, now) = (self.n_workers, topology.nodes.len());
            differences.push(match all_marked {
                true => Difference::Order,
                false => Difference::Unreached { then, now },
            });
        }
        differences
    }

    /// Follows the worker `old` to its key `new`.
    pub(crate) fn rename(&mut self, old: &Key, new: &Key) {
        if let Some(mark) = self.marks.remove(old) {
            self.marks.insert(new.clone(), mark);
        }
    }
}

impl Mark {
    fn compare(
        self,
        now: Self,
        id: WorkerId,
        topology: &Topology<Arc<Body>>,
        differences: &mut Vec<Difference>,
    ) {
        let node = &topology.nodes[id.index()];
        let worker = node.key().clone();
        if self.dependencies != now.dependencies {
            let key = |(_, on): (usize, WorkerId)| topology.nodes[on.index()].key().clone();
            let now = node.live_dependencies().map(key).collect();
            differences.push(Difference::Dependencies { worker: worker.clone(), now });
        }
        if self.signature != now.signature {
            let now = signature_of(&node.payload);
            differences.push(Difference::Signature { worker: worker.clone(), now });
        }
        if self.options != now.options {
            differences.push(Difference::Options { worker });
        }
    }
}

/// What a worker takes and gives, for messages.
pub(super) fn signature_of(body: &Body) -> String {
    if body.worker.0.automa().is_some() {
        return "an automa that is declared in another way".to_owned();
    }
    let params = body.role.params.iter().map(|param| match &param.name {
        Some(name) => format!("{name}: {}", param.ty),
        None => param.ty.to_string(),
    });
    let params: Vec<_> = params.collect();
    let params = if body.role.open { "..".to_owned() } else { params.join(", ") };
    match body.role.returns {
        Some(returns) => format!("`({params}) -> {returns}`"),
        None => format!("`({params})`"),
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        let parts = [mark.dependencies, mark.signature, mark.options].map(Self::from);
        parts.join("-")
    }
}

impl TryFrom<String> for Mark {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = text.split('-').map(|part| Digest::try_from(part.to_owned()));
        let mut next = || parts.next().unwrap_or_else(|| Err(format!("`{text}` is no mark")));
        Ok(Self { dependencies: next()?, signature: next()?, options: next()? })
    }
}
