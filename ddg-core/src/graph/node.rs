//! One worker in a graph, with its edges.

use super::{Role, View};
use crate::key::Key;

/// A worker's place in its run; small, dense, never reused while the worker may still be running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(u32);

impl WorkerId {
    /// Marks an edge that has been removed.
    pub(crate) const VACANT: Self = Self(u32::MAX);

    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a graph has fewer than 2^32 workers"))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node carries for whoever runs its worker. The graph asks it for the worker's role, and
/// for the graph inside it, where the worker is a nested automa.
pub(crate) trait Payload: Clone {
    /// What the worker is for.
    fn role(&self) -> &Role;

    /// The graph of the nested automa, as the run has left it; `None` where this is no automa, or
    /// one whose declaration is at fault.
    fn inner(&self) -> Option<View<Self>>;

    /// The same worker with another graph inside.
    fn with_inner(&self, inner: View<Self>) -> Self;
}

/// A worker with its edges.
#[derive(Clone)]
pub(crate) struct Node<P> {
    /// Its place in the order in which workers were declared and added.
    pub(crate) since: u64,
    pub(crate) payload: P,
    /// What it depends on, in the order declared; vacant where removed.
    pub(crate) dependencies: Vec<Dependency>,
    /// How many of them are not vacant.
    pub(crate) n_dependencies: u32,
    /// What depends on it, in the order declared; vacant where removed.
    pub(crate) successors: Vec<Successor>,
    /// How many of them are vacant.
    pub(crate) n_vacant: u32,
}

/// One end of an edge, at the worker that waits.
#[derive(Clone, Copy)]
pub(crate) struct Dependency {
    pub(crate) on: WorkerId,
    pub(crate) gives: Gives,
    /// The edge's place among `on`'s successors.
    pub(crate) place: u32,
}

/// What a dependency hands on along its edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Its output.
    Output,
    /// One element of its output.
    Element,
    /// Nothing: its output is `()`.
    Nothing,
}

/// The other end, at the worker that is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Successor {
    pub(crate) worker: WorkerId,
    /// The edge's place among `worker`'s dependencies.
    pub(crate) place: u32,
}

impl<P: Payload> Node<P> {
    pub(crate) fn new(payload: P, since: u64) -> Self {
        Self {
            since,
            payload,
            dependencies: Vec::new(),
            n_dependencies: 0,
            successors: Vec::new(),
            n_vacant: 0,
        }
    }

    #[inline]
    pub(crate) fn role(&self) -> &Role {
        self.payload.role()
    }

    pub(crate) fn key(&self) -> &Key {
        &self.role().key
    }

    pub(crate) fn live_dependencies(&self) -> impl Iterator<Item = (usize, WorkerId)> {
        self.dependencies
            .iter()
            .enumerate()
            .filter(|(_, dependency)| dependency.on != WorkerId::VACANT)
            .map(|(place, dependency)| (place, dependency.on))
    }

    pub(crate) fn live_successors(&self) -> impl Iterator<Item = Successor> {
        self.successors.iter().copied().filter(|successor| successor.worker != WorkerId::VACANT)
    }
}
