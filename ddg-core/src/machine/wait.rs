//! What a paused run waits for besides answers: times, and signals from outside.
//!
//! The machine has no clock. A driver asks what the run waits for, and says what time it is.

use serde::{Deserialize, Serialize};

use super::{Hosts, Interrupted, Machine};
use crate::values::Value;

/// Everything that the interrupted workers of a run wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// Number of questions to people.
    pub(crate) n_questions: usize,
    /// The first of the times, in milliseconds since 1970.
    pub(crate) wake_ms: Option<i64>,
    /// The names of the signals, each once.
    pub(crate) signals: Vec<String>,
    /// Whether something that was waited for has come, so that a worker can run again.
    pub(crate) has_come: bool,
}

/// A signal that no worker has received yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Signal {
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// The signals that have reached a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    /// The number of the last signal that was taken from the store.
    pub(crate) seen: u64,
    /// The signals that no worker has received yet, in the order of their arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) queue: Vec<Signal>,
}

impl Awaited {
    pub(crate) fn until(&mut self, ms: i64) {
        self.wake_ms = Some(self.wake_ms.map_or(ms, |first| first.min(ms)));
    }

    pub(crate) fn signal(&mut self, name: &str) {
        if !self.signals.iter().any(|known| known == name) {
            self.signals.push(name.to_owned());
        }
    }
}

impl Mail {
    /// Whether no signal has ever reached the run.
    pub(crate) fn is_empty(&self) -> bool {
        self.seen == 0 && self.queue.is_empty()
    }

    /// The first signal of this name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.queue.iter().position(|signal| signal.name == name)?;
        Some(self.queue.remove(place).value)
    }
}

impl<P: Hosts> Machine<P> {
    /// What the run waits for.
    pub(crate) fn awaited(&self) -> Awaited {
        let mut awaited = Awaited::default();
        self.state.interrupted.iter().for_each(|waiting| waiting.awaited(&mut awaited));
        awaited
    }

    /// Passes the time and the signals that have arrived to the workers that wait for them, in
    /// kickoff order. Returns whether one of them can run again.
    pub(crate) fn wake(&mut self, now_ms: i64) -> bool {
        let (mail, interrupted) = (&mut self.state.mail, &mut self.state.interrupted);
        interrupted.iter_mut().for_each(|waiting| waiting.wake(now_ms, mail));
        !self.stopping && self.state.interrupted.iter().any(Interrupted::can_resume)
    }

    /// Adds a signal. One from a store has a number.
    pub(crate) fn receive(&mut self, number: Option<u64>, name: String, value: Value) {
        let mail = &mut self.state.mail;
        mail.seen = number.unwrap_or(mail.seen);
        mail.queue.push(Signal { name, value });
    }
}
