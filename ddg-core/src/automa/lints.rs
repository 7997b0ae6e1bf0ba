//! Finds declarations that are valid and may do something else than they seem to.

use std::sync::Arc;

use crate::graph::{Lint, Node, Topology};
use crate::worker::Body;

/// Maximum number of lints of an automa, so that a program with many automata costs little.
const MOST_LINTS: usize = 16;

/// The lints of an automa, and what the lints of an automa around it need.
#[derive(Default)]
pub(crate) struct Lints {
    /// The lints of the automa and of all automata nested in it.
    pub(crate) found: Vec<Lint>,
    /// The names of automata that may run without end: this one and those nested in it, except
    /// where an automa between has a limit.
    unlimited: Vec<Arc<str>>,
}

impl Lints {
    pub(super) fn of(topology: &Topology<Arc<Body>>, max_steps: Option<u64>) -> Self {
        let mut lints = Self::default();
        let mut may_ferry = false;
        for node in &topology.nodes {
            let Some(nested) = node.payload.worker.0.automa() else {
                may_ferry |= node.payload.context;
                continue;
            };
            let Ok(nested) = nested.compiled() else { continue };
            let more = MOST_LINTS.saturating_sub(lints.found.len());
            lints.found.extend(nested.lints.found.iter().take(more).cloned());
            match max_steps {
                Some(max_steps) => lints.limited(topology, max_steps, node, &nested.lints),
                None => lints.add_unlimited(&nested.lints.unlimited),
            }
        }
        if max_steps.is_none() && may_ferry {
            lints.add_unlimited(&[Arc::clone(&topology.automa)]);
        }
        lints
    }

    /// Adds those of an automa with a limit and of a nested one.
    fn limited(
        &mut self,
        topology: &Topology<Arc<Body>>,
        max_steps: u64,
        node: &Node<Arc<Body>>,
        nested: &Self,
    ) {
        // The largest limit is none, and says so.
        let unlimited = nested.unlimited.iter().filter(|_| max_steps < u64::MAX);
        let more = MOST_LINTS.saturating_sub(self.found.len());
        self.found.extend(unlimited.take(more).map(|unlimited| Lint::UnlimitedNested {
            automa: topology.automa.to_string(),
            max_steps,
            worker: node.key().to_string(),
            unlimited: unlimited.to_string(),
        }));
    }

    fn add_unlimited(&mut self, names: &[Arc<str>]) {
        for name in names {
            if self.unlimited.len() < MOST_LINTS && !self.unlimited.contains(name) {
                self.unlimited.push(Arc::clone(name));
            }
        }
    }
}
