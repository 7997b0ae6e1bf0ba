//! Notifications of a server.

use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rmcp::model::{ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::NotificationContext;
use rmcp::{ClientHandler, RoleClient};

/// Listens for changes of a server's tools. It offers the server nothing: no sampling, no roots, no
/// questions to people.
#[derive(Clone, Default)]
pub(super) struct Listener(Arc<AtomicBool>);

impl Listener {
    /// Whether the tools have changed since they were last listed.
    pub(super) fn tools_changed(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Sets the flag, because the server was connected to again.
    pub(super) fn has_restarted(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Resets the flag before the tools are listed.
    pub(super) fn will_list(&self) {
        self.0.store(false, Ordering::Release);
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let this = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), this)
    }

    fn on_tool_list_changed(
        &self,
        _: NotificationContext<RoleClient>,
    ) -> impl Future<Output = ()> + Send + '_ {
        self.0.store(true, Ordering::Release);
        ready(())
    }
}
