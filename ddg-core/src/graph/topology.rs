//! Compiles declared workers into a graph: resolves keys to ids and finds every fault.

use std::sync::Arc;

use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::{FxHashMap, FxHashSet};

use super::error::some_keys;
use super::node::{Dependency, Gives, Payload, Successor};
use super::{Dealing, Fault, Groups, Mapping, Node, Role, WorkerId};
use crate::key::Key;

/// A validated graph. It is shared by all runs and never changes.
pub(crate) struct Topology<P> {
    /// The name of the automa.
    pub(crate) automa: Arc<str>,
    pub(crate) nodes: Vec<Node<P>>,
    /// For each worker, a bit for each of its dependencies; 0 for one that waits for the end of
    /// loops. It is read once per edge, so it is kept densely.
    pub(super) masks: Vec<u64>,
    /// The workers that wait for the end of loops.
    pub(super) after_loops: Vec<WorkerId>,
    pub(crate) index: FxHashMap<Key, WorkerId>,
    /// The rank of each worker, which is greater than those of its dependencies.
    pub(crate) ranks: Vec<u32>,
    /// The workers of the first step.
    pub(crate) starts: Vec<WorkerId>,
    /// Workers with the same dependencies.
    pub(crate) groups: Arc<Groups>,
}

/// A declared worker, whose dependencies may not exist.
pub(crate) struct Declared<'a, P> {
    pub(crate) payload: &'a P,
    pub(crate) dependencies: &'a [Key],
}

impl<P: Payload> Topology<P> {
    /// Compiles `declared`, whose keys are unique. Adds to `faults` first those of edges, then
    /// cycles, then arguments. With faults, the graph must not be run.
    pub(crate) fn compile<'a>(
        automa: Arc<str>,
        declared: impl Iterator<Item = Declared<'a, P>> + Clone,
        faults: &mut Vec<Fault>,
    ) -> Self
    where
        P: 'a,
    {
        let mut nodes: Vec<Node<P>> = declared
            .clone()
            .zip(0..)
            .map(|(declared, since)| Node::new(declared.payload.clone(), since))
            .collect();
        let index: FxHashMap<Key, WorkerId> =
            nodes.iter().map(|node| node.key().clone()).zip((0..).map(WorkerId::new)).collect();
        for (place, declared) in declared.enumerate() {
            resolve(place, declared.dependencies, &index, &mut nodes, faults);
        }
        let ranks = rank(&nodes, faults);
        for node in &nodes {
            let dependencies = node.dependencies.iter().map(|edge| &nodes[edge.on.index()]);
            check_arguments(node.role(), dependencies, faults);
        }
        let is_first = |id: &WorkerId| nodes[id.index()].is_first();
        let is_after_loops = |id: &WorkerId| nodes[id.index()].role().wiring.after_loops;
        let mask = |node: &Node<P>| match node.role().wiring.after_loops {
            true => 0,
            false => all_of(node.n_dependencies),
        };
        let masks: Vec<_> = nodes.iter().map(mask).collect();
        Self {
            automa,
            starts: (0..nodes.len()).map(WorkerId::new).filter(is_first).collect(),
            after_loops: (0..nodes.len()).map(WorkerId::new).filter(is_after_loops).collect(),
            groups: Arc::new(Groups::of(&nodes, &masks)),
            masks,
            nodes,
            index,
            ranks,
        }
    }

    /// The declared worker `key`.
    pub(crate) fn find(&self, key: &str) -> Option<&Node<P>> {
        Some(&self.nodes[self.index.get(key)?.index()])
    }
}

/// Number of dependencies that a mask has bits for.
pub(crate) const NARROW: u32 = 62;

/// The mask of `n` dependencies; 0 if a mask has no bits for as many.
fn all_of(n: u32) -> u64 {
    if n > NARROW { 0 } else { (1 << n) - 1 }
}

