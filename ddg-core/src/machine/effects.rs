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

/// What one execution asked for. Most ask for nothing, which takes no room, since an end is moved
/// more often than an execution asks.
pub(crate) struct Effects<P>(Option<Box<Asked<P>>>);

struct Asked<P> {
    /// Jumps, in the order they were asked for: nearly always one.
    first: Option<Ferry>,
    more: Vec<Ferry>,
    /// Changes of the graph; apart from the jumps, since the edits of a step are applied before them.
    edits: Vec<Edit<P>>,
    /// Whether the run was asked to stop.
    stop: bool,
}

impl<P> Asked<P> {
    /// Whether it is one jump at most.
    fn is_simple(&self) -> bool {
        self.more.is_empty() && self.edits.is_empty() && !self.stop
    }
}

impl<P> Effects<P> {
    #[inline]
    pub(crate) fn push_ferry(&mut self, ferry: Ferry) {
        let asked = self.asked();
        match &asked.first {
            None => asked.first = Some(ferry),
            Some(_) => asked.more.push(ferry),
        }
    }

    pub(crate) fn push_edit(&mut self, edit: Edit<P>) {
        self.asked().edits.push(edit);
    }

    /// Asks the run to stop after the current step.
    pub(crate) fn set_stop(&mut self) {
        self.asked().stop = true;
    }

    /// Appends what `other` asked for.
    pub(crate) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        let Some(mut other) = other.0 else { return };
        other.first.take().into_iter().chain(other.more).for_each(|ferry| self.push_ferry(ferry));
        let asked = self.asked();
        asked.edits.append(&mut other.edits);
        asked.stop |= other.stop;
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|asked| asked.first.is_none() && asked.is_simple())
    }

    /// Whether it is one jump at most, so that there is no edit to apply and no stop.
    #[inline]
    pub(super) fn is_simple(&self) -> bool {
        self.0.as_ref().is_none_or(|asked| asked.is_simple())
    }

    pub(crate) fn has_edits(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| !asked.edits.is_empty())
    }

    pub(crate) fn stops(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| asked.stop)
    }

    /// The jumps, in the order they were asked for.
    pub(crate) fn ferries(&self) -> impl Iterator<Item = &Ferry> {
        self.0.iter().flat_map(|asked| asked.first.iter().chain(&asked.more))
    }

    /// The changes of the graph, in the order they were asked for.
    pub(crate) fn edits(&self) -> &[Edit<P>] {
        self.0.as_ref().map_or(&[], |asked| &asked.edits)
    }

    /// The changes of the graph, once.
    pub(super) fn take_edits(&mut self) -> Vec<Edit<P>> {
        self.0.as_mut().map(|asked| std::mem::take(&mut asked.edits)).unwrap_or_default()
    }

    /// Hands out the jumps, once.
    #[inline]
    pub(super) fn take_ferries(&mut self, mut take: impl FnMut(Ferry)) {
        if let Some(asked) = &mut self.0 {
            if let Some(ferry) = asked.first.take() {
                take(ferry);
            }
            asked.more.drain(..).for_each(take);
        }
    }

    fn asked(&mut self) -> &mut Asked<P> {
        self.0.get_or_insert_with(|| {
            Box::new(Asked { first: None, more: Vec::new(), edits: Vec::new(), stop: false })
        })
    }
}

impl<P> Default for Effects<P> {
    fn default() -> Self {
        Self(None)
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
