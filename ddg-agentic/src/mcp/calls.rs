//! Calls of a server's tools that are in flight, and what the server says about them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{ElicitResult, ProgressToken};
use tokio::sync::{mpsc, oneshot};

use super::log::{McpLog, McpProgress};
use super::question::McpQuestion;

/// Maximum number of messages about a call that wait to be heard. Further ones are dropped.
const MOST_WAITING: usize = 256;

/// Maximum number of reports of progress that came before their call was registered.
const MOST_EARLY: usize = 64;

/// What a server says while it works on a call.
pub(super) enum Heard {
    Progress(McpProgress),
    Log(McpLog),
    Question(McpQuestion, oneshot::Sender<ElicitResult>),
}

/// The calls in flight.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Mutex<InFlight>>);

#[derive(Default)]
struct InFlight {
    calls: Vec<(ProgressToken, mpsc::Sender<Heard>)>,
    early: VecDeque<(ProgressToken, McpProgress)>,
}

/// A call in flight.
pub(super) struct Call {
    calls: Calls,
    token: ProgressToken,
    heard: mpsc::Receiver<Heard>,
}

impl Calls {
    /// Registers a call that has just been sent.
    pub(super) fn begin(&self, token: ProgressToken) -> Call {
        let (sender, heard) = mpsc::channel(MOST_WAITING);
        let mut in_flight = self.lock();
        // A server can be faster than the registration.
        let early = std::mem::take(&mut in_flight.early);
        for (of, progress) in early {
            if of == token {
                let _full = sender.try_send(Heard::Progress(progress));
            } else {
                in_flight.early.push_back((of, progress));
            }
        }
        in_flight.calls.push((token.clone(), sender));
        drop(in_flight);
        Call { calls: self.clone(), token, heard }
    }

    pub(super) fn progress(&self, token: &ProgressToken, progress: McpProgress) {
        let mut in_flight = self.lock();
        match in_flight.calls.iter().find(|(of, _)| of == token) {
            Some((_, call)) => {
                let _full = call.try_send(Heard::Progress(progress));
            }
            None => {
                in_flight.early.push_back((token.clone(), progress));
                if in_flight.early.len() > MOST_EARLY {
                    in_flight.early.pop_front();
                }
            }
        }
    }

    /// Tells the only call in flight. Returns `false` if there are others, or none.
    pub(super) fn only(&self, heard: Heard) -> bool {
        match &*self.lock().calls {
            [(_, call)] => call.try_send(heard).is_ok(),
            _ => false,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, InFlight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// What the server says next.
    pub(super) async fn heard(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            // The sender is dropped with the call.
            None => std::future::pending().await,
        }
    }

    /// What the server has said so far.
    pub(super) fn heard_already(&mut self) -> Option<Heard> {
        self.heard.try_recv().ok()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.lock().calls.retain(|(token, _)| *token != self.token);
    }
}
