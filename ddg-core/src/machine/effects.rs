//! What a worker asked for while it ran, as plain data that leaves it when it ends.

use crate::args::Args;
use crate::graph::{Edit, Payload, Topology, WorkerId};
use crate::key::Key;

/// A jump.
#[derive(Clone)]
pub(crate) struct Ferry {
    pub(crate) to: Target,
    pub(crate) args: Args,
}

/// Where a jump goes.
#[derive(Clone)]
pub(crate) enum Target {
    /// To the worker that had the key when the run began.
    Declared(WorkerId),
    Key(Key),
}

/// What one execution asked for. Most ask for nothing or for one jump, for which there is room here.
pub(crate) struct Effects<P> {
    first: Option<Ferry>,
    more: Option<Box<More<P>>>,
}

/// Everything but the first jump.
struct More<P> {
    /// In the order they were asked for.
    ferries: Vec<Ferry>,
    /// Changes of the graph; apart from the jumps, since the edits of a step are applied before them.
    edits: Vec<Edit<P>>,
    /// Whether the run was asked to stop.
    stop: bool,
}

impl<P> Effects<P> {
    #[inline]
    pub(crate) fn push_ferry(&mut self, ferry: Ferry) {
        match &self.first {
            None => self.first = Some(ferry),
            Some(_) => self.more().ferries.push(ferry),
        }
    }

    pub(crate) fn push_edit(&mut self, edit: Edit<P>) {
        self.more().edits.push(edit);
    }

    /// Asks the run to stop after the current step.
    pub(crate) fn set_stop(&mut self) {
        self.more().stop = true;
    }

    /// Appends what `other` asked for.
    pub(crate) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        other.first.into_iter().for_each(|ferry| self.push_ferry(ferry));
        let Some(mut other) = other.more else { return };
        let more = self.more();
        more.ferries.append(&mut other.ferries);
        more.edits.append(&mut other.edits);
        more.stop |= other.stop;
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_none()
    }

    /// Whether it is one jump at most, so that there is no edit to apply and no stop.
    #[inline]
    pub(super) fn is_simple(&self) -> bool {
        self.more.is_none()
    }

    pub(crate) fn has_edits(&self) -> bool {
        self.more.as_ref().is_some_and(|more| !more.edits.is_empty())
    }

    pub(crate) fn stops(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.stop)
    }

    /// The jumps, in the order they were asked for.
    pub(crate) fn ferries(&self) -> impl Iterator<Item = &Ferry> {
        self.first.iter().chain(self.more.iter().flat_map(|more| &more.ferries))
    }

    /// The changes of the graph, in the order they were asked for.
    pub(crate) fn edits(&self) -> &[Edit<P>] {
        self.more.as_ref().map_or(&[], |more| &more.edits)
    }

    /// The changes of the graph, once.
    pub(super) fn take_edits(&mut self) -> Vec<Edit<P>> {
        self.more.as_mut().map(|more| std::mem::take(&mut more.edits)).unwrap_or_default()
    }

    /// Hands out the jumps, once.
    #[inline]
    pub(super) fn take_ferries(&mut self, mut take: impl FnMut(Ferry)) {
        if let Some(ferry) = self.first.take() {
            take(ferry);
        }
        if let Some(more) = &mut self.more {
            more.ferries.drain(..).for_each(take);
        }
    }

    fn more(&mut self) -> &mut More<P> {
        self.more.get_or_insert_with(|| {
            Box::new(More { ferries: Vec::new(), edits: Vec::new(), stop: false })
        })
    }
}

impl<P> Default for Effects<P> {
    fn default() -> Self {
        Self { first: None, more: None }
    }
}

impl Ferry {
    /// For messages; `topology` is the graph that was declared.
    pub(crate) fn describe<P: Payload>(&self, topology: &Topology<P>) -> String {
        format!("ferry to `{}` with {:?}", self.to.key(topology), self.args)
    }
}

impl Target {
    /// The target that `key` names; `topology` is the graph that was declared.
    pub(crate) fn of<P: Payload>(topology: &Topology<P>, key: Key) -> Self {
        match topology.index.get(&key) {
            Some(declared) => Self::Declared(*declared),
            None => Self::Key(key),
        }
    }

    /// The key that names it.
    pub(crate) fn key<'a, P: Payload>(&'a self, topology: &'a Topology<P>) -> &'a Key {
        match self {
            Self::Declared(id) => topology.nodes[id.index()].key(),
            Self::Key(key) => key,
        }
    }
}
