//! What a worker asks for while it runs: jumps, and changes of the graph.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::args::Args;
use crate::context::Context;
use crate::graph::{Edit, WorkerId};
use crate::key::Key;

/// One thing that a worker asked for.
pub(crate) enum Ask {
    Ferry(Ferry),
    Edit(Edit),
}

/// A jump.
pub(crate) struct Ferry {
    pub(crate) to: Key,
    /// The declared worker of that key, if it has been looked up already.
    pub(crate) declared: Option<WorkerId>,
    pub(crate) args: Args,
}

/// Jumps in the order they were asked for; nearly always one.
pub(crate) type Ferries = SmallVec<[Ferry; 1]>;

/// Where the requests of one execution are collected. Jumps and changes of the graph are kept
/// apart, since the changes of a step are made before its jumps.
#[derive(Default)]
pub(crate) struct AskBox(Mutex<Asked>);

#[derive(Default)]
struct Asked {
    ferries: Ferries,
    edits: Vec<Edit>,
    /// The execution has ended: what is asked for now comes too late.
    closed: bool,
}

impl AskBox {
    /// Takes a request; gives it back if it comes too late.
    pub(crate) fn put(&self, ask: Ask) -> Option<Ask> {
        let mut asked = self.lock();
        if asked.closed {
            return Some(ask);
        }
        match ask {
            Ask::Ferry(ferry) => asked.ferries.push(ferry),
            Ask::Edit(edit) => asked.edits.push(edit),
        }
        None
    }

    /// Refuses what comes from now on.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Takes over what another box holds.
    pub(crate) fn adopt(&self, other: &Self) {
        let mut other = other.lock();
        let mut asked = self.lock();
        asked.ferries.append(&mut other.ferries);
        asked.edits.append(&mut other.edits);
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an execution that has ended asked for: nothing, or what is in the box of its context.
#[derive(Default)]
pub(crate) struct Asks {
    cx: Option<Context>,
    edits: bool,
}

impl Asks {
    /// Closes the box of an execution that has ended.
    pub(crate) fn of(mut cx: Context) -> Self {
        let (any, edits) = with(&mut cx, |asked| {
            asked.closed = true;
            let edits = !asked.edits.is_empty();
            (edits || !asked.ferries.is_empty(), edits)
        });
        Self { cx: any.then_some(cx), edits }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cx.is_none()
    }

    pub(crate) fn has_edits(&self) -> bool {
        self.edits
    }

    /// The changes of the graph, once.
    pub(crate) fn take_edits(&mut self) -> Vec<Edit> {
        let take = |cx| with(cx, |asked| std::mem::take(&mut asked.edits));
        self.cx.as_mut().map(take).unwrap_or_default()
    }

    /// The jumps, once.
    pub(crate) fn take_ferries(&mut self) -> Ferries {
        let take = |cx| with(cx, |asked| std::mem::take(&mut asked.ferries));
        self.cx.as_mut().map(take).unwrap_or_default()
    }
}

/// Looks into the box of an execution that has ended: without a lock, unless somebody has kept
/// its context.
fn with<R>(cx: &mut Context, look: impl FnOnce(&mut Asked) -> R) -> R {
    match cx.asks_mut() {
        Some(asks) => look(asks.0.get_mut().unwrap_or_else(PoisonError::into_inner)),
        None => look(&mut cx.asks().lock()),
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ferry(Ferry { to, args, .. }) => write!(f, "ferry to `{to}` with {args:?}"),
            Self::Edit(edit) => edit.fmt(f),
        }
    }
}
