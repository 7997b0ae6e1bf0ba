//! Fingerprints: hashes of a declaration that tell later what has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::DeclarationDiff;
use crate::automa::{Digest, Mark, Program};
use crate::graph::{Node, Topology, WorkerId};
use crate::key::Key;
use crate::worker::Body;

/// Maximum number of declared workers that are all marked, so that every difference can be named.
/// In a larger graph only the workers that the run has reached are, so that a fingerprint does not
/// grow with the graph.
const ALL_MARKED: usize = 64;

/// The fingerprint of a declaration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    whole: Digest,
    n_workers: usize,
    marks: BTreeMap<Key, Mark>,
    /// Earlier keys of workers, by their current keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    renamed: BTreeMap<Key, Key>,
}

impl Program {
    /// The fingerprint of this declaration. In a large graph it has the marks of the workers
    /// `reached`.
    pub(crate) fn fingerprint<'a>(&self, reached: impl Iterator<Item = &'a Key>) -> Fingerprint {
        let marks = self.marks();
        let mark = |key: &Key| Some(marks.by_worker[self.topology.index.get(key)?.index()]);
        let marked = if self.topology.nodes.len() <= ALL_MARKED {
            let keys = self.topology.nodes.iter().map(|node| node.key().clone());
            keys.zip(marks.by_worker.iter().copied()).collect()
        } else {
            reached.filter_map(|key| Some((key.clone(), mark(key)?))).collect()
        };
        Fingerprint {
            whole: marks.whole,
            n_workers: self.topology.nodes.len(),
            marks: marked,
            renamed: BTreeMap::new(),
        }
    }

    /// A fingerprint to [join](Fingerprint::join) to an earlier one, when the run has reached more
    /// workers. `None` if all workers are marked from the beginning.
    pub(crate) fn marked<'a>(&self, reached: impl Iterator<Item = &'a Key>) -> Option<Fingerprint> {
        (self.topology.nodes.len() > ALL_MARKED).then(|| self.fingerprint(reached))
    }
}

impl Fingerprint {
    /// The declared workers that have marks.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.marks.keys()
    }

    /// The marks that `base` does not have.
    pub(super) fn marks_since<'a>(
        &'a self,
        base: &'a Self,
    ) -> impl Iterator<Item = (&'a Key, &'a Mark)> {
        self.marks.iter().filter(|(key, mark)| base.marks.get(key.as_str()) != Some(mark))
    }

    /// Adds the marks of a later fingerprint of the same declaration.
    pub(super) fn join(&mut self, later: Self) {
        self.marks.extend(later.marks);
    }

    /// The differences between this declaration and that of `program`.
    pub(crate) fn differences(&self, program: &Program) -> Vec<DeclarationDiff> {
        let renamed;
        let now = match self.renamed.is_empty() {
            true => program.marks(),
            false => {
                renamed = program.marks_by(|key| self.renamed.get(key).unwrap_or(key));
                &renamed
            }
        };
        let topology = &program.topology;
        if self.whole == now.whole {
            return Vec::new();
        }
        let mut differences = Vec::new();
        for (key, mark) in &self.marks {
            match topology.index.get(key) {
                None => differences.push(DeclarationDiff::Gone { worker: key.clone() }),
                Some(id) => {
                    compare(*mark, now.by_worker[id.index()], *id, topology, &mut differences);
                }
            }
        }
        let all_marked = self.marks.len() == self.n_workers;
        if all_marked {
            let new = topology.nodes.iter().map(Node::key);
            let new = new.filter(|key| !self.marks.contains_key(key.as_str()));
            differences.extend(new.map(|key| DeclarationDiff::New { worker: key.clone() }));
        }
        if !differences.is_empty() {
            return differences;
        }
        let (then, now) = (self.n_workers, topology.nodes.len());
        match all_marked {
            true if self.is_in_order(topology) => Vec::new(),
            true => vec![DeclarationDiff::Order],
            false => vec![DeclarationDiff::Unreached { then, now }],
        }
    }

    /// Whether the workers that were not renamed are declared in the same order as before.
    fn is_in_order(&self, topology: &Topology<Arc<Body>>) -> bool {
        let kept = topology.nodes.iter().map(Node::key);
        let kept = kept.filter(|key| !self.renamed.contains_key(key.as_str()));
        let places = kept.filter_map(|key| Some(self.marks.get(key)?.place));
        places.is_sorted()
    }

    /// Renames the worker `old` to `new`.
    pub(crate) fn rename(&mut self, old: &Key, new: &Key) {
        if let Some(mark) = self.marks.remove(old) {
            self.marks.insert(new.clone(), mark);
            let first = self.renamed.remove(old).unwrap_or_else(|| old.clone());
            self.renamed.insert(new.clone(), first);
        }
    }
}

/// Adds the differences of one worker.
fn compare(
    then: Mark,
    now: Mark,
    id: WorkerId,
    topology: &Topology<Arc<Body>>,
    differences: &mut Vec<DeclarationDiff>,
) {
    let node = &topology.nodes[id.index()];
    let worker = node.key().clone();
    if then.dependencies != now.dependencies {
        let key = |(_, on): (usize, WorkerId)| topology.nodes[on.index()].key().clone();
        let now = node.live_dependencies().map(key).collect();
        differences.push(DeclarationDiff::Dependencies { worker: worker.clone(), now });
    }
    if then.signature != now.signature {
        let now = signature_of(&node.payload);
        differences.push(DeclarationDiff::Signature { worker: worker.clone(), now });
    }
    if then.options != now.options {
        differences.push(DeclarationDiff::Options { worker });
    }
}

/// The signature of a worker, for messages.
pub(super) fn signature_of(body: &Body) -> String {
    if body.worker.0.automa().is_some() {
        return "an automa that is declared differently".to_owned();
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
