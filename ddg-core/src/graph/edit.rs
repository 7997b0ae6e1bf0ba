//! Edits of a run's graph, applied as one transaction: all of them or none.

use std::fmt;

use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::error::some_keys;
use super::node::{Dependency, Payload};
use super::rank::{Ranked, rank_edge};
use super::topology::check_arguments;
use super::{EditError, Fault, Node, View, WorkerId};
use crate::key::Key;

/// An edit that a worker asked for, as plain data.
#[derive(Clone)]
pub(crate) enum Edit<P> {
    AddWorker {
        key: Key,
        /// The worker, or the fault found when the edit was requested.
        payload: Result<P, Fault>,
        dependencies: Vec<Key>,
    },
    RemoveWorker {
        key: Key,
    },
    AddDependency {
        worker: Key,
        dependency: Key,
    },
    RemoveDependency {
        worker: Key,
        dependency: Key,
    },
    /// An edit of the graph of the nested automa `key`.
    Nested {
        key: Key,
        edit: Box<Edit<P>>,
    },
}

/// Effects of a committed transaction that the state of a run must mirror.
#[derive(Default)]
pub(crate) struct Applied {
    /// Added workers that follow nobody.
    pub(crate) after_nobody: Vec<WorkerId>,
    pub(crate) added: Vec<WorkerId>,
    pub(crate) removed: Vec<(WorkerId, Key)>,
    /// Removed dependencies: the waiting worker, and the index of the edge there.
    pub(crate) unlinked: Vec<(WorkerId, usize)>,
}

/// A transaction in progress.
struct Transaction<'a, A, P> {
    view: &'a mut View<P>,
    undo: Vec<Undo<P>>,
    applied: Applied,
    /// Edges to add when all workers exist, so that a worker may be added before its dependencies.
    links: Vec<Link<A>>,
    /// Whether a worker was added before one of its dependencies.
    forward: bool,
    /// Edits of nested automata by key; each automa has a transaction of its own.
    nested: IndexMap<Key, Vec<(A, Edit<P>)>>,
    /// Workers whose arguments must be checked.
    changed: Vec<(A, WorkerId)>,
}

struct Link<A> {
    asker: A,
    worker: Key,
    dependency: Key,
}

enum Undo<P> {
    Inserted(WorkerId),
    TakenOut(WorkerId, Box<Node<P>>),
    Linked(WorkerId),
    Unlinked(WorkerId, usize, Dependency),
    Ranked(Vec<(WorkerId, u32)>),
    Replaced(WorkerId, P),
}

impl<P: Payload> View<P> {
    /// Applies `edits`, each with the worker that asked for it.
    ///
    /// # Errors
    /// The first edit that is impossible, with the worker that asked for it. The view is unchanged
    /// then.
    pub(crate) fn apply<A: Copy>(
        &mut self,
        edits: impl IntoIterator<Item = (A, Edit<P>)>,
    ) -> Result<Applied, (A, EditError)> {
        let mut transaction = Transaction {
            view: self,
            undo: Vec::new(),
            applied: Applied::default(),
            links: Vec::new(),
            forward: false,
            nested: IndexMap::new(),
            changed: Vec::new(),
        };
        match transaction.run(edits) {
            Ok(()) => Ok(transaction.commit()),
            Err(refused) => {
                transaction.roll_back();
                Err(refused)
            }
        }
    }
}

