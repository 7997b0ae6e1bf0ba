//! Publishes the events of a run to its subscribers.
//!
//! Each subscriber has a bounded queue of the events that pass its filter; when the queue is full
//! the oldest event is dropped. So a slow subscriber delays neither the run nor other subscribers,
//! and events that a filter excludes do not push out those that it lets pass. An event is numbered
//! and put into all queues under one lock, which is not taken while there are no subscribers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::filter::Modes;
use super::{Event, EventFilter, EventKind, EventStream, Missed};
use crate::path::WorkerPath;

/// The publisher of the events of a run and of the runs nested in it.
#[derive(Default)]
pub(crate) struct Feed {
    /// One of [`QUIET`], [`WATCHED`] and [`ENDED`].
    // The accesses are `Relaxed`: the flag only decides whether to take the lock, and the lock
    // orders everything else.
    state: AtomicU8,
    began: OnceLock<Instant>,
    subscribed: Mutex<Subscribed>,
}

/// There are no subscribers.
const QUIET: u8 = 0;
const WATCHED: u8 = 1;
/// There will be no more events.
const ENDED: u8 = 2;

#[derive(Default)]
struct Subscribed {
    next_number: u64,
    queues: Vec<Arc<Queue>>,
}

impl Feed {
    /// Whether there are subscribers. If not, there is no need to make an event.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WATCHED
    }

    /// Starts the clock of the events, if it has not been started.
    pub(crate) fn begin(&self) {
        self.began.get_or_init(Instant::now);
    }

    /// Whether a subscriber asks for the state after each step.
    pub(crate) fn wants_values(&self) -> bool {
        self.is_watched() && self.lock().queues.iter().any(|queue| queue.filter.wants_values())
    }

    pub(crate) fn subscribe(&self, filter: EventFilter) -> EventStream {
        let queue = Arc::new(Queue::new(filter));
        let mut subscribed = self.lock();
        match self.switch(QUIET, WATCHED) {
            QUIET | WATCHED => subscribed.queues.push(Arc::clone(&queue)),
            _ => queue.end(),
        }
        EventStream::new(queue)
    }

    /// Takes over the subscribers that came before the run existed.
    pub(crate) fn adopt(&self, early: &EarlySubscribers) {
        if let Some(queues) = early.lock().as_mut().filter(|queues| !queues.is_empty()) {
            let mut subscribed = self.lock();
            self.switch(QUIET, WATCHED);
            subscribed.queues.append(queues);
        }
    }

    /// Continues `other`, which ends: takes over its subscribers, its numbers and its start time.
    pub(crate) fn take_over(&self, other: &Self) {
        let mut before = other.lock();
        let state = other.state.swap(ENDED, Ordering::Relaxed);
        if let Some(began) = other.began.get() {
            self.began.get_or_init(|| *began);
        }
        let mut subscribed = self.lock();
        subscribed.next_number = before.next_number;
        subscribed.queues.append(&mut before.queues);
        if state == WATCHED {
            self.switch(QUIET, WATCHED);
        }
    }

    /// Publishes an event; `automa` is the path of the nested automa.
    pub(crate) fn emit(&self, automa: Option<Arc<WorkerPath>>, step: u64, kind: EventKind) {
        let mut subscribed = self.lock();
        self.tell(&mut subscribed, automa, step, kind);
        if subscribed.queues.is_empty() {
            self.switch(WATCHED, QUIET);
        }
    }

    /// Publishes the `last` event, if there is one, and ends all streams once their queues are
    /// empty.
    pub(crate) fn end(&self, last: Option<(u64, EventKind)>) {
        if self.state.swap(ENDED, Ordering::Relaxed) == WATCHED {
            // Waits for a subscription or an event that is still in progress: both hold this lock.
            let mut subscribed = self.lock();
            if let Some((step, kind)) = last {
                self.tell(&mut subscribed, None, step, kind);
            }
            std::mem::take(&mut subscribed.queues).iter().for_each(|queue| queue.end());
        }
    }

    fn tell(
        &self,
        subscribed: &mut Subscribed,
        automa: Option<Arc<WorkerPath>>,
        step: u64,
        kind: EventKind,
    ) {
        let number = subscribed.next_number;
        subscribed.next_number += 1;
        let at = self.began.get().map_or(Duration::ZERO, Instant::elapsed);
        let event = Arc::new(Event { number, automa, step, at, kind });
        let modes = event.kind.modes();
        // Queues are removed here because a dropped stream has no way to the feed.
        subscribed.queues.retain(|queue| queue.push(&event, modes));
    }

    /// Changes the state from `from` to `to` if it is `from`. Returns the state before.
    fn switch(&self, from: u8, to: u8) -> u8 {
        let switched = self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        switched.unwrap_or_else(|state| state)
    }

    fn lock(&self) -> MutexGuard<'_, Subscribed> {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Subscribers of a run that does not exist yet. [`Feed::adopt`] takes them over; those that it has
