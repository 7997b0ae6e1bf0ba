//! One request that waits for its reply: who waits, and who may reply.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::Request;
use crate::path::WorkerPath;
use crate::values::{Data, TypeMismatch, Value};

/// The right to reply to a request, once. It can be cloned and sent anywhere: of all replies the
/// first counts, and whoever gives another is told so. When all clones are dropped without a reply,
/// the worker that waits is told.
pub struct ReplyTo<R> {
    handle: Arc<Handle>,
    reply: PhantomData<fn(R)>,
}

/// A reply was refused.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// There was a reply before.
    #[error("the request was replied to before: the first reply counts")]
    AlreadyReplied,
    /// The worker waits no longer: its timeout is over, it was cancelled, or the run has ended.
    #[error("the reply comes too late: nobody waits for it any more")]
    TooLate,
    /// The reply is not what was asked for; another may still be given.
    #[error("the reply is not what was asked for: {0}; another may still be given")]
    Mismatch(TypeMismatch),
}

/// What all clones share.
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

    /// Gives the reply.
    ///
    /// # Errors
    /// It comes too late, or there was one before; or, where the type is known only at run time,
    /// it is not what was asked for.
    pub fn send(&self, reply: R) -> Result<(), ReplyError> {
        self.handle.slot.reply(Value::new(reply))
    }

    /// Whether a reply would still be taken.
    pub fn is_open(&self) -> bool {
        matches!(&*self.handle.slot.lock(), State::Open { .. })
    }

    /// The worker that asks.
    pub fn from(&self) -> &WorkerPath {
        &self.handle.from
    }

    /// The same with a reply whose type is checked at run time.
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

/// Where a reply goes. Whether it is taken or refused is decided under its lock, so that a reply
/// that was taken reaches whoever waits.
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

/// Why there will be no reply.
#[derive(Clone, Copy)]
pub(super) enum Closed {
    NotReplied,
    TimedOut,
    RunEnded,
    /// Whoever waited was dropped.
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
        (self.check)(&reply).map_err(ReplyError::Mismatch)?;
        self.settle(State::Replied(reply))
    }

    /// Ends the waiting without a reply, if there is none yet.
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
        drop(state);
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

    /// Blocks the thread until there is a reply, or none to be expected, or `deadline` is over.
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

    /// The reply if there is one, and else that it is over.
    pub(super) fn give_up(&self) -> Result<Value, Closed> {
        self.close(Closed::TimedOut);
        take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reply of a slot that is not open any more.
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
