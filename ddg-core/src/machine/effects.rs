//! Effects: what a worker asked for, as plain data that leaves the worker when it ends.

use crate::args::Args;
use crate::graph::{Edit, Payload, Topology, WorkerId};
use crate::key::Key;

/// A ferry: a jump to a worker.
#[derive(Clone)]
pub(crate) struct Ferry {
    pub(crate) to: Target,
    pub(crate) args: Args,
}

/// The target of a ferry.
#[derive(Clone)]
pub(crate) enum Target {
    /// The worker that had the key when the run began.
    Declared(WorkerId),
    Key(Key),
}

/// The effects of one execution. Most executions have none, and an end is moved more often than
/// effects are requested, so the type is a single pointer.
pub(crate) struct Effects<P>(Option<Box<Asked<P>>>);

struct Asked<P> {
    /// The ferries in the order of the calls. Nearly always there is one, which needs no list.
    first: Option<Ferry>,
    more: Vec<Ferry>,
    /// The edits, apart from the ferries because the edits of a step are applied first.
    edits: Vec<Edit<P>>,
    /// Whether the run was asked to stop.
    stop: bool,
}

impl<P> Asked<P> {
    /// Whether there is at most one ferry.
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

    /// Stops the run after the current step.
    pub(crate) fn set_stop(&mut self) {
        self.asked().stop = true;
    }

    /// Appends the effects of `other`.
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

    /// Whether there is at most one ferry, no edit and no stop.
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

    /// The ferries in the order of the calls.
    pub(crate) fn ferries(&self) -> impl Iterator<Item = &Ferry> {
        self.0.iter().flat_map(|asked| asked.first.iter().chain(&asked.more))
    }

    /// The edits in the order of the calls.
    pub(crate) fn edits(&self) -> &[Edit<P>] {
        self.0.as_ref().map_or(&[], |asked| &asked.edits)
    }

    /// Takes the edits out.
    pub(super) fn take_edits(&mut self) -> Vec<Edit<P>> {
        self.0.as_mut().map(|asked| std::mem::take(&mut asked.edits)).unwrap_or_default()
    }

    /// The first ferry, and the memory for other effects.
    #[inline]
    pub(super) fn into_first(self) -> Option<(Ferry, Self)> {
        let mut asked = self.0?;
        let first = asked.first.take()?;
        Some((first, Self(Some(asked))))
    }

    /// Whether it has memory that the next effects can use.
    #[inline]
    pub(super) fn has_memory(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the ferries out, and keeps the memory.
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
    /// The key for messages; `topology` is the declared graph.
    pub(crate) fn describe<P: Payload>(&self, topology: &Topology<P>) -> String {
        format!("ferry to `{}` with {:?}", self.to.key(topology), self.args)
    }
}

impl Target {
    /// The target with the key `key`; `topology` is the declared graph.
    pub(crate) fn of<P: Payload>(topology: &Topology<P>, key: Key) -> Self {
        match topology.index.get(&key) {
            Some(declared) => Self::Declared(*declared),
            None => Self::Key(key),
        }
    }

    /// The key of the target; `topology` is the declared graph.
    pub(crate) fn key<'a, P: Payload>(&'a self, topology: &'a Topology<P>) -> &'a Key {
        match self {
            Self::Declared(id) => topology.nodes[id.index()].key(),
            Self::Key(key) => key,
        }
    }
}
