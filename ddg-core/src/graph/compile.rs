//! From what was declared to what runs: keys become ids, and every fault is found.

use std::sync::{Arc, Mutex, OnceLock};

use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::{FxHashMap, FxHashSet};

use super::automa::{Declaration, Settings};
use super::error::some_keys;
use super::fingerprint::Marks;
use super::node::{Dependency, Gives, Successor};
use super::{BuildError, Catalogue, Fault, GraphAutoma, Node, Spec, WorkerId};
use crate::context::LocalSpaces;
use crate::key::Key;
use crate::worker::{Dealing, Mapping};

/// A validated graph, shared by all runs and never changed.
pub(crate) struct Topology {
    pub(crate) automa: Arc<str>,
    pub(crate) nodes: Vec<Node>,
    /// How many dependencies each worker has: what is looked at once per edge, close together.
    pub(super) n_dependencies: Vec<u32>,
    pub(crate) index: FxHashMap<Key, WorkerId>,
    /// Each worker's rank comes after those of its dependencies.
    pub(crate) ranks: Vec<u32>,
    pub(crate) starts: Vec<WorkerId>,
    pub(crate) inputs: Inputs,
    pub(crate) catalogue: Catalogue,
    pub(crate) settings: Settings,
    /// Local spaces that outlive a run, where they do.
    pub(crate) kept: Arc<Mutex<LocalSpaces>>,
    /// What snapshots are compared with.
    pub(super) marks: OnceLock<Marks>,
}

/// The names under which run inputs can reach somebody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) names: FxHashSet<String>,
    /// Somebody takes whatever there is.
    pub(crate) open: bool,
}

impl Topology {
    /// A worker to be placed again under another key.
    pub(crate) fn declared(&self, name: &Key) -> Option<&Spec> {
        self.catalogue
            .get(name)
            .or_else(|| Some(&self.nodes[self.index.get(name)?.index()].spec))
            .map(|spec| &**spec)
    }

    pub(super) fn compile(automa: &GraphAutoma) -> Result<Arc<Self>, BuildError> {
        let mut faults = Vec::new();
        let declarations = automa.declarations();
        let index: FxHashMap<Key, WorkerId> =
            declarations.keys().cloned().zip((0..).map(WorkerId::new)).collect();
        let mut nodes: Vec<Node> = declarations
            .values()
            .zip(0..)
            .map(|(declaration, since)| Node::new(Arc::clone(&declaration.spec), since))
            .collect();
        for (place, (key, declaration)) in declarations.iter().enumerate() {
            resolve(place, key, declaration, &index, &mut nodes, &mut faults);
        }
        let ranks = rank(&nodes, &mut faults);
        for node in &nodes {
            let dependencies = node.dependencies.iter().map(|edge| &nodes[edge.on.index()]);
            check_arguments(node.key(), &node.spec, dependencies, &mut faults);
        }
        let mut inputs = Inputs { names: automa.extra_inputs().clone(), open: false };
        for (key, spec) in
            nodes.iter().map(|node| (node.key(), &node.spec)).chain(automa.catalogue().iter())
        {
            inputs.collect(key, spec, &mut faults);
        }
        if !faults.is_empty() {
            return Err(BuildError { automa: automa.name().to_owned(), faults });
        }
        Ok(Arc::new(Self {
            automa: Arc::clone(automa.shared_name()),
            starts: (0..nodes.len())
                .map(WorkerId::new)
                .filter(|id| nodes[id.index()].spec.start)
                .collect(),
            n_dependencies: nodes.iter().map(|node| node.n_dependencies).collect(),
            nodes,
            index,
            ranks,
            inputs,
            catalogue: automa.catalogue().clone(),
            settings: automa.settings().clone(),
            kept: Arc::clone(automa.kept()),
            marks: OnceLock::new(),
        }))
    }
}

impl Inputs {
    fn collect(&mut self, key: &Key, spec: &Spec, faults: &mut Vec<Fault>) {
        for (_, param) in spec.positional() {
            self.names.extend(param.name.as_deref().map(str::to_owned));
        }
        let Some(nested) = spec.worker.0.automa() else {
            self.open |= spec.open;
            return;
        };
        match nested.compiled() {
            Ok(nested) => {
                self.names.extend(nested.inputs.names.iter().cloned());
                self.open |= nested.inputs.open;
            }
            Err(error) => faults.extend(
                error
                    .faults
                    .into_iter()
                    .map(|fault| Fault::Nested { key: key.clone(), fault: Box::new(fault) }),
            ),
        }
    }
}

