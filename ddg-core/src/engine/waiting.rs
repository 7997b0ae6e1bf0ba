//! A run whose workers wait for a time or a signal: when it continues, and when it pauses.
//!
//! A stored run pauses at once if what it waits for has not come: its store says when it wakes. Any
//! other run, and a run inside another, waits in its process. A nested automa does not wait, nor
//! does a run that a worker calls: it pauses, and so does the run around it, up to the outermost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::RunCore;
use crate::clock::{from_ms, to_ms};
use crate::durable::sleep;
use crate::machine::Awaited;
use crate::run::RunError;
use crate::saved::SnapshotError;
use crate::values::Value;

/// How often a run that waits in its process looks for signals in its store.
const LOOK: Duration = Duration::from_secs(1);

/// What reaches an active run from outside. A run that nobody has a handle to has none.
#[derive(Default)]
pub(crate) struct Inbox {
    signals: Mutex<Vec<(String, Value)>>,
    changed: Notify,
}

impl Inbox {
    /// Adds a signal.
    pub(crate) fn send(&self, name: String, value: Value) {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner).push((name, value));
        self.look();
    }

    /// Makes a run that waits look again at what it waits for.
    pub(crate) fn look(&self) {
        // Kept if the run does not wait right now.
        self.changed.notify_one();
    }

    fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.signals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RunCore {
    /// Waits until an interrupted worker can run again. Returns false if the run pauses instead.
    /// With `time_passes` a time that is waited for has come at once.
    ///
    /// # Errors
    /// If the store of the run fails.
    pub(super) async fn wakes(self: &Arc<Self>, time_passes: bool) -> Result<bool, RunError> {
        if self.is_worker() || self.is_part {
            return Ok(false);
        }
        // The time that was waited for: then it has come, also by a clock that a test has paused.
        let mut reached = None;
        loop {
            let awaited = self.machine().awaited();
            self.take_signals(&awaited).await?;
            let now_ms = self.now_ms(&awaited).await?.max(reached.unwrap_or(i64::MIN));
            {
                let mut machine = self.machine();
                if machine.is_stopping() {
                    return Ok(false);
                }
                if machine.wake(now_ms) {
                    return Ok(true);
                }
            }
            let wake_ms = awaited.wake_ms;
            if time_passes && wake_ms.is_some() {
                reached = wake_ms;
                continue;
            }
            if !self.may_wait(&awaited) || time_passes {
                return Ok(false);
            }
            if self.wait(&awaited, now_ms).await {
                reached = wake_ms;
            }
        }
    }

    /// Whether the run waits in its process for what has not come.
    fn may_wait(&self, awaited: &Awaited) -> bool {
        // A question is answered when the run has returned it.
        awaited.n_questions == 0
            && (self.journal().is_none() || !self.is_outermost())
            && (awaited.wake_ms.is_some() || self.can_receive(awaited))
    }

    /// Whether a signal that is waited for may arrive.
    fn can_receive(&self, awaited: &Awaited) -> bool {
        !awaited.signals.is_empty() && (self.inbox.get().is_some() || self.journal().is_some())
    }

    /// Waits for the first time, for a signal, or for a request to stop. Returns whether the time
    /// has come.
    async fn wait(&self, awaited: &Awaited, now_ms: i64) -> bool {
        let left =
            awaited.wake_ms.map(|ms| Duration::from_millis(ms.saturating_sub(now_ms) as u64));
        let look = (self.journal().is_some() && !awaited.signals.is_empty()).then_some(LOOK);
        let pause = left.into_iter().chain(look).min();
        let passed = async {
            match pause {
                None => std::future::pending().await,
                Some(pause) if Handle::try_current().is_ok() => tokio::time::sleep(pause).await,
                Some(pause) => sleep(pause).await,
            }
        };
        let changed = async {
            match self.inbox.get() {
                Some(inbox) => inbox.changed.notified().await,
                None => std::future::pending().await,
            }
        };
        futures::pin_mut!(passed, changed);
        match select(passed, changed).await {
            Either::Left(_) => pause == left,
            Either::Right(_) => false,
        }
    }

    /// The time by which the run wakes: that of its store, if it has one.
    async fn now_ms(&self, awaited: &Awaited) -> Result<i64, RunError> {
        let now = match self.journal() {
            Some(journal) if awaited.wake_ms.is_some() => journal.now().await?,
            _ => SystemTime::now(),
        };
        Ok(to_ms(now))
    }

    /// Moves the signals that have arrived into the state of the run.
    async fn take_signals(&self, awaited: &Awaited) -> Result<(), RunError> {
        if let Some(journal) = self.journal().filter(|_| !awaited.signals.is_empty()) {
            let seen = self.machine().state().mail.seen;
            for signal in journal.signals(seen).await? {
                let value = serde_json::from_slice(&signal.body).map_err(SnapshotError::from)?;
                self.machine().receive(Some(signal.number), signal.name, value);
            }
        }
        if let Some(inbox) = self.inbox.get() {
            for (name, value) in inbox.take() {
                self.machine().receive(None, name, value);
            }
        }
        Ok(())
    }

    /// Stops the run after the current step.
    pub(crate) fn stop(&self) {
        self.machine().stop();
        if let Some(inbox) = self.inbox.get() {
            inbox.look();
        }
    }

    /// When the paused run wakes.
    pub(crate) fn wake_at(&self) -> Option<SystemTime> {
        self.machine().awaited().wake_ms.map(from_ms)
    }
}
