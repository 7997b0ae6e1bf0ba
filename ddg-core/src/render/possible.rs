//! Arrows to what a run may reach without a dependency: targets of ferries and workers placed at
//! run time.
//!
//! Only the body of a worker decides where it ferries. The graph tells which workers could: those
//! that take the [`Context`](crate::Context).

use super::picture::{Edge, EdgeKind, NodeIdx, Picture, Standing};

/// Maximum number of such arrows per automa. More would hide the declared dependencies.
const MOST_ARROWS: usize = 12;

impl Picture {
    /// Adds an arrow from each declared worker that takes the context to each worker that waits for
    /// a ferry or a placement. If there are too many, a remark on the targets replaces them.
    pub(super) fn add_possible(&mut self) {
        let mut begun = vec![false; self.nodes.len()];
        for edge in &self.edges {
            begun[edge.to] |= edge.from != edge.to;
        }
        let (outermost, children) = self.children();
        for workers in [outermost].iter().chain(&children) {
            let nodes = &self.nodes;
            // Workers that a run added are not candidates: they came with a purpose of their own.
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
            // Every able worker has an arrow to every target, so their number is the product.
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

    /// Removes the possible arrows when a history shows what happened.
    pub(super) fn remove_possible(&mut self) {
        self.edges.retain(|edge| !matches!(edge.kind, EdgeKind::MayFerry | EdgeKind::MayPlace));
        self.nodes.iter_mut().for_each(|node| node.awaits_ferry = false);
    }
}
