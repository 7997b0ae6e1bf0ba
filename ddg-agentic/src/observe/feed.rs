//! The way of moments to observers.
//!
//! **Invariant.** Nothing that acts waits for an observer: a moment is put into a queue, and a task
//! of the observer takes it out. The queue ends when all runs that can add to it have ended.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ddg_core::WorkerError;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::{Moment, Observer};

/// Maximum number of waiting moments. Beyond it, moments of models and tools are dropped.
const MOST_WAITING: usize = 10_000;

/// An [`Observer`] as a trait object.
pub(crate) trait DynObserver: Send + Sync {
    fn observe(&self, moment: Moment) -> BoxFuture<'_, Result<(), WorkerError>>;
}

impl<O: Observer> DynObserver for O {
    fn observe(&self, moment: Moment) -> BoxFuture<'_, Result<(), WorkerError>> {
        Observer::observe(self, moment).boxed()
    }
}

/// An observer that several agents can have.
#[derive(Clone)]
pub(crate) struct ObserverRef(Arc<dyn DynObserver>);

/// The queue of one observer.
pub(crate) struct Feed {
    observer: ObserverRef,
    queue: UnboundedSender<Moment>,
    n_waiting: Arc<AtomicUsize>,
    n_left_out: AtomicUsize,
}

/// The queues of all observers of a run.
#[derive(Clone, Default)]
pub(crate) struct Feeds(Vec<Arc<Feed>>);

impl ObserverRef {
    pub(crate) fn new(observer: impl Observer) -> Self {
        Self(Arc::new(observer))
    }

    fn is(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl Feeds {
    /// The queues of `observers` and of those around. An observer that is around has one queue.
    pub(crate) fn new(observers: &[ObserverRef], around: Option<&Self>) -> Self {
        let mut feeds = around.cloned().unwrap_or_default().0;
        for observer in observers {
            if !feeds.iter().any(|feed| feed.observer.is(observer)) {
                feeds.extend(Feed::new(observer.clone()).map(Arc::new));
            }
        }
        Self(feeds)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn tell(&self, moment: &Moment) {
        for feed in &self.0 {
            feed.tell(moment.clone());
        }
    }
}

impl Feed {
    /// Starts the task of an observer.
    fn new(observer: ObserverRef) -> Option<Self> {
        let Ok(runtime) = Handle::try_current() else {
            tracing::warn!("an observer is told nothing: it needs a tokio runtime");
            return None;
        };
        let (queue, moments) = unbounded_channel();
        let n_waiting = Arc::new(AtomicUsize::new(0));
        runtime.spawn(tell_all(observer.clone(), moments, Arc::clone(&n_waiting)));
        Some(Self { observer, queue, n_waiting, n_left_out: AtomicUsize::new(0) })
    }

    fn tell(&self, moment: Moment) {
        if self.n_waiting.load(Ordering::Relaxed) >= MOST_WAITING && !moment.kind.is_of_run() {
            if self.n_left_out.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(agent = %moment.agent, "an observer is too slow: moments are left out");
            }
            return;
        }
        self.n_waiting.fetch_add(1, Ordering::Relaxed);
        // The task has ended only if its runtime has.
        _ = self.queue.send(moment);
    }
}

/// Tells an observer its moments, one after the other.
async fn tell_all(
    observer: ObserverRef,
    mut moments: UnboundedReceiver<Moment>,
    n_waiting: Arc<AtomicUsize>,
) {
    while let Some(moment) = moments.recv().await {
        n_waiting.fetch_sub(1, Ordering::Relaxed);
        let agent = moment.agent.clone();
        let told = async { timeout(Moment::LONGEST, observer.0.observe(moment)).await };
        match AssertUnwindSafe(told).catch_unwind().await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%agent, %error, "an observer failed"),
            Ok(Err(_)) => tracing::warn!(%agent, "an observer took too long, and was given up"),
            Err(_) => tracing::warn!(%agent, "an observer panicked"),
        }
    }
}

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feeds({})", self.0.len())
    }
}
