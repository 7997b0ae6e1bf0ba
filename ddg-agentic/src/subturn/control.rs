//! The control with which a turn is stopped or finished from outside of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Control of one turn, shared by everything that may end the turn.
///
/// Cancelling a turn cancels all turns below it, called or spawned, critical or not. `tasks` has
/// the tasks of all turns of one root, so a caller that stops the root can wait until all of them
/// have ended.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    ends: Arc<Ends>,
    /// Cancelled with `ends`, or alone when one run of the turn is dropped.
    cancelled: CancellationToken,
}

#[derive(Debug, Default)]
struct Ends {
    cancelled: CancellationToken,
    /// Whether the turn was stopped on request. A turn that was only cancelled can be continued.
    stopped: AtomicBool,
    asked_to_finish: AtomicBool,
    hint: Mutex<Option<String>>,
    around: Option<Control>,
    /// The root of the turn.
    root: Arc<Root>,
}

/// State shared by all turns of one root.
#[derive(Debug, Default)]
struct Root {
    tasks: TaskTracker,
    /// The names of the active children.
    live: Mutex<BTreeSet<String>>,
}

impl Control {
    /// The control of a turn below this one.
    pub(super) fn below(&self) -> Self {
        Self::of(Ends {
            cancelled: self.cancelled.child_token(),
            around: Some(self.clone()),
            root: Arc::clone(&self.ends.root),
            ..Ends::default()
        })
    }

    /// The control of one run of the turn. The turn has another run if it is continued in this
    /// process.
    pub(super) fn of_run(&self) -> Self {
        Self { ends: Arc::clone(&self.ends), cancelled: self.ends.cancelled.child_token() }
    }

    fn of(ends: Ends) -> Self {
        Self { cancelled: ends.cancelled.clone(), ends: Arc::new(ends) }
    }

    /// Stops the turn, and all turns below it. Returns whether this was the first call.
    pub(crate) fn stop(&self) -> bool {
        let is_first = !self.ends.stopped.swap(true, Ordering::SeqCst);
        self.ends.cancelled.cancel();
        is_first
    }

    /// Cancels this run of the turn, and everything below it. Nothing is decided about their
    /// results.
    pub(super) fn suspend(&self) {
        self.cancelled.cancel();
    }

    /// Whether this turn, or a turn around it, was stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        let around = || self.ends.around.as_ref().is_some_and(Self::is_stopped);
        self.ends.stopped.load(Ordering::SeqCst) || around()
    }

    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Asks the turn to finish with its result so far.
    pub(crate) fn ask_to_finish(&self) {
        self.ends.asked_to_finish.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_asked_to_finish(&self) -> bool {
        self.ends.asked_to_finish.load(Ordering::SeqCst)
    }

    /// Makes the turn begin no more tool calls, and ask its model once more, with `hint`.
    pub(crate) fn interrupt(&self, hint: String) {
        *self.ends.hint.lock().unwrap_or_else(PoisonError::into_inner) = Some(hint);
    }

    pub(super) fn take_hint(&self) -> Option<String> {
        self.ends.hint.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.ends.hint.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Adds or removes an active child.
    pub(super) fn note(&self, child: String, goes_on: bool) {
        let mut live = self.ends.root.live.lock().unwrap_or_else(PoisonError::into_inner);
        _ = if goes_on { live.insert(child) } else { live.remove(&child) };
    }

    /// The names of all active children of this root.
    pub(crate) fn children(&self) -> Vec<String> {
        let live = self.ends.root.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.iter().cloned().collect()
    }

    /// The tasks of all turns of this root.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.ends.root.tasks
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::of(Ends::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run whose lease was acquired again is another run of the same turn.
    #[test]
    fn a_turn_outlives_its_runs() {
        let turn = Control::default();
        let (first, second) = (turn.of_run(), turn.of_run());
        let below = first.below();
        first.suspend();
        assert!(below.cancelled().is_cancelled() && !below.is_stopped());
        assert!(!turn.cancelled().is_cancelled() && !second.cancelled().is_cancelled());
        assert!(turn.stop() && !second.stop());
        assert!(second.cancelled().is_cancelled() && second.below().is_stopped());
    }
}