/// Turns a worker's dependencies from keys into edges.
fn resolve(
    place: usize,
    key: &Key,
    declaration: &Declaration,
    index: &FxHashMap<Key, WorkerId>,
    nodes: &mut [Node],
    faults: &mut Vec<Fault>,
) {
    let mut seen = FxHashSet::default();
    for dependency in &declaration.dependencies {
        let Some(on) = index.get(dependency).copied() else {
            faults.push(Fault::UnknownDependency {
                worker: key.clone(),
                dependency: dependency.clone(),
                known: some_keys(dependency, nodes.iter().map(Node::key)),
            });
            continue;
        };
        if on.index() == place {
            faults.push(Fault::SelfDependency { worker: key.clone() });
            continue;
        }
        // Nearly all workers have a handful of dependencies; comparing them is cheaper than a set.
        let duplicate = match declaration.dependencies.len() {
            0..=8 => nodes[place].dependencies.iter().any(|have| have.on == on),
            _ => !seen.insert(on),
        };
        if duplicate {
            faults.push(Fault::DuplicateDependency {
                worker: key.clone(),
                dependency: dependency.clone(),
            });
            continue;
        }
        let first = &nodes[on.index()];
        let (gives, at) = (first.spec.gives(), first.successors.len() as u32);
        let node = &mut nodes[place];
        let edge = node.n_dependencies;
        node.dependencies.push(Dependency { on, gives, place: at });
        node.n_dependencies += 1;
        nodes[on.index()].successors.push(Successor { worker: WorkerId::new(place), place: edge });
    }
}

/// Ranks the workers so that each comes after its dependencies; finds the cycles where it cannot.
fn rank(nodes: &[Node], faults: &mut Vec<Fault>) -> Vec<u32> {
    let forward =
        |node: (usize, &Node)| node.1.dependencies.iter().all(|edge| edge.on.index() < node.0);
    if nodes.iter().enumerate().all(forward) {
        // Declared in an order that works; most graphs are.
        return (0..nodes.len() as u32).collect();
    }
    let n_edges = nodes.iter().map(|node| node.dependencies.len()).sum();
    let mut graph = DiGraph::<(), (), u32>::with_capacity(nodes.len(), n_edges);
    for _ in nodes {
        graph.add_node(());
    }
    for (place, node) in nodes.iter().enumerate() {
        for edge in &node.dependencies {
            graph.add_edge(NodeIndex::new(edge.on.index()), NodeIndex::new(place), ());
        }
    }
    match toposort(&graph, None) {
        Ok(sorted) => {
            let mut ranks = vec![0; nodes.len()];
            for (rank, node) in sorted.into_iter().enumerate() {
                ranks[node.index()] = rank as u32;
            }
            ranks
        }
        Err(_) => {
            let mut cycles: Vec<_> = kosaraju_scc(&graph)
                .into_iter()
                .filter(|component| component.len() > 1)
                .map(|component| cycle(nodes, &component))
                .collect();
            cycles.sort_unstable();
            faults.extend(cycles.into_iter().map(|cycle| Fault::Cycle {
                keys: cycle.into_iter().map(|place| nodes[place].key().clone()).collect(),
            }));
            Vec::new()
        }
    }
}

/// One cycle within a strongly connected component, beginning with the first-declared worker on it.
fn cycle(nodes: &[Node], component: &[NodeIndex<u32>]) -> Vec<usize> {
    let members: FxHashSet<usize> = component.iter().map(|node| node.index()).collect();
    let first = *members.iter().min().expect("a component has members");
    // Walk back along dependencies within the component until a worker comes twice.
    let mut walk = vec![first];
    let mut at = FxHashMap::from_iter([(first, 0)]);
    loop {
        let last = *walk.last().expect("the walk has begun");
        let back = nodes[last]
            .dependencies
            .iter()
            .map(|edge| edge.on.index())
            .find(|on| members.contains(on))
            .expect("within a component every worker has a dependency");
        if let Some(begin) = at.get(&back) {
            let mut cycle = walk.split_off(*begin);
            cycle.reverse();
            let first = cycle.iter().enumerate().min_by_key(|(_, place)| **place);
            let begin = first.map_or(0, |(begin, _)| begin);
            cycle.rotate_left(begin);
            return cycle;
        }
        at.insert(back, walk.len());
        walk.push(back);
    }
}

/// Whether what the dependencies give fits what the worker takes, where both are known.
pub(super) fn check_arguments<'a>(
    key: &Key,
    spec: &Spec,
    dependencies: impl Iterator<Item = &'a Node>,
    faults: &mut Vec<Fault>,
) {
    let mut given = Vec::new();
    match spec.mapping {
        Mapping::Suppressed | Mapping::Merge => return,
        Mapping::Unpack => {
            let n_dependencies = dependencies.count();
            if n_dependencies > 1 {
                faults.push(Fault::UnpackDependencies {
                    worker: key.clone(),
                    dependencies: n_dependencies,
                });
            }
            return;
        }
        Mapping::AsIs if spec.open => return,
        Mapping::AsIs => {
            given.extend(dependencies.filter(|node| node.spec.gives() != Gives::Nothing));
        }
    }
    let n_parameters = spec.positional().count();
    if given.len() > n_parameters {
        faults.push(Fault::TooManyDependencies {
            worker: key.clone(),
            dependencies: given.len(),
            parameters: n_parameters,
        });
        return;
    }
    for ((place, param), node) in spec.positional().zip(given) {
        let Some(found) = node.spec.returns else {
            continue;
        };
        if node.spec.dealing == Dealing::AsIs && !param.ty.accepts(found) {
            faults.push(Fault::TypeMismatch {
                worker: key.clone(),
                parameter: spec.param_label(place),
                dependency: node.key().clone(),
                expected: param.ty.to_string(),
                found: found.to_string(),
            });
        }
    }
}
