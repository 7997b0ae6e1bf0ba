//! The subscriber's end of the events.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;

use super::feed::Queue;
use super::{Event, EventFilter};

/// The events of a run as a [`Stream`], starting with the subscription.
///
/// The stream ends when the run has ended and all events have been taken. The run never waits for a
/// subscriber: when the buffer is full the oldest events are dropped, and [`Missed`] takes their
/// place. [`EventFilter::buffer`] sets the size of the buffer.
pub struct EventStream {
    queue: Arc<Queue>,
}

/// The number of events that were dropped because they were not taken in time. The next event is
/// newer.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were missed: read them faster, or buffer more with `EventFilter::buffer`")]
pub struct Missed(pub u64);

impl EventStream {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The stream of a run that will publish no events.
    pub(crate) fn ended(filter: EventFilter) -> Self {
        let queue = Queue::new(filter);
        queue.end();
        Self::new(Arc::new(queue))
    }

    /// The next event, or `None` if the run has ended and all events have been taken. All
    /// subscribers share it.
    ///
    /// # Errors
    /// [`Missed`] if events were dropped at this point. The next call gives the event after them.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Result<Arc<Event>, Missed>> {
        poll_fn(|task| self.queue.poll_next(task)).await
    }
}

impl Stream for EventStream {
    type Item = Result<Arc<Event>, Missed>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll_next(task)
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

crate::__debug_is_display!(Missed);
