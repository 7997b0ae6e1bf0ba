//! The worker's end of a request, and all open requests of a run.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::reply::{Closed, Slot};
use super::{FeedbackError, Request};
use crate::engine::RunCore;
use crate::values::{Value, ValueType};

/// A request that waits for its reply. Dropping it refuses later replies.
pub(crate) struct Pending<E> {
    slot: Arc<Slot>,
    core: Arc<RunCore>,
    event: PhantomData<fn() -> E>,
}

/// The open requests of a run. They fail when the run ends.
#[derive(Default)]
pub(crate) struct OpenRequests(Mutex<Open>);

#[derive(Default)]
struct Open {
    slots: Vec<Arc<Slot>>,
    ended: bool,
}

impl<E: Request> Pending<E> {
    /// Registers a new request of the run.
    ///
    /// # Errors
    /// If the run has ended.
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

    /// Waits for the reply and blocks the thread.
    pub(crate) fn reply_blocking(
        self,
        timeout: Option<Duration>,
    ) -> Result<E::Reply, FeedbackError> {
        // A deadline beyond what `Instant` can express is no deadline.
        let deadline = timeout.and_then(|after| Instant::now().checked_add(after));
        ended::<E>(self.slot.wait(deadline), timeout)
    }
}

impl<E> Drop for Pending<E> {
    fn drop(&mut self) {
        self.slot.close(Closed::Gone);
        // The list holds only open requests, so it stays short however many a run makes.
        self.core.requests.lock().slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

impl OpenRequests {
    /// Fails all open requests, because the run has ended.
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

/// The name of a request in messages.
pub(super) fn name<E: Request>() -> String {
    ValueType::of::<E>().to_string()
}
