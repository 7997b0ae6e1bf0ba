//! The side of a worker that waits for a reply, and all that wait in a run.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::reply::{Closed, Slot};
use super::{FeedbackError, Request};
use crate::engine::RunCore;
use crate::values::{Value, ValueType};

/// A request that waits for its reply. Dropped, it refuses one.
pub(crate) struct Pending<E> {
    slot: Arc<Slot>,
    core: Arc<RunCore>,
    event: PhantomData<fn() -> E>,
}

/// The requests of a run that wait for a reply: they are released when it ends.
#[derive(Default)]
pub(crate) struct OpenRequests(Mutex<Open>);

#[derive(Default)]
struct Open {
    slots: Vec<Arc<Slot>>,
    ended: bool,
}

impl<E: Request> Pending<E> {
    /// # Errors
    /// The run has ended.
    pub(super) fn open(core: &Arc<RunCore>) -> Result<Self, FeedbackError> {
        let slot = Slot::of::<E>();
        let mut open = core.requests.lock();
        if open.ended {
            return Err(FeedbackError::RunEnded { event: name::<E>() });
        }
        open.slots.push(Arc::clone(&slot));
        drop(open);
        Ok(Self { slot, core: Arc::clone(core), event: PhantomData })
    }

    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Waits for the reply.
    pub(crate) async fn reply(self, timeout: Option<Duration>) -> Result<E::Reply, FeedbackError> {
        let replied = poll_fn(|task| self.slot.poll(task));
        let replied = match timeout {
            None => replied.await,
            Some(_) if Handle::try_current().is_err() => return Err(FeedbackError::NoRuntime),
            Some(after) => match tokio::time::timeout(after, replied).await {
                Ok(replied) => replied,
                Err(_) => self.slot.give_up(),
            },
        };
        ended::<E>(replied, timeout)
    }

    /// The same, with the thread blocked.
    pub(crate) fn reply_blocking(
        self,
        timeout: Option<Duration>,
    ) -> Result<E::Reply, FeedbackError> {
        // A time too far away to be told is none.
        let deadline = timeout.and_then(|after| Instant::now().checked_add(after));
        ended::<E>(self.slot.wait(deadline), timeout)
    }
}

impl<E> Drop for Pending<E> {
    fn drop(&mut self) {
        self.slot.close(Closed::Gone);
        self.core.requests.lock().slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

impl OpenRequests {
    /// The run has ended: nobody waits any more.
    pub(crate) fn end(&self) {
        let mut open = self.lock();
        open.ended = true;
        let slots = std::mem::take(&mut open.slots);
        drop(open);
        slots.iter().for_each(|slot| slot.close(Closed::RunEnded));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended<E: Request>(
    replied: Result<Value, Closed>,
    timeout: Option<Duration>,
) -> Result<E::Reply, FeedbackError> {
    let event = name::<E>();
    match replied {
        Ok(reply) => Ok(reply.take().expect("a reply is checked before it is taken")),
        Err(Closed::NotReplied) => Err(FeedbackError::NotReplied { event }),
        Err(Closed::TimedOut) => {
            Err(FeedbackError::TimedOut { event, after: timeout.unwrap_or_default() })
        }
        Err(Closed::RunEnded | Closed::Gone) => Err(FeedbackError::RunEnded { event }),
    }
}

/// What messages call a request.
pub(super) fn name<E: Request>() -> String {
    ValueType::of::<E>().to_string()
}
