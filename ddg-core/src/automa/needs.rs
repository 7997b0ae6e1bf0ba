//! Inputs that a run needs, as far as the declared graph shows.

use std::sync::Arc;

use super::Program;
use crate::args::{Named, find};
use crate::graph::{Gives, Mapping, Node, Origin, Topology, WorkerId};
use crate::run::InputFault;
use crate::values::ValueType;
use crate::worker::Body;

/// A parameter that only an input of the run can fill.
#[derive(Clone)]
pub(crate) struct Need {
    /// The key of its worker, with the keys of the automata around it.
    worker: String,
    label: String,
    name: Option<String>,
    ty: ValueType,
    is_optional: bool,
    /// Whether it is declared as an input. Otherwise it follows from a graph that cannot change.
    is_declared: bool,
}

impl Program {
    /// Checks the inputs of a run. Of several inputs with one name, the first counts.
    pub(crate) fn input_faults(&self, inputs: &[&Named]) -> Vec<InputFault> {
        let fault = |need: &Need| need.fault(inputs);
        self.needs.iter().filter_map(fault).collect()
    }
}

impl Need {
    fn fault(&self, inputs: &[&Named]) -> Option<InputFault> {
        let name = self.name.as_deref();
        let given = name.and_then(|name| inputs.iter().find_map(|named| find(named, name)));
        let r#source = match given {
            Some(value) => Some(self.ty.adopt(value.clone()).err()?),
            None if self.is_optional => return None,
            None => None,
        };
        Some(InputFault {
            worker: self.worker.clone(),
            parameter: self.label.clone(),
            name: self.name.clone(),
            expected: self.ty.to_string(),
            mismatch: r#source,
        })
    }
}

/// Finds the needs of the workers of `topology`.
pub(super) fn needs(topology: &Topology<Arc<Body>>) -> Vec<Need> {
    let nodes = &topology.nodes;
    let is_nested = |node: &Node<Arc<Body>>| node.payload.worker.0.automa().is_some();
    // A worker with a context may ferry or edit the graph.
    let is_static = nodes.iter().all(|node| !node.payload.context || is_nested(node));
    let runs = if is_static { reached(topology) } else { Vec::new() };
    let mut needs = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        let runs = runs.get(place).copied().unwrap_or_default();
        match node.payload.worker.0.automa() {
            None => of_worker(node, nodes, runs, &mut needs),
            Some(nested) if is_called_without_names(node) => {
                let Ok(nested) = nested.compiled() else { continue };
                let needed = nested.needs.iter().filter(|need| need.is_declared || runs);
                needs.extend(needed.map(|need| Need {
                    worker: format!("{}/{}", node.key(), need.worker),
                    ..need.clone()
                }));
            }
            Some(_) => {}
        }
    }
    needs
}

/// Whether a nested automa gets no named arguments except the inputs of the outer run.
fn is_called_without_names(node: &Node<Arc<Body>>) -> bool {
    let wiring = node.role().wiring;
    wiring.mapping != Mapping::Unpack && (node.is_first() || node.n_dependencies > 0)
}

fn of_worker(node: &Node<Arc<Body>>, nodes: &[Node<Arc<Body>>], runs: bool, needs: &mut Vec<Need>) {
    let role = node.role();
    let mut push = |place: usize, is_declared: bool| {
        let param = &role.params[place];
        needs.push(Need {
            worker: node.key().to_string(),
            label: role.param_label(place),
            name: param.name.as_deref().map(str::to_owned),
            ty: param.ty,
            is_optional: param.ty.missing().is_some(),
            is_declared,
        });
    };
    for (place, param) in role.params.iter().enumerate() {
        if matches!(param.origin, Origin::Input) {
            push(place, true);
        }
    }
    // Missing arguments of a start worker are found when the first step is bound, before anything
    // runs.
    if !runs || role.open || node.n_dependencies == 0 {
        return;
    }
    let gives = |on: &WorkerId| nodes[on.index()].role().gives() != Gives::Nothing;
    let n_given = match role.wiring.mapping {
        Mapping::AsIs => node.live_dependencies().filter(|(_, on)| gives(on)).count(),
        Mapping::Merge => 1,
        Mapping::Suppressed => 0,
        // The number of unpacked values is unknown.
        Mapping::Unpack => return,
    };
    role.positional().skip(n_given).for_each(|(place, _)| push(place, false));
}

/// The workers that certainly run if no worker ferries and the graph does not change.
fn reached(topology: &Topology<Arc<Body>>) -> Vec<bool> {
    let nodes = &topology.nodes;
    let mut by_rank: Vec<_> = (0..nodes.len()).collect();
    by_rank.sort_unstable_by_key(|place| topology.ranks.get(*place).copied());
    let mut reached = vec![false; nodes.len()];
    for place in by_rank {
        let node = &nodes[place];
        let all = node.live_dependencies().all(|(_, on)| reached[on.index()]);
        reached[place] = node.is_first() || node.n_dependencies > 0 && all;
    }
    reached
}
