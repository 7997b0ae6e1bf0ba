//! What a run may do that is not declared as a dependency: workers that only a ferry reaches, and
//! those that are placed at run time.
//!
//! Who ferries where is decided in the body of a worker. What is known is who could: a worker that
//! takes the [`Context`](crate::Context).

use super::picture::{Edge, EdgeKind, NodeIdx, Picture, Standing};

/// How many arrows of what may happen are drawn in an automa; more would hide what does happen.
const MOST_ARROWS: usize = 12;

impl Picture {
    /// An arrow from each declared worker that takes the context to each that waits for somebody to
    /// ferry to it or to place it; if those are too many, it is written on the targets.
    pub(super) fn add_possible(&mut self) {
        let mut begun = vec![false; self.nodes.len()];
        for edge in &self.edges {
            begun[edge.to] |= edge.from != edge.to;
        }
        let (outermost, children) = self.children();
        for workers in [outermost].iter().chain(&children) {
            let nodes = &self.nodes;
            // What a run has added is known to be for something else: it was asked for.
            let is_able = |idx: &&NodeIdx| {
                nodes[**idx].context && nodes[**idx].standing == Standing::Declared
            };
            let able: Vec<_> = workers.iter().filter(is_able).copied().collect();
            let targets: Vec<_> = workers
                .iter()
                .filter_map(|&idx| match nodes[idx].standing {
                    Standing::Detached => Some((idx, EdgeKind::MayPlace)),
                    Standing::Declared if !nodes[idx].start && !begun[idx] => {
                        Some((idx, EdgeKind::MayFerry))
                    }
                    _ => None,
                })
                .collect();
            if able.len() * targets.len() <= MOST_ARROWS {
                let arrows = able.iter().flat_map(|&from| {
                    let others = targets.iter().filter(move |(to, _)| *to != from);
                    others.map(move |&(to, kind)| Edge { from, to, kind })
                });
                self.edges.extend(arrows);
            } else {
                for (idx, kind) in targets {
                    self.nodes[idx].awaits_ferry = kind == EdgeKind::MayFerry;
                }
            }
        }
    }

    /// Leaves out what may happen, since it is known what did.
    pub(super) fn remove_possible(&mut self) {
        self.edges.retain(|edge| !matches!(edge.kind, EdgeKind::MayFerry | EdgeKind::MayPlace));
        self.nodes.iter_mut().for_each(|node| node.awaits_ferry = false);
    }
}
