//! One request to a server, from being sent to its answer.

use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotificationParam,
    ClientRequest, JsonObject, RequestId, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, ServiceError};
use tokio::time::{Instant, sleep_until};

use super::McpError;
use super::connection::Connection;
use super::content::result_of;
use super::lists::json_of;
use super::live::{Live, causes, is_closed};

/// A request that waits for its answer. If it is dropped, the server is told that it is cancelled.
struct Waiting {
    peer: Peer<RoleClient>,
    /// `None` when the answer has come.
    id: Option<RequestId>,
}

impl Connection {
    /// Calls the tool that the server calls `name`.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server is told that the call is cancelled.
    pub(super) async fn call_tool(
        &self,
        name: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, McpError> {
        let request = format!("tools/call {name}");
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let asked = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        match self.request(&request, asked).await? {
            ServerResult::CallToolResult(result) => Ok(result),
            ServerResult::InputRequiredResult(_) | ServerResult::CreateTaskResult(_) => {
                Err(self.malformed(&request, "it gives no result yet".to_owned()))
            }
            other => result_of(json_of(other)).map_err(|message| self.malformed(&request, message)),
        }
    }

    /// Sends a request, and waits for its answer for as long as the settings say.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server is told that the request is cancelled.
    pub(super) async fn request(
        &self,
        request: &str,
        asked: ClientRequest,
    ) -> Result<ServerResult, McpError> {
        let live = self.live().await?;
        let after = self.settings.timeout;
        let until = Instant::now() + after;
        let late = || McpError::TimedOut {
            server: self.settings.name.clone(),
            request: request.to_owned(),
            after,
        };
        let mut pending = self.listener.asks();
        let sent = live.peer.send_request_with_option(asked, PeerRequestOptions::no_options());
        let sent = tokio::select! {
            sent = sent => sent,
            () = sleep_until(until) => return Err(late()),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => return Err(self.failure(request, error, &live).await),
        };
        let mut waiting = Waiting { peer: live.peer.clone(), id: Some(sent.id.clone()) };
        let answer = tokio::select! {
            biased;
            answer = sent.await_response() => answer,
            () = pending.is_too_large() => {
                let message = "one of its messages is larger than 16 MiB, which is not read; let \
                               the tool give less at once";
                return Err(self.malformed(request, message.to_owned()));
            }
            () = sleep_until(until) => return Err(late()),
        };
        waiting.id = None;
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.failure(request, error, &live).await),
        }
    }

    async fn failure(&self, request: &str, error: ServiceError, live: &Live) -> McpError {
        let server = self.settings.name.clone();
        let secrets = self.listener.secrets();
        let reason = match error {
            ServiceError::McpError(error) => {
                let message = secrets.shown(error.message.into_owned());
                return McpError::Refused { server, request: request.to_owned(), message };
            }
            ServiceError::TransportClosed => "the connection has ended".to_owned(),
            ServiceError::TransportSend(error) if is_closed(&error) => {
                "the connection has ended".to_owned()
            }
            ServiceError::TransportSend(error) => secrets.shown(causes(&*error.error)),
            other => return self.malformed(request, secrets.shown(other.to_string())),
        };
        McpError::Gone { server, reason, stderr: live.last_words(&self.listener).await }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let peer = self.peer.clone();
        runtime.spawn(async move {
            // An error means that the connection has ended, and the request with it.
            let _told =
                peer.notify_cancelled(CancelledNotificationParam::new(Some(id), None)).await;
        });
    }
}
