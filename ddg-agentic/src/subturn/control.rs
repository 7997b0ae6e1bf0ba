//! What ends a turn from the outside.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What ends one turn, shared by all who may end it.
///
/// Cancelling a turn cancels all below it, called or spawned, critical or not; `tasks` are those of all
/// turns of one root, so that whoever stops it can wait until none of them does anything any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control(Arc<Ends>);

#[derive(Debug, Default)]
struct Ends {
    cancelled: CancellationToken,
    /// Whether somebody has asked for the end; a turn that is cancelled otherwise can be gone on with.
    stopped: AtomicBool,
    asked_to_finish: AtomicBool,
    hint: Mutex<Option<String>>,
    around: Option<Control>,
    /// Of all turns of this root.
    root: Arc<Root>,
}

/// What all turns of one root share.
#[derive(Debug, Default)]
struct Root {
    tasks: TaskTracker,
    /// The names of the children that go on.
    live: Mutex<BTreeSet<String>>,
}

impl Control {
    /// That of a turn below this one.
    pub(super) fn below(&self) -> Self {
        Self(Arc::new(Ends {
            cancelled: self.0.cancelled.child_token(),
            around: Some(self.clone()),
            root: Arc::clone(&self.0.root),
            ..Ends::default()
        }))
    }

    /// Stops the turn, and all below it; tells whether nobody had.
    pub(crate) fn stop(&self) -> bool {
        let is_first = !self.0.stopped.swap(true, Ordering::SeqCst);
        self.0.cancelled.cancel();
        is_first
    }

    /// The turn's run is gone: all below it end where they are, and nothing is decided about them.
    pub(super) fn suspend(&self) {
        self.0.cancelled.cancel();
    }

    /// Whether this turn, or one around it, was stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        let around = || self.0.around.as_ref().is_some_and(Self::is_stopped);
        self.0.stopped.load(Ordering::SeqCst) || around()
    }

    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.0.cancelled
    }

    /// Asks the turn to finish with what it has.
    pub(crate) fn ask_to_finish(&self) {
        self.0.asked_to_finish.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_asked_to_finish(&self) -> bool {
        self.0.asked_to_finish.load(Ordering::SeqCst)
    }

    /// Lets the turn make no more calls of tools, and ask its model once more, with `hint`.
    pub(crate) fn interrupt(&self, hint: String) {
        *self.0.hint.lock().unwrap_or_else(PoisonError::into_inner) = Some(hint);
    }

    pub(super) fn take_hint(&self) -> Option<String> {
        self.0.hint.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.0.hint.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// A child goes on, or does no more.
    pub(super) fn note(&self, child: String, goes_on: bool) {
        let mut live = self.0.root.live.lock().unwrap_or_else(PoisonError::into_inner);
        _ = if goes_on { live.insert(child) } else { live.remove(&child) };
    }

    /// The names of all children of this root that go on.
    pub(crate) fn children(&self) -> Vec<String> {
        let live = self.0.root.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.iter().cloned().collect()
    }

    /// The tasks of all turns of this root.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.root.tasks
    }
}
