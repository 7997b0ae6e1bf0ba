//! Filters: which events a subscriber gets.

use std::ops::BitOr;

use super::Event;
use crate::key::Key;

/// A filter of events, with the number of events that are buffered for the subscriber.
///
/// Combine filters with `|`: an event passes if it passes one of them.
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
    /// If not empty, the event must concern one of these workers.
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

/// Number of events that are buffered unless a filter says otherwise.
const BUFFER: usize = 1024;

impl EventFilter {
    /// All events except [`values`](Self::values), which is what most subscribers want.
    pub fn all() -> Self {
        Self::of(Modes::UPDATES.and(Modes::MESSAGES).and(Modes::CUSTOM).and(Modes::DEBUG))
    }

    /// The state of the run after each step: [`Values`](crate::event::EventKind::Values).
    pub fn values() -> Self {
        Self::of(Modes::VALUES)
    }

    /// The outputs of each step and the end of the run:
    /// [`StepSettled`](crate::event::EventKind::StepSettled),
    /// [`RunPaused`](crate::event::EventKind::RunPaused),
    /// [`RunFinished`](crate::event::EventKind::RunFinished),
    /// [`RunFailed`](crate::event::EventKind::RunFailed),
    /// [`RunCancelled`](crate::event::EventKind::RunCancelled).
    pub fn updates() -> Self {
        Self::of(Modes::UPDATES)
    }

    /// Parts of outputs, such as the tokens of a model: [`Chunk`](crate::event::EventKind::Chunk).
    pub fn messages() -> Self {
        Self::of(Modes::MESSAGES)
    }

    /// Events that workers emit: [`Custom`](crate::event::EventKind::Custom).
    pub fn custom() -> Self {
        Self::of(Modes::CUSTOM)
    }

    /// Events of the engine: runs, steps, workers, attempts, ferries and changes of the graph.
    pub fn debug() -> Self {
        Self::of(Modes::DEBUG)
    }

    /// Restricts the filter to the nested automa that these keys lead to, and to the automata
    /// nested in it.
    #[must_use]
    pub fn within(mut self, path: impl IntoIterator<Item: Into<Key>>) -> Self {
        let path: Vec<Key> = path.into_iter().map(Into::into).collect();
        self.any_of.iter_mut().for_each(|clause| clause.within.clone_from(&path));
        self
    }

    /// Restricts the filter to events that concern the worker `key`, alone or among others. Called
    /// several times, it lets events about any of the workers pass.
    #[must_use]
    pub fn of_worker(mut self, key: impl Into<Key>) -> Self {
        let key = key.into();
        self.any_of.iter_mut().for_each(|clause| clause.workers.push(key.clone()));
        self
    }

    /// Sets the number of events that are buffered for the subscriber: 1024 by default, at least
    /// one. When the buffer is full the oldest event is dropped, and the subscriber gets a
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

    /// Whether an event, whose modes are `modes`, passes.
    pub(super) fn passes(&self, event: &Event, modes: Modes) -> bool {
        self.any_of.iter().any(|clause| clause.passes(event, modes))
    }
}

impl Clause {
    fn passes(&self, event: &Event, modes: Modes) -> bool {
        self.modes.meets(modes)
            && (self.within.is_empty() || is_within(event, &self.within))
            && (self.workers.is_empty() || self.workers.iter().any(|key| event.kind.concerns(key)))
    }
}

/// Whether the automa of `event` is the one that `keys` lead to, or is nested in it.
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

/// Passes what passes either filter, with the larger of the two buffers.
impl BitOr for EventFilter {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self.any_of.extend(other.any_of);
        self.buffer = self.buffer.max(other.buffer);
        self
    }
}
