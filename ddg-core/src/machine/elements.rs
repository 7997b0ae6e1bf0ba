//! Elements of scattered lists, by successor and by the worker that scattered them.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::WorkerId;
use crate::values::Value;

/// The elements that the successors of scattering workers have been dealt. Allocated when there are
/// any.
#[derive(Default)]
pub(crate) struct Elements(Option<Box<Edges>>);

/// Ordered, so that all elements of a worker are found at once, to whichever end of the edge it
/// belongs.
#[derive(Default)]
struct Edges {
    /// By (successor, scattering worker).
    dealt: BTreeMap<(WorkerId, WorkerId), Value>,
    /// The same edges as (scattering worker, successor).
    by: BTreeSet<(WorkerId, WorkerId)>,
}

impl Elements {
    /// The element that `by` has dealt to `to`.
    pub(super) fn get(&self, to: WorkerId, by: WorkerId) -> Option<&Value> {
        self.0.as_ref()?.dealt.get(&(to, by))
    }

    /// Deals an element, which replaces the one before.
    pub(crate) fn set(&mut self, to: WorkerId, by: WorkerId, element: Value) {
        let edges = self.0.get_or_insert_default();
        if edges.dealt.insert((to, by), element).is_none() {
            edges.by.insert((by, to));
        }
    }

    /// The elements that `to` has been dealt, as (scattering worker, element).
    pub(crate) fn dealt_to(&self, to: WorkerId) -> impl Iterator<Item = (WorkerId, &Value)> {
        let of_it = (to, WorkerId::new(0))..=(to, WorkerId::VACANT);
        let dealt = self.0.iter().flat_map(move |edges| edges.dealt.range(of_it.clone()));
        dealt.map(|((_, by), element)| (*by, element))
    }

    /// All elements, as (successor, scattering worker, element).
    #[cfg(test)]
    fn iter(&self) -> impl Iterator<Item = (WorkerId, WorkerId, &Value)> {
        let dealt = self.0.iter().flat_map(|edges| &edges.dealt);
        dealt.map(|((to, by), element)| (*to, *by, element))
    }

    /// Drops what a removed worker has been dealt and has dealt. Looks at its own elements only.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        let Some(edges) = &mut self.0 else { return };
        let of_it = (worker, WorkerId::new(0))..=(worker, WorkerId::VACANT);
        while let Some(&(to, by)) = edges.dealt.range(of_it.clone()).next().map(|(edge, _)| edge) {
            edges.dealt.remove(&(to, by));
            edges.by.remove(&(by, to));
        }
        while let Some(&(by, to)) = edges.by.range(of_it.clone()).next() {
            edges.by.remove(&(by, to));
            edges.dealt.remove(&(to, by));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_forgotten_at_both_ends_of_its_edges() {
        let [one, two, three] = [1, 2, 3].map(WorkerId::new);
        let mut elements = Elements::default();
        for (to, by) in [(two, one), (three, one), (three, two), (one, three)] {
            elements.set(to, by, Value::new(0_u64));
            elements.set(to, by, Value::new(1_u64));
        }
        elements.forget(two);
        let left: Vec<_> = elements.iter().map(|(to, by, _)| (to, by)).collect();
        assert_eq!(left, [(one, three), (three, one)]);
        assert_eq!(elements.get(three, one).unwrap().get::<u64>().unwrap(), 1);
        elements.forget(one);
        let n_by = elements.0.as_ref().map(|edges| edges.by.len());
        assert_eq!((elements.iter().count(), n_by), (0, Some(0)));
    }
}
