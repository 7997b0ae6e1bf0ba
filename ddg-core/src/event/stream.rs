//! A subscriber's end of the events.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;

use super::feed::Queue;
use super::{Event, EventFilter};

/// The events of a run, as a [`Stream`], from when it was subscribed to.
///
/// It ends when the run has ended and everything was taken. The run never waits for it: of events
/// that are not taken in time the oldest are given up, and [`Missed`] stands in their place; how
/// many are kept is said with [`EventFilter::buffer`].
pub struct EventStream {
    queue: Arc<Queue>,
}

/// So many events came before they could be taken, and were given up: the next is younger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were missed: take them faster, or keep more with `EventFilter::buffer`")]
pub struct Missed(pub u64);

impl EventStream {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The events of a run that will not give any.
    pub(crate) fn ended(filter: EventFilter) -> Self {
        let queue = Queue::new(filter);
        queue.end();
        Self::new(Arc::new(queue))
    }

    /// The next event; `None` if the run has ended and there are no more.
    ///
    /// # Errors
    /// Events were [missed](Missed) here. The next call gives the one after them.
    ///
    /// # Cancel safety
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        poll_fn(|task| self.queue.poll_next(task)).await
    }
}

impl Stream for EventStream {
    type Item = Result<Event, Missed>;

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
