//! A run's copy-on-write view of the graph.
//!
//! The declared graph is shared by all runs and never changes. A view holds what its run has
//! changed: touched workers, added workers, moved ranks. Creating a view is free, and the cost of
//! an edit does not depend on the size of the graph.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::node::{Dependency, Successor};
use super::{Node, Payload, Topology, WorkerId};
use crate::key::Key;

#[derive(Clone)]
pub(crate) struct View<P> {
    base: Arc<Topology<P>>,
    /// Declared workers that differ from their declaration; `None` if removed.
    touched: FxHashMap<WorkerId, Option<Node<P>>>,
    /// Workers added at run time; `None` if removed, so that the slot can be reused.
    added: Vec<Option<Node<P>>>,
    free: Vec<WorkerId>,
    /// Keys that lead to another worker than in the declared graph; `None` if they lead to none.
    keys: FxHashMap<Key, Option<WorkerId>>,
    /// Ranks that differ from those of the declared graph.
    ranks: FxHashMap<WorkerId, u32>,
    next_rank: u32,
    /// The position in order of the next added worker.
    next_since: u64,
    /// Whether a worker was added that waits for the end of loops.
    adds_after_loops: bool,
}

impl<P: Payload> View<P> {
    pub(crate) fn of(base: Arc<Topology<P>>) -> Self {
        Self {
            touched: FxHashMap::default(),
            added: Vec::new(),
            free: Vec::new(),
            keys: FxHashMap::default(),
            ranks: FxHashMap::default(),
            next_rank: u32::try_from(base.nodes.len()).unwrap_or(u32::MAX),
            next_since: base.nodes.len() as u64,
            adds_after_loops: false,
            base,
        }
    }

    pub(crate) fn base(&self) -> &Arc<Topology<P>> {
        &self.base
    }

    /// Whether the view differs from the declared graph.
    pub(crate) fn is_edited(&self) -> bool {
        !self.touched.is_empty() || !self.added.is_empty()
    }

