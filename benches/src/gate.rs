//! Where concurrent runs wait for each other.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, Semaphore};

/// A gate that is opened once a number of runs wait at it; then it is closed again.
pub struct Gate {
    expected: usize,
    waiting: AtomicUsize,
    all_wait: Notify,
    permits: Semaphore,
}

impl Gate {
    /// A gate for `expected` runs.
    pub fn new(expected: usize) -> Self {
        let (waiting, permits) = (AtomicUsize::new(0), Semaphore::new(0));
        Self { expected, waiting, all_wait: Notify::new(), permits }
    }

    /// Waits until the gate is opened: what the worker in the middle of a run does.
    pub async fn pass(&self) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == self.expected {
            self.all_wait.notify_one();
        }
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }

    /// Waits until all runs have come, and lets them pass.
    pub async fn open(&self) {
        self.all_wait.notified().await;
        self.waiting.store(0, Ordering::Release);
        self.permits.add_permits(self.expected);
    }
}
