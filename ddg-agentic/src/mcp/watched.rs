//! A transport that hears the messages of a server in their order, before the library handles them.
//!
//! The library handles each notification in a task of its own, so it could give the result of a
//! call before the progress that the server has reported on the way.

use std::future::Future;

use rmcp::RoleClient;
use rmcp::model::JsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;

use super::listener::Listener;

/// A transport whose messages `listener` hears.
pub(super) struct Watched<T> {
    transport: T,
    listener: Listener,
}

impl<T> Watched<T> {
    pub(super) fn new(transport: T, listener: Listener) -> Self {
        Self { transport, listener }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Watched<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        self.transport.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let mut message = self.transport.receive().await?;
        match &mut message {
            JsonRpcMessage::Error(failed) => {
                // Errors are logged by the library, and shown to models.
                let says = std::mem::take(&mut failed.error.message).into_owned();
                failed.error.message = self.listener.secrets().shown(says).into();
                failed.error.data = None;
            }
            JsonRpcMessage::Notification(heard) => self.listener.hears(&heard.notification),
            _ => {}
        }
        Some(message)
    }

    fn close(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        self.transport.close()
    }
}
