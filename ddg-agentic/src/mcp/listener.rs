//! What is heard from a server between its answers.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::ClientHandler;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation};
use tokio::sync::watch;

use super::shown::Secrets;

/// Listens for changes of a server's tools. It offers the server nothing: no sampling, no roots, no
/// questions to people.
#[derive(Clone)]
pub(super) struct Listener(Arc<Heard>);

struct Heard {
    secrets: Secrets,
    tools_changed: watch::Sender<bool>,
    /// Number of requests that wait for their answers.
    n_waiting: AtomicUsize,
    /// Number of messages that were too large to be read.
    n_too_large: watch::Sender<usize>,
}

/// A request that waits for its answer, as far as the listener is concerned.
pub(super) struct Asking {
    listener: Listener,
    n_too_large: watch::Receiver<usize>,
}

impl Listener {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self(Arc::new(Heard {
            secrets,
            tools_changed: watch::Sender::new(false),
            n_waiting: AtomicUsize::new(0),
            n_too_large: watch::Sender::new(0),
        }))
    }

    /// Registers a request that is sent now.
    pub(super) fn asks(&self) -> Asking {
        self.0.n_waiting.fetch_add(1, Ordering::AcqRel);
        Asking { listener: self.clone(), n_too_large: self.0.n_too_large.subscribe() }
    }

    /// Hears that a message was too large to be read.
    pub(super) fn drops_a_message(&self) {
        self.0.n_too_large.send_modify(|n| *n += 1);
    }

    /// What is removed from the server's messages.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Whether the tools have changed since they were last listed.
    pub(super) fn tools_changed(&self) -> bool {
        *self.0.tools_changed.borrow()
    }

    /// Returns when the tools have changed since they were last listed.
    pub(super) async fn tools_change(&self) {
        let mut changed = self.0.tools_changed.subscribe();
        // The sender lives as long as this.
        let _changed = changed.wait_for(|changed| *changed).await;
    }

    /// Sets the flag: the server says so, or was connected to again.
    pub(super) fn tools_have_changed(&self) {
        self.0.tools_changed.send_replace(true);
    }

    /// Resets the flag before the tools are listed.
    pub(super) fn will_list(&self) {
        self.0.tools_changed.send_replace(false);
    }
}

impl Asking {
    /// Returns when a message was too large that can only have been the answer, because no other
    /// request waits.
    pub(super) async fn is_too_large(&mut self) {
        while self.n_too_large.changed().await.is_ok() {
            if self.listener.0.n_waiting.load(Ordering::Acquire) == 1 {
                return;
            }
        }
        pending::<()>().await;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.listener.0.n_waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let this = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), this)
    }
}