    /// Declared workers that may differ from their declaration, in no order; `None` if removed.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (WorkerId, Option<&Node<P>>)> {
        self.touched.iter().map(|(id, node)| (*id, node.as_ref()))
    }

    /// Added workers in no order, with their position in the order of all workers that were ever
    /// added.
    pub(crate) fn added(&self) -> impl Iterator<Item = (u64, &Node<P>)> {
        let n_declared = self.base.nodes.len() as u64;
        self.added.iter().flatten().map(move |node| (node.since - n_declared, node))
    }

    /// Number of slots: one more than the largest index of a worker that exists or existed.
    pub(crate) fn n_slots(&self) -> usize {
        self.base.nodes.len() + self.added.len()
    }

    #[inline]
    pub(crate) fn get(&self, id: WorkerId) -> Option<&Node<P>> {
        match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => self.added.get(added)?.as_ref(),
            // Most runs never edit their graph, so they must not pay for a hash of the id.
            None if self.touched.is_empty() => Some(&self.base.nodes[id.index()]),
            None => match self.touched.get(&id) {
                Some(touched) => touched.as_ref(),
                None => Some(&self.base.nodes[id.index()]),
            },
        }
    }

    /// The payload of a worker that differs from its declaration; `None` if the declared graph has
    /// it.
    #[inline]
    pub(crate) fn own_payload(&self, id: WorkerId) -> Option<&P> {
        match id.index().checked_sub(self.base.nodes.len()) {
            None if self.touched.is_empty() => None,
            None => self.touched.get(&id)?.as_ref().map(|node| &node.payload),
            Some(_) => self.get(id).map(|node| &node.payload),
        }
    }

    /// Sets the positions of added workers, which are in this order already.
    pub(crate) fn set_places<'a>(&mut self, places: impl Iterator<Item = (&'a Key, u64)>) {
        for (key, nth) in places {
            if let Some(id) = self.find(key.as_str())
                && let Some(added) = id.index().checked_sub(self.base.nodes.len())
                && let Some(node) = &mut self.added[added]
            {
                node.since = nth + self.base.nodes.len() as u64;
                self.next_since = self.next_since.max(node.since + 1);
            }
        }
    }

    /// The worker with this id. Edges and kickoffs only hold ids of workers that exist.
    #[inline]
    pub(crate) fn node(&self, id: WorkerId) -> &Node<P> {
        self.get(id).expect("edges and kickoffs lead to workers that exist")
    }

    /// Whether a worker is ready when `crossed` of its dependencies are satisfied. One that waits
    /// for the end of loops is not.
    pub(crate) fn is_ready_with(&self, id: WorkerId, crossed: u32) -> bool {
        let node = self.node(id);
        crossed == node.n_dependencies && !node.role().wiring.after_loops
    }

    /// Whether there may be workers that wait for the end of loops.
    #[inline]
    pub(crate) fn has_after_loops(&self) -> bool {
        self.adds_after_loops || !self.base.after_loops.is_empty()
    }

    /// The workers that wait for the end of loops, in the order of the workers.
    pub(crate) fn after_loops(&self) -> Vec<WorkerId> {
        let there = |id: &WorkerId| self.get(*id).is_some();
        let mut workers: Vec<_> = self.base.after_loops.iter().copied().filter(there).collect();
        if self.adds_after_loops {
            let n_declared = self.base.nodes.len();
            let added = (n_declared..self.n_slots()).map(WorkerId::new).filter_map(|id| {
                let node = self.get(id)?;
                node.role().wiring.after_loops.then_some((node.since, id))
            });
            let mut added: Vec<_> = added.collect();
            added.sort_unstable();
            workers.extend(added.into_iter().map(|(_, id)| id));
        }
        workers
    }

    /// The mask of all dependencies of a worker with which it is ready. It is 0 if
    /// [`is_ready_with`](Self::is_ready_with) says that: there are too many, the graph has been
    /// edited, which leaves gaps, or the worker waits for the end of loops.
    #[inline]
    pub(crate) fn mask(&self, id: WorkerId) -> u64 {
        match self.base.masks.get(id.index()) {
            Some(mask) if self.touched.is_empty() => *mask,
            _ => 0,
        }
    }

    /// Whether all declared workers are as they were declared.
    #[inline]
    pub(crate) fn is_untouched(&self) -> bool {
        self.touched.is_empty()
    }

    /// The first of the workers that have the same dependencies as `id`; `None` if that is not
    /// known.
    #[inline]
    pub(crate) fn alike(&self, id: WorkerId) -> Option<WorkerId> {
        self.base.groups.first(id).filter(|_| self.touched.is_empty())
    }

    pub(crate) fn find(&self, key: &str) -> Option<WorkerId> {
        if !self.keys.is_empty()
            && let Some(id) = self.keys.get(key)
        {
            return *id;
        }
        self.base.index.get(key).copied()
    }

    /// The worker that now has the declared key of `declared`.
    pub(crate) fn find_declared(&self, declared: WorkerId) -> Option<WorkerId> {
        if self.keys.is_empty() {
            return Some(declared);
        }
        self.find(self.declared_key(declared).as_str())
    }

    /// The key under which a worker was declared.
    pub(crate) fn declared_key(&self, declared: WorkerId) -> &Key {
        self.base.nodes[declared.index()].key()
    }

    /// All workers: declared ones in declared order, then added ones.
    pub(crate) fn workers(&self) -> impl Iterator<Item = (WorkerId, &Node<P>)> {
        let declared = self.base.nodes.len();
        let mut ids: Vec<_> = (0..self.n_slots()).map(WorkerId::new).collect();
        // Ids are reused, so their order is not that in which the workers were added.
        ids[declared..].sort_by_key(|id| self.get(*id).map(|node| node.since));
        ids.into_iter().filter_map(|id| Some((id, self.get(id)?)))
    }

    /// The workers of the first step, in the order in which they were added: start workers, and
    /// those that follow nobody.
    pub(crate) fn starts(&self) -> impl Iterator<Item = WorkerId> {
        let declared = (!self.is_edited()).then(|| self.base.starts.iter().copied());
        let edited = self
            .is_edited()
            .then(|| self.workers().filter(|(_, node)| node.is_first()).map(|(id, _)| id));
        declared.into_iter().flatten().chain(edited.into_iter().flatten())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.workers().map(|(_, node)| node.key())
    }

    pub(super) fn rank(&self, id: WorkerId) -> u32 {
        if !self.ranks.is_empty()
            && let Some(rank) = self.ranks.get(&id)
        {
            return *rank;
        }
        self.base.ranks[id.index()]
    }

    pub(super) fn set_rank(&mut self, id: WorkerId, rank: u32) {
        self.ranks.insert(id, rank);
    }

    pub(super) fn node_mut(&mut self, id: WorkerId) -> &mut Node<P> {
        let node = match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => self.added[added].as_mut(),
            None => self
                .touched
                .entry(id)
                .or_insert_with(|| Some(self.base.nodes[id.index()].clone()))
                .as_mut(),
        };
        node.expect("edges and kickoffs lead to workers that exist")
    }

    /// Adds a worker without edges.
    pub(super) fn insert(&mut self, payload: P) -> WorkerId {
        let key = payload.role().key.clone();
        self.adds_after_loops |= payload.role().wiring.after_loops;
        let node = Some(Node::new(payload, self.next_since));
        self.next_since += 1;
        let id = match self.free.pop() {
            Some(id) => {
                self.added[id.index() - self.base.nodes.len()] = node;
                id
            }
            None => {
                let id = WorkerId::new(self.n_slots());
                self.added.push(node);
                id
            }
        };
        self.keys.insert(key, Some(id));
        self.ranks.insert(id, self.next_rank);
        self.next_rank = self.next_rank.checked_add(1).unwrap_or_else(|| self.compact_ranks());
        id
    }

    /// Removes a worker without edges. Its id is not reused before [`recycle`](Self::recycle).
    pub(super) fn take_out(&mut self, id: WorkerId) -> Node<P> {
        let node = match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => self.added[added].take(),
            None => {
                let node = self.node_mut(id).clone();
                self.touched.insert(id, None);
                Some(node)
            }
        };
        let node = node.expect("edges and kickoffs lead to workers that exist");
        if self.base.index.contains_key(node.key()) {
            self.keys.insert(node.key().clone(), None);
        } else {
            self.keys.remove(node.key());
        }
        node
    }

    /// Puts a worker back where it was taken from.
    pub(super) fn put_back(&mut self, id: WorkerId, node: Node<P>) {
        self.keys.insert(node.key().clone(), Some(id));
        match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => self.added[added] = Some(node),
            None => _ = self.touched.insert(id, Some(node)),
        }
    }

    /// Makes the id of a removed worker reusable, when nothing refers to it any more.
    pub(crate) fn recycle(&mut self, id: WorkerId) {
        if id.index() >= self.base.nodes.len() {
            self.ranks.remove(&id);
            // Declared ids are not reused: they index the shared topology.
            self.free.push(id);
        }
    }

    /// Adds an edge: at the end of the worker's dependencies, and among the successors of `on` by
    /// the order of the workers. Returns its index among the worker's dependencies.
    pub(super) fn link(&mut self, worker: WorkerId, on: WorkerId) -> usize {
        let waiting = self.node(worker);
        let (place, since) = (waiting.dependencies.len(), waiting.since);
        let first = self.node(on);
        let gives = first.role().gives();
        // Successors are ordered by age, which decides the order of kickoffs and of scattered
        // elements.
        let later = |successor: &&Successor| {
            successor.worker == WorkerId::VACANT || self.node(successor.worker).since > since
        };
        // Counted from the end, because a new edge nearly always belongs there.
        let n_later = first.successors.iter().rev().take_while(later).count();
        let at = first.successors.len() - n_later;
        let successor = Successor { worker, place: narrow(place) };
        self.node_mut(on).successors.insert(at, successor);
        self.renumber(on, at + 1);
        let node = self.node_mut(worker);
        node.dependencies.push(Dependency { on, gives, place: narrow(at) });
        node.n_dependencies += 1;
        place
    }

    /// Updates the index of the edge in the successors of `on` from `begin` on.
    fn renumber(&mut self, on: WorkerId, begin: usize) {
        for at in begin..self.node(on).successors.len() {
            let successor = self.node(on).successors[at];
            if successor.worker != WorkerId::VACANT {
                self.node_mut(successor.worker).dependencies[successor.place as usize].place =
                    narrow(at);
            }
        }
    }

    /// Whether `worker` depends on `on`. Searches the shorter of the two lists.
    pub(super) fn is_linked(&self, worker: WorkerId, on: WorkerId) -> bool {
        let (waiting, first) = (self.node(worker), self.node(on));
        // A worker with thousands of successors must not slow down each edge to it.
        if waiting.dependencies.len() <= first.successors.len() {
            waiting.live_dependencies().any(|(_, have)| have == on)
        } else {
            first.live_successors().any(|have| have.worker == worker)
        }
    }

    /// Removes an edge. Both of its slots become vacant, so that no other edge moves.
    pub(super) fn unlink(&mut self, worker: WorkerId, place: usize) -> Dependency {
        let node = self.node_mut(worker);
        let dependency = node.dependencies[place];
        node.dependencies[place].on = WorkerId::VACANT;
        node.n_dependencies -= 1;
        let first = self.node_mut(dependency.on);
        first.successors[dependency.place as usize].worker = WorkerId::VACANT;
        first.n_vacant += 1;
        dependency
    }

    /// Reverts [`unlink`](Self::unlink).
    pub(super) fn relink(&mut self, worker: WorkerId, place: usize, dependency: Dependency) {
        let node = self.node_mut(worker);
        node.dependencies[place] = dependency;
        node.n_dependencies += 1;
        let first = self.node_mut(dependency.on);
        first.successors[dependency.place as usize].worker = worker;
        first.n_vacant -= 1;
    }

    /// Reverts [`link`](Self::link) of the edge that was added last.
    pub(super) fn unlink_last(&mut self, worker: WorkerId) {
        let node = self.node_mut(worker);
        let dependency = node.dependencies.pop().expect("an edge was added");
        node.n_dependencies -= 1;
        let at = dependency.place as usize;
        self.node_mut(dependency.on).successors.remove(at);
        self.renumber(dependency.on, at);
    }

    /// Removes vacant slots from a worker's list of successors when most of the list is vacant.
    /// This keeps the list small if successors are added and removed forever.
    pub(super) fn close_gaps(&mut self, id: WorkerId) {
        // Closing gaps renumbers edges, which is not worth it for a few slots.
        const SLACK: u32 = 16;
        let Some(node) = self.get(id) else { return };
        if node.n_vacant < SLACK || (node.n_vacant as usize) * 2 < node.successors.len() {
            return;
        }
        let node = self.node_mut(id);
        node.successors.retain(|successor| successor.worker != WorkerId::VACANT);
        node.n_vacant = 0;
        self.renumber(id, 0);
    }

    /// Replaces the payload of a worker and keeps its edges.
    pub(super) fn replace_payload(&mut self, id: WorkerId, payload: P) -> P {
        std::mem::replace(&mut self.node_mut(id).payload, payload)
    }

    /// Renumbers all ranks from 0, after 2^32 workers have been added in one run.
    fn compact_ranks(&mut self) -> u32 {
        let mut workers: Vec<_> = self.workers().map(|(id, _)| (self.rank(id), id)).collect();
        workers.sort_unstable();
        for (rank, (_, id)) in workers.iter().enumerate() {
            self.ranks.insert(*id, narrow(rank));
        }
        narrow(workers.len())
    }
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("a worker has fewer than 2^32 edges")
}
