//! A run's copy-on-write view of the graph.
//!
//! The declared graph is shared by all runs and never changes. A view holds what its run has
//! changed: touched workers, added workers, moved ranks. Creating a view is free, and the cost of
//! an edit does not depend on the size of the graph. Most runs change nothing, so all changes are
//! behind one pointer.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::node::{Dependency, Successor};
use super::{Node, Payload, Topology, WorkerId};
use crate::key::Key;

#[derive(Clone)]
pub(crate) struct View<P> {
    base: Arc<Topology<P>>,
    changes: Option<Box<Changes<P>>>,
}

/// What a run has changed in its graph.
#[derive(Clone)]
struct Changes<P> {
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
        Self { base, changes: None }
    }

    pub(crate) fn base(&self) -> &Arc<Topology<P>> {
        &self.base
    }

    /// Whether the view differs from the declared graph.
    pub(crate) fn is_edited(&self) -> bool {
        let is_edit =
            |changes: &Changes<P>| !changes.touched.is_empty() || !changes.added.is_empty();
        self.changes.as_deref().is_some_and(is_edit)
    }

    /// Declared workers that may differ from their declaration, in no order; `None` if removed.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (WorkerId, Option<&Node<P>>)> {
        let touched = self.changes.iter().flat_map(|changes| &changes.touched);
        touched.map(|(id, node)| (*id, node.as_ref()))
    }

    /// Added workers in no order, with their position in the order of all workers that were ever
    /// added.
    pub(crate) fn added(&self) -> impl Iterator<Item = (u64, &Node<P>)> {
        let n_declared = self.base.nodes.len() as u64;
        let added = self.changes.iter().flat_map(|changes| &changes.added);
        added.flatten().map(move |node| (node.since - n_declared, node))
    }

    /// Number of slots: one more than the largest index of a worker that exists or existed.
    pub(crate) fn n_slots(&self) -> usize {
        self.base.nodes.len() + self.changes.as_deref().map_or(0, |changes| changes.added.len())
    }

    #[inline]
    pub(crate) fn get(&self, id: WorkerId) -> Option<&Node<P>> {
        // Most runs never edit their graph, so they must not pay for a hash of the id.
        let Some(changes) = &self.changes else { return self.base.nodes.get(id.index()) };
        match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => changes.added.get(added)?.as_ref(),
            None => match changes.touched(id) {
                Some(touched) => touched.as_ref(),
                None => Some(&self.base.nodes[id.index()]),
            },
        }
    }

    /// The payload of a worker that differs from its declaration; `None` if the declared graph has
    /// it.
    #[inline]
    pub(crate) fn own_payload(&self, id: WorkerId) -> Option<&P> {
        let changes = self.changes.as_deref()?;
        let own = match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => changes.added.get(added)?,
            None => changes.touched(id)?,
        };
        own.as_ref().map(|node| &node.payload)
    }

    /// Sets the positions of added workers, which are in this order already.
    pub(crate) fn set_places<'a>(&mut self, places: impl Iterator<Item = (&'a Key, u64)>) {
        for (key, nth) in places {
            if let Some(id) = self.find(key.as_str())
                && let Some(added) = id.index().checked_sub(self.base.nodes.len())
            {
                let since = nth + self.base.nodes.len() as u64;
                let changes = self.changes_mut();
                if let Some(node) = &mut changes.added[added] {
                    node.since = since;
                    changes.next_since = changes.next_since.max(since + 1);
                }
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
        self.adds_after_loops() || !self.base.after_loops.is_empty()
    }

    #[inline]
    fn adds_after_loops(&self) -> bool {
        self.changes.as_deref().is_some_and(|changes| changes.adds_after_loops)
    }

    /// The workers that wait for the end of loops, in the order of the workers.
    pub(crate) fn after_loops(&self) -> Vec<WorkerId> {
        let there = |id: &WorkerId| self.get(*id).is_some();
        let mut workers: Vec<_> = self.base.after_loops.iter().copied().filter(there).collect();
        if self.adds_after_loops() {
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
            Some(mask) if self.is_untouched() => *mask,
            _ => 0,
        }
    }

    /// Whether all declared workers are as they were declared.
    #[inline]
    pub(crate) fn is_untouched(&self) -> bool {
        self.changes.as_deref().is_none_or(|changes| changes.touched.is_empty())
    }

    /// The first of the workers that have the same dependencies as `id`; `None` if that is not
    /// known.
    #[inline]
    pub(crate) fn alike(&self, id: WorkerId) -> Option<WorkerId> {
        self.base.groups.first(id).filter(|_| self.is_untouched())
    }

    pub(crate) fn find(&self, key: &str) -> Option<WorkerId> {
        if let Some(changes) = &self.changes
            && !changes.keys.is_empty()
            && let Some(id) = changes.keys.get(key)
        {
            return *id;
        }
        self.base.index.get(key).copied()
    }

    /// The worker that now has the declared key of `declared`.
    pub(crate) fn find_declared(&self, declared: WorkerId) -> Option<WorkerId> {
        if self.changes.as_deref().is_none_or(|changes| changes.keys.is_empty()) {
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
        if let Some(changes) = &self.changes
            && let Some(rank) = changes.ranks.get(&id)
        {
            return *rank;
        }
        self.base.ranks[id.index()]
    }

    pub(super) fn set_rank(&mut self, id: WorkerId, rank: u32) {
        self.changes_mut().ranks.insert(id, rank);
    }

    pub(super) fn node_mut(&mut self, id: WorkerId) -> &mut Node<P> {
        let Self { base, changes } = self;
        let changes = changes.get_or_insert_with(|| Changes::of(base));
        let node = match id.index().checked_sub(base.nodes.len()) {
            Some(added) => changes.added[added].as_mut(),
            None => changes
                .touched
                .entry(id)
                .or_insert_with(|| Some(base.nodes[id.index()].clone()))
                .as_mut(),
        };
        node.expect("edges and kickoffs lead to workers that exist")
    }

    /// Adds a worker without edges.
    pub(super) fn insert(&mut self, payload: P) -> WorkerId {
        let key = payload.role().key.clone();
        let n_declared = self.base.nodes.len();
        let changes = self.changes_mut();
        changes.adds_after_loops |= payload.role().wiring.after_loops;
        let node = Some(Node::new(payload, changes.next_since));
        changes.next_since += 1;
        let id = match changes.free.pop() {
            Some(id) => {
                changes.added[id.index() - n_declared] = node;
                id
            }
            None => {
                let id = WorkerId::new(n_declared + changes.added.len());
                changes.added.push(node);
                id
            }
        };
        changes.keys.insert(key, Some(id));
        changes.ranks.insert(id, changes.next_rank);
        match changes.next_rank.checked_add(1) {
            Some(next) => changes.next_rank = next,
            None => self.compact_ranks(),
        }
        id
    }

    /// Removes a worker without edges. Its id is not reused before [`recycle`](Self::recycle).
    pub(super) fn take_out(&mut self, id: WorkerId) -> Node<P> {
        let node = match id.index().checked_sub(self.base.nodes.len()) {
            Some(added) => self.changes_mut().added[added].take(),
            None => {
                let node = self.node_mut(id).clone();
                self.changes_mut().touched.insert(id, None);
                Some(node)
            }
        };
        let node = node.expect("edges and kickoffs lead to workers that exist");
        let was_declared = self.base.index.contains_key(node.key());
        let keys = &mut self.changes_mut().keys;
        match was_declared {
            true => _ = keys.insert(node.key().clone(), None),
            false => _ = keys.remove(node.key()),
        }
        node
    }

    /// Puts a worker back where it was taken from.
    pub(super) fn put_back(&mut self, id: WorkerId, node: Node<P>) {
        let added = id.index().checked_sub(self.base.nodes.len());
        let changes = self.changes_mut();
        changes.keys.insert(node.key().clone(), Some(id));
        match added {
            Some(added) => changes.added[added] = Some(node),
            None => _ = changes.touched.insert(id, Some(node)),
        }
    }

    /// Makes the id of a removed worker reusable, when nothing refers to it any more.
    pub(crate) fn recycle(&mut self, id: WorkerId) {
        if id.index() >= self.base.nodes.len() {
            // Declared ids are not reused: they index the shared topology.
            let changes = self.changes_mut();
            changes.ranks.remove(&id);
            changes.free.push(id);
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
    fn compact_ranks(&mut self) {
        let mut workers: Vec<_> = self.workers().map(|(id, _)| (self.rank(id), id)).collect();
        workers.sort_unstable();
        let changes = self.changes_mut();
        changes.next_rank = narrow(workers.len());
        let ranked = workers.into_iter().enumerate();
        changes.ranks.extend(ranked.map(|(rank, (_, id))| (id, narrow(rank))));
    }

    fn changes_mut(&mut self) -> &mut Changes<P> {
        self.changes.get_or_insert_with(|| Changes::of(&self.base))
    }
}

impl<P> Changes<P> {
    /// No changes of `base`.
    #[cold]
    fn of(base: &Topology<P>) -> Box<Self> {
        Box::new(Self {
            touched: FxHashMap::default(),
            added: Vec::new(),
            free: Vec::new(),
            keys: FxHashMap::default(),
            ranks: FxHashMap::default(),
            next_rank: u32::try_from(base.nodes.len()).unwrap_or(u32::MAX),
            next_since: base.nodes.len() as u64,
            adds_after_loops: false,
        })
    }

    /// The declared worker `id` as it is now, if it was touched; `None` in it if it was removed.
    #[inline]
    fn touched(&self, id: WorkerId) -> Option<&Option<Node<P>>> {
        // Most runs that add workers touch no declared one.
        if self.touched.is_empty() { None } else { self.touched.get(&id) }
    }
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("a worker has fewer than 2^32 edges")
}
