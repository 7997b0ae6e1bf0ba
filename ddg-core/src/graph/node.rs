//! A worker in a graph, with its edges.

use smallvec::SmallVec;

use super::{Role, View};
use crate::key::Key;

/// The id of a worker in its run. Ids are small and dense, and are not reused while the worker may
/// be running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(u32);

impl WorkerId {
    /// Marks a removed edge.
    pub(crate) const VACANT: Self = Self(u32::MAX);

    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a graph has fewer than 2^32 workers"))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node carries for the engine. The graph asks it for the worker's role and, if the worker
/// is a nested automa, for the graph inside.
pub(crate) trait Payload: Clone {
    /// The role of the worker.
    fn role(&self) -> &Role;

    /// The graph of the nested automa as the run has changed it. `None` if the worker is not an
    /// automa, or if the declaration of the automa has faults.
    fn inner(&self) -> Option<View<Self>>;

    /// The same worker with another graph inside.
    fn with_inner(&self, inner: View<Self>) -> Self;
}

/// A worker with its edges.
#[derive(Clone)]
pub(crate) struct Node<P> {
    /// The position of the worker in the order in which workers were declared and added.
    pub(crate) since: u64,
    pub(crate) payload: P,
    /// Its dependencies in declared order; removed ones are vacant.
    pub(crate) dependencies: SmallVec<[Dependency; 2]>,
    /// Number of dependencies that are not vacant.
    pub(crate) n_dependencies: u32,
    /// Its successors in the order of the workers; removed ones are vacant.
    pub(crate) successors: SmallVec<[Successor; 2]>,
    /// Number of successors that are vacant.
    pub(crate) n_vacant: u32,
}

/// The end of an edge at the worker that waits.
#[derive(Clone, Copy)]
pub(crate) struct Dependency {
    pub(crate) on: WorkerId,
    pub(crate) gives: Gives,
    /// The index of the edge among the successors of `on`.
    pub(crate) place: u32,
}

/// What an edge passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// The output.
    Output,
    /// One element of the output.
    Element,
    /// Nothing, because the output is `()`.
    Nothing,
}

/// The end of an edge at the worker that is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Successor {
    pub(crate) worker: WorkerId,
    /// The index of the edge among the dependencies of `worker`.
    pub(crate) place: u32,
}

impl<P: Payload> Node<P> {
    pub(crate) fn new(payload: P, since: u64) -> Self {
        Self {
            since,
            payload,
            dependencies: SmallVec::new(),
            n_dependencies: 0,
            successors: SmallVec::new(),
            n_vacant: 0,
        }
    }

    #[inline]
    pub(crate) fn role(&self) -> &Role {
        self.payload.role()
    }

    /// Whether the worker runs in the first step: it is a start worker, or follows nobody.
    pub(crate) fn is_first(&self) -> bool {
        self.role().wiring.start || self.follows_nobody()
    }

    /// Whether the worker was declared to follow nobody, and still does.
    pub(crate) fn follows_nobody(&self) -> bool {
        self.role().wiring.after_nobody && self.n_dependencies == 0
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
