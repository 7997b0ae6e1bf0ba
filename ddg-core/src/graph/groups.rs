//! Groups: workers declared one after another that have the same dependencies, such as those of a
//! layer.

use super::{Node, Payload, WorkerId};

/// The groups of a declared graph.
#[derive(Default)]
pub(crate) struct Groups {
    /// For each worker, the first of the workers with the same dependencies.
    first: Vec<WorkerId>,
    /// For each worker, the first of its group if that becomes ready together, else itself.
    holder: Vec<WorkerId>,
    /// For each worker that is the first of a group that becomes ready together, its size; 0 for
    /// all others.
    size: Vec<u32>,
}

impl Groups {
    /// Finds the groups of `nodes`. `masks` are those of their dependencies: workers become ready
    /// together if these are the same, and not 0.
    pub(super) fn of<P: Payload>(nodes: &[Node<P>], masks: &[u64]) -> Self {
        let first = alike(nodes);
        let mut size = vec![0; nodes.len()];
        let mut rest = &first[..];
        while let Some(leader) = rest.first() {
            let begin = leader.index();
            let n = rest.iter().take_while(|first| *first == leader).count();
            let mask = masks[begin];
            if n > 1 && mask != 0 && masks[begin..begin + n].iter().all(|other| *other == mask) {
                size[begin] = u32::try_from(n).unwrap_or(u32::MAX);
            }
            rest = &rest[n..];
        }
        let holder = |(place, first): (usize, &WorkerId)| match size[first.index()] {
            0 => WorkerId::new(place),
            _ => *first,
        };
        let holder = first.iter().enumerate().map(holder).collect();
        Self { first, holder, size }
    }

    /// Groups of these sizes, one after another.
    #[cfg(test)]
    pub(crate) fn of_sizes(sizes: &[usize]) -> Self {
        let mut groups = Self::default();
        for &size in sizes {
            let first = WorkerId::new(groups.first.len());
            groups.first.extend(vec![first; size]);
            groups.holder.extend(vec![first; size]);
            groups.size.push(if size > 1 { size as u32 } else { 0 });
            groups.size.resize(groups.first.len(), 0);
        }
        groups
    }

    /// The first of the workers that have the same dependencies as `worker`; `None` if it was not
    /// declared.
    #[inline]
    pub(crate) fn first(&self, worker: WorkerId) -> Option<WorkerId> {
        self.first.get(worker.index()).copied()
    }

    /// The first of the group of `worker`, if it is in one that becomes ready together; else the
    /// worker itself.
    #[inline]
    pub(crate) fn holder(&self, worker: WorkerId) -> WorkerId {
        self.holder.get(worker.index()).copied().unwrap_or(worker)
    }

    /// The size of the group that becomes ready together and whose first worker this is; 0 if there
    /// is none.
    #[inline]
    pub(crate) fn size(&self, first: WorkerId) -> usize {
        self.size.get(first.index()).map_or(0, |size| *size as usize)
    }
}

/// Finds workers with the same dependencies among neighbours: those of a layer are declared one
/// after another, and comparing others would cost more than it finds.
fn alike<P: Payload>(nodes: &[Node<P>]) -> Vec<WorkerId> {
    let mut alike: Vec<WorkerId> = Vec::with_capacity(nodes.len());
    for (place, node) in nodes.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| &nodes[before]);
        let same = before.is_some_and(|before| {
            let pairs = before.dependencies.iter().zip(&node.dependencies);
            before.dependencies.len() == node.dependencies.len()
                && pairs.rev().all(|(one, other)| one.on == other.on)
        });
        alike.push(if same { alike[place - 1] } else { WorkerId::new(place) });
    }
    alike
}