/// Resolves the dependencies of a worker from keys to edges.
fn resolve<P: Payload>(
    place: usize,
    dependencies: &[Key],
    index: &FxHashMap<Key, WorkerId>,
    nodes: &mut [Node<P>],
    faults: &mut Vec<Fault>,
) {
    let mut seen = FxHashSet::default();
    let key = |nodes: &[Node<P>]| nodes[place].key().clone();
    for dependency in dependencies {
        let Some(on) = index.get(dependency).copied() else {
            faults.push(Fault::UnknownDependency {
                worker: key(nodes),
                dependency: dependency.clone(),
                known: some_keys(dependency, nodes.iter().map(Node::key)),
            });
            continue;
        };
        if on.index() == place {
            faults.push(Fault::SelfDependency { worker: key(nodes) });
            continue;
        }
        // Nearly all workers have a handful of dependencies, and comparing these is cheaper than
        // hashing.
        let duplicate = match dependencies.len() {
            0..=8 => nodes[place].dependencies.iter().any(|have| have.on == on),
            _ => !seen.insert(on),
        };
        if duplicate {
            faults.push(Fault::DuplicateDependency {
                worker: key(nodes),
                dependency: dependency.clone(),
            });
            continue;
        }
        let first = &nodes[on.index()];
        let (gives, at) = (first.role().gives(), first.successors.len() as u32);
        let node = &mut nodes[place];
        let edge = node.n_dependencies;
        node.dependencies.push(Dependency { on, gives, place: at });
        node.n_dependencies += 1;
        nodes[on.index()].successors.push(Successor { worker: WorkerId::new(place), place: edge });
    }
}

/// Ranks the workers so that each comes after its dependencies, or finds the cycles.
fn rank<P: Payload>(nodes: &[Node<P>], faults: &mut Vec<Fault>) -> Vec<u32> {
    let forward =
        |node: (usize, &Node<P>)| node.1.dependencies.iter().all(|edge| edge.on.index() < node.0);
    if nodes.iter().enumerate().all(forward) {
        // Fast path: most graphs declare each worker after its dependencies.
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
            // The error lists cycles in declared order.
            cycles.sort_unstable();
            faults.extend(cycles.into_iter().map(|cycle| Fault::Cycle {
                keys: cycle.into_iter().map(|place| nodes[place].key().clone()).collect(),
            }));
            Vec::new()
        }
    }
}

/// A cycle in a strongly connected component, starting with the worker on it that was declared
/// first.
fn cycle<P>(nodes: &[Node<P>], component: &[NodeIndex<u32>]) -> Vec<usize> {
    let members: FxHashSet<usize> = component.iter().map(|node| node.index()).collect();
    let first = *members.iter().min().expect("a component has members");
    // Walks back along dependencies in the component until a worker comes twice.
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

/// Checks that the outputs of the dependencies fit the parameters, if their types are known.
pub(super) fn check_arguments<'a, P: Payload + 'a>(
    role: &Role,
    dependencies: impl Iterator<Item = &'a Node<P>>,
    faults: &mut Vec<Fault>,
) {
    let key = &role.key;
    let mut given = Vec::new();
    match role.wiring.mapping {
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
        Mapping::AsIs if role.open => return,
        Mapping::AsIs => {
            given.extend(dependencies.filter(|node| node.role().gives() != Gives::Nothing));
        }
    }
    let n_parameters = role.positional().count();
    if given.len() > n_parameters {
        faults.push(Fault::TooManyDependencies {
            worker: key.clone(),
            dependencies: given.len(),
            parameters: n_parameters,
        });
        return;
    }
    for ((place, param), node) in role.positional().zip(given) {
        let Some(found) = node.role().returns else {
            continue;
        };
        if node.role().wiring.dealing == Dealing::AsIs && !param.ty.accepts(found) {
            faults.push(Fault::TypeMismatch {
                worker: key.clone(),
                parameter: role.param_label(place),
                dependency: node.key().clone(),
                expected: param.ty.to_string(),
                found: found.to_string(),
            });
        }
    }
}