/// not taken over see the end of their stream when this is dropped.
pub(crate) struct EarlySubscribers {
    /// `None` if there will be no run.
    queues: Mutex<Option<Vec<Arc<Queue>>>>,
}

impl EarlySubscribers {
    pub(crate) const fn new() -> Self {
        Self { queues: Mutex::new(Some(Vec::new())) }
    }

    pub(crate) fn subscribe(&self, filter: EventFilter) -> EventStream {
        let queue = Arc::new(Queue::new(filter));
        match &mut *self.lock() {
            Some(queues) => queues.push(Arc::clone(&queue)),
            None => queue.end(),
        }
        EventStream::new(queue)
    }

    /// Reports that there will be no run because of `error`.
    pub(crate) fn fail(&self, error: &dyn std::error::Error) {
        let Some(queues) = self.lock().take() else { return };
        if !queues.is_empty() {
            let kind = EventKind::RunFailed { error: error.to_string() };
            let kind_modes = kind.modes();
            let event = Event { number: 0, automa: None, step: 0, at: Duration::ZERO, kind };
            let (event, modes) = (Arc::new(event), kind_modes);
            queues.iter().for_each(|queue| _ = queue.push(&event, modes));
        }
        queues.iter().for_each(|queue| queue.end());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Arc<Queue>>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EarlySubscribers {
    fn drop(&mut self) {
        self.lock().iter().flatten().for_each(|queue| queue.end());
    }
}

/// The events that wait for one subscriber.
pub(super) struct Queue {
    filter: EventFilter,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Arc<Event>>,
    /// Number of events that were dropped before the first one in the queue.
    missed: u64,
    ended: bool,
    /// Whether the subscriber is gone.
    abandoned: bool,
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn new(filter: EventFilter) -> Self {
        Self { filter, waiting: Mutex::default() }
    }

    /// Adds an event of these modes, if it passes the filter. Returns whether the subscriber is
    /// still there.
    pub(super) fn push(&self, event: &Arc<Event>, modes: Modes) -> bool {
        let passes = self.filter.passes(event, modes);
        let mut waiting = self.lock();
        if !passes || waiting.abandoned {
            return !waiting.abandoned;
        }
        let forgotten = if waiting.events.len() == self.filter.capacity() {
            waiting.missed += 1;
            waiting.events.pop_front()
        } else {
            None
        };
        waiting.events.push_back(Arc::clone(event));
        wake(waiting);
        // Dropped outside the lock, because values may run code of their own when they are dropped.
        drop(forgotten);
        true
    }

    pub(super) fn end(&self) {
        let mut waiting = self.lock();
        waiting.ended = true;
        wake(waiting);
    }

    /// Marks the subscriber as gone and drops its events.
    pub(super) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.abandoned = true;
        let events = std::mem::take(&mut waiting.events);
        drop(waiting);
        drop(events);
    }

    pub(super) fn poll_next(&self, task: &Context<'_>) -> Poll<Option<Result<Arc<Event>, Missed>>> {
        let mut waiting = self.lock();
        if waiting.missed > 0 {
            return Poll::Ready(Some(Err(Missed(std::mem::take(&mut waiting.missed)))));
        }
        match waiting.events.pop_front() {
            Some(event) => Poll::Ready(Some(Ok(event))),
            None if waiting.ended => Poll::Ready(None),
            None => {
                waiting.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(mut waiting: MutexGuard<'_, Waiting>) {
    let waker = waiting.waker.take();
    drop(waiting);
    if let Some(waker) = waker {
        waker.wake();
    }
}
