//! What a worker asks for while it runs: jumps, and changes of the graph.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Pending;
use crate::args::Args;
use crate::context::Context;
use crate::graph::{Edit, Topology, WorkerId};
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

/// Jumps in the order they were asked for: nearly always one.
#[derive(Default)]
pub(crate) struct Ferries {
    first: Option<Ferry>,
    more: Vec<Ferry>,
}

/// Where the requests of one execution are collected. Jumps and changes of the graph are kept
/// apart, since the changes of a step are made before its jumps.
#[derive(Default)]
pub(crate) struct AskBox(Mutex<Asked>);

#[derive(Default)]
struct Asked {
    ferries: Ferries,
    edits: Vec<Edit>,
    /// Whether the run was asked to stop.
    stop: bool,
    /// How many questions to people were asked.
    n_questions: usize,
    /// What of it has no answer.
    pending: Option<Box<Pending>>,
    /// The execution has ended: what is asked for now comes too late.
    closed: bool,
}

impl Ferries {
    fn push(&mut self, ferry: Ferry) {
        match &self.first {
            None => self.first = Some(ferry),
            Some(_) => self.more.push(ferry),
        }
    }

    fn drain(&mut self) -> impl Iterator<Item = Ferry> {
        self.first.take().into_iter().chain(self.more.drain(..))
    }
}

impl AskBox {
    /// Takes a jump; gives it back if it comes too late.
    pub(crate) fn put_ferry(&self, ferry: Ferry) -> Option<Ferry> {
        let mut asked = self.lock();
        if asked.closed {
            return Some(ferry);
        }
        asked.ferries.push(ferry);
        None
    }

    /// Takes a change of the graph; gives it back if it comes too late.
    #[inline]
    pub(crate) fn put_edit(&self, edit: Edit) -> Option<Edit> {
        let mut asked = self.lock();
        if asked.closed {
            return Some(edit);
        }
        asked.edits.push(edit);
        None
    }

    /// Notes that the run was asked to stop.
    pub(crate) fn put_stop(&self) {
        self.lock().stop = true;
    }

    /// Counts a question to a person; gives how many there were before.
    pub(crate) fn next_question(&self) -> usize {
        let mut asked = self.lock();
        asked.n_questions += 1;
        asked.n_questions - 1
    }

    /// Notes that something has no answer; the first such thing counts.
    pub(crate) fn wait_for(&self, pending: Pending) {
        self.lock().pending.get_or_insert_with(|| Box::new(pending));
    }

    /// Whether something has no answer.
    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().pending.is_some()
    }

    pub(crate) fn take_pending(&self) -> Option<Pending> {
        self.lock().pending.take().map(|pending| *pending)
    }

    /// A box for another attempt of the same kickoff: its questions are counted on.
    pub(crate) fn for_attempt(&self) -> Self {
        let n_questions = self.lock().n_questions;
        Self(Mutex::new(Asked { n_questions, ..Asked::default() }))
    }

    /// Refuses what comes from now on.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Takes over what another box holds.
    pub(crate) fn adopt(&self, other: &Self) {
        let mut other = other.lock();
        let mut asked = self.lock();
        other.ferries.drain().for_each(|ferry| asked.ferries.push(ferry));
        asked.edits.append(&mut other.edits);
        asked.stop |= other.stop;
        asked.n_questions = other.n_questions;
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy of what an execution asked for.
#[derive(Default)]
pub(super) struct Copied {
    pub(super) ferries: Vec<Ferry>,
    pub(super) edits: Vec<Edit>,
    pub(super) stop: bool,
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
            (edits || asked.stop || asked.ferries.first.is_some(), edits)
        });
        Self { cx: any.then_some(cx), edits }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cx.is_none()
    }

    pub(crate) fn has_edits(&self) -> bool {
        self.edits
    }

    /// All of it, which stays where it is.
    pub(super) fn copy(&self) -> Copied {
        let Some(cx) = &self.cx else { return Copied::default() };
        let asked = cx.asks().lock();
        Copied {
            ferries: asked.ferries.first.iter().chain(&asked.ferries.more).cloned().collect(),
            edits: asked.edits.clone(),
            stop: asked.stop,
        }
    }

    /// The changes of the graph, once.
    pub(crate) fn take_edits(&mut self) -> Vec<Edit> {
        let take = |cx| with(cx, |asked| std::mem::take(&mut asked.edits));
        self.cx.as_mut().map(take).unwrap_or_default()
    }

    /// Hands out the jumps, once.
    pub(crate) fn take_ferries(&mut self, take: impl FnMut(Ferry)) {
        if let Some(cx) = &mut self.cx {
            with(cx, |asked| asked.ferries.drain().for_each(take));
        }
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

impl Ferry {
    /// For messages; `topology` is the graph that was declared.
    pub(crate) fn describe(&self, topology: &Topology) -> String {
        format!("ferry to `{}` with {:?}", self.to.key(topology), self.args)
    }
}

impl Target {
    /// What `key` names; `topology` is the graph that was declared.
    pub(super) fn of(topology: &Topology, key: Key) -> Self {
        match topology.index.get(&key) {
            Some(declared) => Self::Declared(*declared),
            None => Self::Key(key),
        }
    }

    /// What names it.
    pub(super) fn key<'a>(&'a self, topology: &'a Topology) -> &'a Key {
        match self {
            Self::Declared(id) => topology.nodes[id.index()].key(),
            Self::Key(key) => key,
        }
    }
}
