//! The active turns of conversations, and the controls that end them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ddg_core::run::RunBuilder;
use ddg_core::{Outcome, RunError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::memory::ConversationId;
use crate::react::AgentOutcome;
use crate::subturn::Control;

/// Maximum time to wait until a stopped turn has ended with everything below it. A tool that blocks
/// its thread cannot be stopped, so there is a limit.
pub(super) const SETTLING: Duration = Duration::from_secs(10);

/// The active turns of all conversations.
#[derive(Debug, Default)]
pub(super) struct LiveTurns(Mutex<Turns>);

#[derive(Debug, Default)]
struct Turns {
    is_closed: bool,
    live: BTreeMap<ConversationId, Arc<Live>>,
    /// Controls of children that continue after their turn has ended.
    left: Vec<(ConversationId, Control)>,
    /// Conversations whose last turn waits for a person.
    waiting: BTreeSet<ConversationId>,
}

/// An active turn.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) control: Control,
    ended: CancellationToken,
    was_stopped: AtomicBool,
}

/// Guard of an active turn: unregisters the turn when dropped.
pub(super) struct LiveTurn<'a> {
    conversation: ConversationId,
    live: Arc<Live>,
    turns: &'a LiveTurns,
}

/// How a turn ended.
pub(super) enum Went {
    /// The turn ended by itself.
    Ended(Result<Outcome, RunError>),
    /// The turn was stopped.
    Stopped,
}

impl LiveTurns {
    /// Registers a turn of a conversation. Returns `None` if the agent is closed.
    pub(super) fn begin(&self, conversation: &ConversationId) -> Option<LiveTurn<'_>> {
        let mut turns = self.lock();
        if turns.is_closed {
            return None;
        }
        let live = Arc::new(Live::default());
        turns.live.insert(conversation.clone(), Arc::clone(&live));
        Some(LiveTurn { conversation: conversation.clone(), live, turns: self })
    }

    pub(super) fn find(&self, conversation: &ConversationId) -> Option<Arc<Live>> {
        self.lock().live.get(conversation).cloned()
    }

    pub(super) fn is_waiting(&self, conversation: &ConversationId) -> bool {
        self.lock().waiting.contains(conversation)
    }

    /// Refuses further turns.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// The active turns.
    pub(super) fn live(&self) -> Vec<(ConversationId, Arc<Live>)> {
        let turns = self.lock();
        turns.live.iter().map(|(id, live)| (id.clone(), Arc::clone(live))).collect()
    }

    /// Controls of children that continue after their turn has ended.
    pub(super) fn left(&self) -> Vec<(ConversationId, Control)> {
        let mut turns = self.lock();
        turns.left.retain(|(_, control)| !control.tasks().is_empty());
        turns.left.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Resolves when the turn has ended, with all of its work.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether the turn was stopped before it ended by itself.
    pub(super) fn was_stopped(&self) -> bool {
        self.was_stopped.load(Ordering::SeqCst)
    }
}

impl LiveTurn<'_> {
    /// The output of `waiting`, or `None` if the turn is stopped first.
    pub(super) async fn until_stopped<F: Future>(&self, waiting: F) -> Option<F::Output> {
        self.live.control.cancelled().run_until_cancelled(waiting).await
    }

    /// Runs the turn until it ends or is stopped. A stopped turn then waits until everything below
    /// it has ended.
    pub(super) async fn run(&self, run: RunBuilder<AgentOutcome>) -> Went {
        self.waits(false);
        let control = &self.live.control;
        let given = control.clone();
        let run = run.attach(move |_| given.clone()).outcome();
        let ended = control.cancelled().run_until_cancelled(run).await;
        match ended {
            Some(ended) if !control.is_stopped() => Went::Ended(ended),
            Some(_) | None => {
                settled(control).await;
                self.stopped();
                Went::Stopped
            }
        }
    }

    /// Records that the turn was stopped before it ended by itself.
    pub(super) fn stopped(&self) {
        self.live.was_stopped.store(true, Ordering::SeqCst);
    }

    /// Sets whether the conversation waits for a person.
    pub(super) fn waits(&self, waits: bool) {
        let mut turns = self.turns.lock();
        match waits {
            true => _ = turns.waiting.insert(self.conversation.clone()),
            false => _ = turns.waiting.remove(&self.conversation),
        }
    }
}

/// Waits until everything below a turn has ended, at most for [`SETTLING`]. Returns whether it has.
pub(super) async fn settled(control: &Control) -> bool {
    control.tasks().close();
    timeout(SETTLING, control.tasks().wait()).await.is_ok()
}

impl Drop for LiveTurn<'_> {
    fn drop(&mut self) {
        let mut turns = self.turns.lock();
        if turns.live.get(&self.conversation).is_some_and(|live| Arc::ptr_eq(live, &self.live)) {
            turns.live.remove(&self.conversation);
        }
        turns.left.retain(|(_, control)| !control.tasks().is_empty());
        if !self.live.control.tasks().is_empty() {
            turns.left.push((self.conversation.clone(), self.live.control.clone()));
        }
        drop(turns);
        self.live.ended.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [subturn 12] A stop waits for everything below the turn, but not for ever: what cannot be
    /// stopped is left after [`SETTLING`].
    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_a_bounded_time() {
        let stuck = Control::default();
        stuck.tasks().spawn(std::future::pending::<()>());
        let began = tokio::time::Instant::now();
        assert!(!settled(&stuck).await);
        assert_eq!(began.elapsed(), SETTLING);

        let ends = Control::default();
        ends.tasks().spawn(tokio::time::sleep(SETTLING - Duration::from_millis(1)));
        let began = tokio::time::Instant::now();
        assert!(settled(&ends).await);
        assert_eq!(began.elapsed(), SETTLING - Duration::from_millis(1));
    }
}