impl<A: Copy, P: Payload> Transaction<'_, A, P> {
    fn run(&mut self, edits: impl IntoIterator<Item = (A, Edit<P>)>) -> Result<(), (A, EditError)> {
        for (asker, edit) in edits {
            self.edit(asker, edit).map_err(|error| (asker, error))?;
        }
        // Most edits add workers after their dependencies, and need no ranking.
        if self.forward {
            self.rank_added();
        }
        for link in std::mem::take(&mut self.links) {
            let asker = link.asker;
            self.link(link).map_err(|error| (asker, error))?;
        }
        for (key, edits) in std::mem::take(&mut self.nested) {
            self.edit_nested(&key, edits)?;
        }
        for (asker, worker) in std::mem::take(&mut self.changed) {
            self.check(worker).map_err(|fault| (asker, fault.into()))?;
        }
        Ok(())
    }

    fn edit(&mut self, asker: A, edit: Edit<P>) -> Result<(), EditError> {
        match edit {
            Edit::AddWorker { key, payload, dependencies } => {
                self.add(asker, key, payload, dependencies)
            }
            Edit::RemoveWorker { key } => self.remove(asker, &key),
            Edit::AddDependency { worker, dependency } => {
                self.links.push(Link { asker, worker, dependency });
                Ok(())
            }
            Edit::RemoveDependency { worker, dependency } => {
                self.remove_dependency(asker, worker, dependency)
            }
            Edit::Nested { key, edit } => {
                self.nested.entry(key).or_default().push((asker, *edit));
                Ok(())
            }
        }
    }

    fn add(
        &mut self,
        asker: A,
        key: Key,
        payload: Result<P, Fault>,
        dependencies: Vec<Key>,
    ) -> Result<(), EditError> {
        if key.as_str().is_empty() {
            return Err(Fault::EmptyKey.into());
        }
        if self.view.find(key.as_str()).is_some() {
            return Err(Fault::DuplicateKey { key }.into());
        }
        let payload = payload?;
        self.forward |= dependencies.iter().any(|key| self.view.find(key.as_str()).is_none());
        let follows_nobody = payload.role().wiring.after_nobody;
        let id = self.view.insert(payload);
        self.applied.added.push(id);
        if follows_nobody {
            self.applied.after_nobody.push(id);
        }
        self.undo.push(Undo::Inserted(id));
        self.changed.push((asker, id));
        self.links.extend(dependencies.into_iter().map(|dependency| Link {
            asker,
            worker: key.clone(),
            dependency,
        }));
        Ok(())
    }

    fn remove(&mut self, asker: A, key: &Key) -> Result<(), EditError> {
        let Some(id) = self.view.find(key.as_str()) else {
            let known = some_keys(key, self.view.keys());
            return Err(EditError::UnknownWorker { key: key.clone(), known });
        };
        // Edges and nested edits that earlier edits of this transaction asked for go with the
        // worker.
        self.links.retain(|link| link.worker != *key && link.dependency != *key);
        self.nested.shift_remove(key);
        let node = self.view.node(id);
        let incoming: Vec<_> = node.live_dependencies().map(|(place, _)| place).collect();
        let outgoing: Vec<_> = node.live_successors().collect();
        for place in incoming {
            self.unlink(asker, id, place);
        }
        for successor in outgoing {
            self.unlink(asker, successor.worker, successor.place as usize);
        }
        self.changed.retain(|(_, changed)| *changed != id);
        self.applied.after_nobody.retain(|added| *added != id);
        let node = self.view.take_out(id);
        self.undo.push(Undo::TakenOut(id, Box::new(node)));
        self.applied.removed.push((id, key.clone()));
        Ok(())
    }

    fn remove_dependency(
        &mut self,
        asker: A,
        worker: Key,
        dependency: Key,
    ) -> Result<(), EditError> {
        let n_pending = self.links.len();
        self.links.retain(|link| link.worker != worker || link.dependency != dependency);
        // The edge may be one of this transaction, which is not in the graph yet.
        let was_pending = self.links.len() < n_pending;
        let Some(id) = self.view.find(worker.as_str()) else {
            let known = some_keys(&worker, self.view.keys());
            return Err(Fault::UnknownDependent { worker, known }.into());
        };
        let on = self.view.find(dependency.as_str());
        let place = self
            .view
            .node(id)
            .live_dependencies()
            .find_map(|(place, dependency)| (Some(dependency) == on).then_some(place));
        match place {
            Some(place) => {
                self.unlink(asker, id, place);
                Ok(())
            }
            None if was_pending => Ok(()),
            None => Err(EditError::NoSuchDependency { worker, dependency }),
        }
    }

    fn edit_nested(&mut self, key: &Key, edits: Vec<(A, Edit<P>)>) -> Result<(), (A, EditError)> {
        let Some(first) = edits.first().map(|(asker, _)| *asker) else { return Ok(()) };
        let not_nested = |key: &Key| (first, EditError::NotNested { key: key.clone() });
        let id = self.view.find(key.as_str()).ok_or_else(|| not_nested(key))?;
        let payload = &self.view.node(id).payload;
        let mut inner = payload.inner().ok_or_else(|| not_nested(key))?;
        inner.apply(edits).map_err(|(asker, error)| {
            (asker, EditError::Nested { key: key.clone(), error: Box::new(error) })
        })?;
        let edited = payload.with_inner(inner);
        let old = self.view.replace_payload(id, edited);
        self.undo.push(Undo::Replaced(id, old));
        Ok(())
    }

    fn link(&mut self, link: Link<A>) -> Result<(), EditError> {
        let Link { worker, dependency, .. } = link;
        let Some(id) = self.view.find(worker.as_str()) else {
            let known = some_keys(&worker, self.view.keys());
            return Err(Fault::UnknownDependent { worker, known }.into());
        };
        let Some(on) = self.view.find(dependency.as_str()) else {
            let known = some_keys(&dependency, self.view.keys());
            return Err(Fault::UnknownDependency { worker, dependency, known }.into());
        };
        if id == on {
            return Err(Fault::SelfDependency { worker }.into());
        }
        if self.view.is_linked(id, on) {
            return Err(Fault::DuplicateDependency { worker, dependency }.into());
        }
        match rank_edge(self.view, on, id) {
            Ranked::Agrees => {}
            Ranked::Moved(ranks) => {
                let old = ranks.iter().map(|(id, _)| (*id, self.view.rank(*id))).collect();
                for (id, rank) in ranks {
                    self.view.set_rank(id, rank);
                }
                self.undo.push(Undo::Ranked(old));
            }
            Ranked::Cycle(path) => {
                let keys = path.into_iter().map(|id| self.view.node(id).key().clone()).collect();
                return Err(Fault::Cycle { keys }.into());
            }
        }
        self.view.link(id, on);
        self.undo.push(Undo::Linked(id));
        // Checked after each edge rather than at the end, so that the error goes to the worker that
        // asked for one edge too many.
        self.check(id).map_err(EditError::from)
    }

    fn unlink(&mut self, asker: A, worker: WorkerId, place: usize) {
        self.changed.push((asker, worker));
        let dependency = self.view.unlink(worker, place);
        self.undo.push(Undo::Unlinked(worker, place, dependency));
        self.applied.unlinked.push((worker, place));
    }

    /// Ranks the added workers by the dependencies among them, if they were added in another order,
    /// so that adding the edges one by one does not move any ranks. A cycle among them is left for
    /// `link` to report.
    fn rank_added(&mut self) {
        let added = self.undo.iter().filter_map(|undo| match undo {
            Undo::Inserted(id) => self.view.get(*id).map(|_| *id),
            _ => None,
        });
        let mut n_missing: FxHashMap<WorkerId, usize> = added.map(|id| (id, 0)).collect();
        let mut successors: FxHashMap<WorkerId, Vec<WorkerId>> = FxHashMap::default();
        for link in &self.links {
            let ends =
                (self.view.find(link.worker.as_str()), self.view.find(link.dependency.as_str()));
            let (Some(worker), Some(on)) = ends else { continue };
            if n_missing.contains_key(&on)
                && let Some(n_missing) = n_missing.get_mut(&worker)
            {
                *n_missing += 1;
                successors.entry(on).or_default().push(worker);
            }
        }
        // The added workers swap ranks only among themselves, so no other rank changes.
        let mut ranks: Vec<_> = n_missing.keys().map(|id| self.view.rank(*id)).collect();
        ranks.sort_unstable();
        let mut sorted: Vec<_> =
            n_missing.iter().filter(|(_, n)| **n == 0).map(|(id, _)| *id).collect();
        sorted.sort_unstable_by_key(|id| self.view.rank(*id));
        let mut next = 0;
        while let Some(id) = sorted.get(next).copied() {
            next += 1;
            for worker in successors.remove(&id).unwrap_or_default() {
                if let Some(n_missing) = n_missing.get_mut(&worker) {
                    *n_missing -= 1;
                    if *n_missing == 0 {
                        sorted.push(worker);
                    }
                }
            }
        }
        if sorted.len() == ranks.len() {
            for (id, rank) in sorted.into_iter().zip(ranks) {
                self.view.set_rank(id, rank);
            }
        }
    }

    fn check(&self, worker: WorkerId) -> Result<(), Fault> {
        let node = self.view.node(worker);
        let dependencies = node.live_dependencies().map(|(_, on)| self.view.node(on));
        let mut faults = Vec::new();
        check_arguments(node.role(), dependencies, &mut faults);
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    fn commit(self) -> Applied {
        // Gaps are closed only now, because a rollback needs every edge in its place.
        for undo in self.undo {
            if let Undo::Unlinked(_, _, dependency) = undo {
                self.view.close_gaps(dependency.on);
            }
        }
        self.applied
    }

    fn roll_back(self) {
        let view = self.view;
        // In reverse order, so that each undo finds the view as its edit left it.
        for undo in self.undo.into_iter().rev() {
            match undo {
                Undo::Inserted(id) => {
                    view.take_out(id);
                    view.recycle(id);
                }
                Undo::TakenOut(id, node) => view.put_back(id, *node),
                Undo::Linked(id) => view.unlink_last(id),
                Undo::Unlinked(id, place, dependency) => view.relink(id, place, dependency),
                Undo::Ranked(old) => old.into_iter().for_each(|(id, rank)| view.set_rank(id, rank)),
                Undo::Replaced(id, payload) => _ = view.replace_payload(id, payload),
            }
        }
    }
}

impl<P> fmt::Debug for Edit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddWorker { key, .. } => write!(f, "add worker `{key}`"),
            Self::RemoveWorker { key } => write!(f, "remove worker `{key}`"),
            Self::AddDependency { worker, dependency } => {
                write!(f, "add dependency of `{worker}` on `{dependency}`")
            }
            Self::RemoveDependency { worker, dependency } => {
                write!(f, "remove dependency of `{worker}` on `{dependency}`")
            }
            Self::Nested { key, edit } => write!(f, "in `{key}`: {edit:?}"),
        }
    }
}
