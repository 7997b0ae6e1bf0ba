//! What this process knows of runs beyond the store: who waits for their events, and which it
//! drives.

use std::sync::{Mutex, MutexGuard, PoisonError};

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The watched and driven runs of a process.
#[derive(Debug, Default)]
pub(super) struct Hub {
    watched: Mutex<FxHashMap<String, watch::Sender<()>>>,
    driven: Mutex<FxHashMap<String, CancellationToken>>,
    /// Runs whose lease another process held, and when it is asked for again.
    elsewhere: Mutex<FxHashMap<String, Instant>>,
}

/// How long the lease of a run is not asked for again after another process held it.
const PAUSE: Duration = Duration::from_secs(2);

/// A run that this process drives, until it is dropped.
pub(super) struct Driven<'a> {
    hub: &'a Hub,
    run: String,
    /// Cancelled when the run has to stop, because it was cancelled or has expired.
    pub(super) stopped: CancellationToken,
}

impl Hub {
    /// Waits for changes of a run from now on.
    pub(super) fn watch(&self, run: &str) -> watch::Receiver<()> {
        let mut watched = lock(&self.watched);
        // Runs that nobody watches any more are forgotten on this occasion.
        if watched.len() > 1024 {
            watched.retain(|_, sender| sender.receiver_count() > 0);
        }
        let sender = watched.entry(run.to_owned()).or_insert_with(|| watch::channel(()).0);
        sender.subscribe()
    }

    /// Tells those who watch a run that it has changed.
    pub(super) fn changed(&self, run: &str) {
        let mut watched = lock(&self.watched);
        if let Some(sender) = watched.get(run)
            && sender.send(()).is_err()
        {
            watched.remove(run);
        }
    }

    /// Whether somebody watches the run.
    pub(super) fn is_watched(&self, run: &str) -> bool {
        lock(&self.watched).get(run).is_some_and(|sender| sender.receiver_count() > 0)
    }

    /// Begins to drive a run; `None` if this process drives it.
    pub(super) fn drive(&self, run: &str) -> Option<Driven<'_>> {
        let mut driven = lock(&self.driven);
        if driven.contains_key(run) {
            return None;
        }
        let stopped = CancellationToken::new();
        driven.insert(run.to_owned(), stopped.clone());
        Some(Driven { hub: self, run: run.to_owned(), stopped })
    }

    /// Whether this process drives the run.
    pub(super) fn is_driven(&self, run: &str) -> bool {
        lock(&self.driven).contains_key(run)
    }

    /// The runs that this process drives.
    pub(super) fn driven(&self) -> Vec<String> {
        lock(&self.driven).keys().cloned().collect()
    }

    /// Notes that another process holds the lease of a run.
    pub(super) fn is_held(&self, run: &str) {
        let mut elsewhere = lock(&self.elsewhere);
        let now = Instant::now();
        elsewhere.retain(|_, until| *until > now);
        elsewhere.insert(run.to_owned(), now + PAUSE);
    }

    /// Whether another process has just held the lease of a run.
    pub(super) fn was_held(&self, run: &str) -> bool {
        lock(&self.elsewhere).get(run).is_some_and(|until| *until > Instant::now())
    }

    /// Stops a run that this process drives.
    pub(super) fn stop(&self, run: &str) {
        if let Some(stopped) = lock(&self.driven).get(run) {
            stopped.cancel();
        }
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        lock(&self.hub.driven).remove(&self.run);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
