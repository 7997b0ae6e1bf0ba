//! Which events a subscriber gets.

use std::ops::BitOr;

use super::Event;
use crate::key::Key;

/// Which events a subscriber gets, and how many are kept for it while it is busy.
///
/// Filters are combined with `|`: an event passes if it passes either side.
///
/// ```
/// use ddg_core::event::EventFilter;
///
/// let tokens_of_the_writer = EventFilter::messages().of_worker("write");
/// let filter = tokens_of_the_writer | EventFilter::custom() | EventFilter::updates().within(["plan"]);
/// ```
#[derive(Clone, Debug)]
pub struct EventFilter {
    any_of: Vec<Clause>,
    buffer: usize,
}

#[derive(Clone, Debug)]
struct Clause {
    modes: Modes,
    /// The keys that lead to the automa that the event must be in.
    within: Vec<Key>,
    /// The workers of which it must be about one, if there are any.
    workers: Vec<Key>,
}

/// A set of modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Modes(u8);

impl Modes {
    pub(super) const VALUES: Self = Self(1);
    pub(super) const UPDATES: Self = Self(2);
    pub(super) const MESSAGES: Self = Self(4);
    pub(super) const CUSTOM: Self = Self(8);
    pub(super) const DEBUG: Self = Self(16);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How many events are kept unless a filter says otherwise.
const BUFFER: usize = 1024;

impl EventFilter {
    /// All events but the [`values`](Self::values): what most subscribers want.
    pub fn all() -> Self {
        Self::of(Modes::UPDATES.and(Modes::MESSAGES).and(Modes::CUSTOM).and(Modes::DEBUG))
    }

    /// The state of the run after each step: [`Values`](crate::event::EventKind::Values).
    pub fn values() -> Self {
        Self::of(Modes::VALUES)
    }

    /// What each step gave, and how the run ended: [`StepSettled`](crate::event::EventKind::StepSettled),
    /// [`RunPaused`](crate::event::EventKind::RunPaused), [`RunFinished`](crate::event::EventKind::RunFinished),
    /// [`RunFailed`](crate::event::EventKind::RunFailed), [`RunCancelled`](crate::event::EventKind::RunCancelled).
    pub fn updates() -> Self {
        Self::of(Modes::UPDATES)
    }

    /// Parts of outputs, tokens of a model say: [`Chunk`](crate::event::EventKind::Chunk).
    pub fn messages() -> Self {
        Self::of(Modes::MESSAGES)
    }

    /// What workers tell: [`Custom`](crate::event::EventKind::Custom).
    pub fn custom() -> Self {
        Self::of(Modes::CUSTOM)
    }

    /// What the engine does: runs, steps, workers, attempts, ferries, changes of the graph.
    pub fn debug() -> Self {
        Self::of(Modes::DEBUG)
    }

    /// Only events of the nested automa that these keys lead to, and of those nested in it.
    #[must_use]
    pub fn within(mut self, path: impl IntoIterator<Item: Into<Key>>) -> Self {
        let path: Vec<Key> = path.into_iter().map(Into::into).collect();
        self.any_of.iter_mut().for_each(|clause| clause.within.clone_from(&path));
        self
    }

    /// Only events about the worker `key`, alone or among others. Said several times: about any of
    /// these.
    #[must_use]
    pub fn of_worker(mut self, key: impl Into<Key>) -> Self {
        let key = key.into();
        self.any_of.iter_mut().for_each(|clause| clause.workers.push(key.clone()));
        self
    }

    /// How many events are kept for a subscriber that does not take them (1024 unless set, at least
    /// one). When one more comes, the oldest is given up, and the subscriber is told:
    /// [`Missed`](crate::event::Missed).
    #[must_use]
    pub fn buffer(mut self, events: usize) -> Self {
        self.buffer = events.max(1);
        self
    }

    fn of(modes: Modes) -> Self {
        let clause = Clause { modes, within: Vec::new(), workers: Vec::new() };
        Self { any_of: vec![clause], buffer: BUFFER }
    }

    pub(super) fn capacity(&self) -> usize {
        self.buffer
    }

    pub(super) fn wants_values(&self) -> bool {
        self.any_of.iter().any(|clause| clause.modes.meets(Modes::VALUES))
    }

    pub(super) fn passes(&self, event: &Event) -> bool {
        self.any_of.iter().any(|clause| clause.passes(event))
    }
}

impl Clause {
    fn passes(&self, event: &Event) -> bool {
        self.modes.meets(event.kind.modes())
            && (self.within.is_empty() || is_within(event, &self.within))
            && (self.workers.is_empty() || self.workers.iter().any(|key| event.kind.concerns(key)))
    }
}

/// Whether the automa of `event` is the one that `keys` lead to, or nested in it.
fn is_within(event: &Event, keys: &[Key]) -> bool {
    let mut path = Vec::new();
    let mut at = event.automa.as_deref();
    while let Some(automa) = at {
        path.push(automa.key());
        at = automa.parent();
    }
    path.len() >= keys.len() && path.into_iter().rev().zip(keys).all(|(have, want)| have == want)
}

impl Default for EventFilter {
    fn default() -> Self {
        Self::all()
    }
}

/// What passes either; the larger buffer of the two.
impl BitOr for EventFilter {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self.any_of.extend(other.any_of);
        self.buffer = self.buffer.max(other.buffer);
        self
    }
}
