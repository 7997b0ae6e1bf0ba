//! The two ends of a request: the worker that waits, and the right to reply.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::Request;
use crate::path::WorkerPath;
use crate::values::{Data, TypeMismatch, Value};

/// The right to reply to a request, once. It can be cloned and sent to any thread.
///
/// The first reply of all clones counts; later ones are refused with an error. If all clones are
/// dropped without a reply, the worker that waits gets an error.
pub struct ReplyTo<R> {
    handle: Arc<Handle>,
    reply: PhantomData<fn(R)>,
}

/// A reply was refused.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// There already was a reply.
    #[error("the request was replied to before: the first reply counts")]
    AlreadyReplied,
    /// The worker does not wait any more: its timeout has passed, it was cancelled, or the run has
    /// ended.
    #[error("the reply is too late: the request has ended")]
    TooLate,
    /// The reply has another type than the request asks for. A second reply may still be given.
    #[error("the reply has the wrong type: {0}; another may still be sent")]
    Mismatch(TypeMismatch),
}

/// The state that all clones share. Dropping the last clone closes the slot.
struct Handle {
    slot: Arc<Slot>,
    from: WorkerPath,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.slot.close(Closed::NotReplied);
    }
}

impl<R: Data> ReplyTo<R> {
    pub(super) fn new(slot: &Arc<Slot>, from: WorkerPath) -> Self {
        let handle = Handle { slot: Arc::clone(slot), from };
        Self { handle: Arc::new(handle), reply: PhantomData }
    }

    /// Sends the reply.
    ///
    /// # Errors
    /// If the worker does not wait any more, if there already was a reply or, where the type is
    /// checked at run time, if the reply has another type.
    pub fn send(&self, reply: R) -> Result<(), ReplyError> {
        self.handle.slot.reply(Value::new(reply))
    }

    /// Whether a reply would still be accepted.
    pub fn is_open(&self) -> bool {
        matches!(&*self.handle.slot.lock(), State::Open { .. })
    }

    /// The worker that sent the request.
    pub fn from(&self) -> &WorkerPath {
        &self.handle.from
    }

    /// Erases the type of the reply, which is then checked at run time.
    pub(super) fn untyped(self) -> ReplyTo<Value> {
        ReplyTo { handle: self.handle, reply: PhantomData }
    }
}

impl<R> Clone for ReplyTo<R> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), reply: PhantomData }
    }
}

impl<R> fmt::Debug for ReplyTo<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyTo({})", self.handle.from)
    }
}

/// The place of the reply. The lock decides whether a reply is accepted or refused, so a reply that
/// was accepted always reaches the worker.
pub(super) struct Slot {
    check: fn(&Value) -> Result<(), TypeMismatch>,
    state: Mutex<State>,
    changed: Condvar,
}

enum State {
    Open {
        waker: Option<Waker>,
    },
    Replied(Value),
    /// The reply has been taken out.
    Taken,
    Closed(Closed),
}

/// The reason why there will be no reply.
#[derive(Clone, Copy)]
pub(super) enum Closed {
    NotReplied,
    TimedOut,
    RunEnded,
    /// The waiting worker was dropped.
    Gone,
}

impl Slot {
    pub(super) fn of<E: Request>() -> Arc<Self> {
        Arc::new(Self {
            check: |reply| match reply.downcast_ref::<E::Reply>() {
                Some(_) => Ok(()),
                None => reply.get::<E::Reply>().map(drop),
            },
            state: Mutex::new(State::Open { waker: None }),
            changed: Condvar::new(),
        })
    }

    fn reply(&self, reply: Value) -> Result<(), ReplyError> {
        // Checked before the slot is settled, so that another reply can follow a wrong one.
        (self.check)(&reply).map_err(ReplyError::Mismatch)?;
        self.settle(State::Replied(reply))
    }

    /// Closes the slot without a reply, if there is none yet.
    pub(super) fn close(&self, why: Closed) {
        _ = self.settle(State::Closed(why));
    }

    fn settle(&self, new: State) -> Result<(), ReplyError> {
        let mut state = self.lock();
        let waker = match &mut *state {
            State::Open { waker } => waker.take(),
            State::Replied(_) | State::Taken => return Err(ReplyError::AlreadyReplied),
            State::Closed(_) => return Err(ReplyError::TooLate),
        };
        *state = new;
        // Released before waking: the woken thread or task takes this lock at once.
        drop(state);
        // Wakes a blocking worker; the waker wakes an async one.
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    pub(super) fn poll(&self, task: &Context<'_>) -> Poll<Result<Value, Closed>> {
        let mut state = self.lock();
        if let State::Open { waker } = &mut *state {
            *waker = Some(task.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(take(&mut state))
    }

    /// Blocks the thread until there is a reply, the slot is closed, or `deadline` has passed.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<Value, Closed> {
        let mut state = self.lock();
        while let State::Open { .. } = &*state {
            state = match deadline {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        *state = State::Closed(Closed::TimedOut);
                        break;
                    }
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        take(&mut state)
    }

    /// Closes the slot as timed out, unless a reply came in the meantime; then takes that.
    pub(super) fn give_up(&self) -> Result<Value, Closed> {
        self.close(Closed::TimedOut);
        take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the reply out of a slot that is not open.
fn take(state: &mut State) -> Result<Value, Closed> {
    match std::mem::replace(state, State::Taken) {
        State::Replied(reply) => Ok(reply),
        State::Closed(why) => {
            *state = State::Closed(why);
            Err(why)
        }
        State::Open { .. } | State::Taken => unreachable!("asked once, when it is not open"),
    }
}

crate::__debug_is_display!(ReplyError);
