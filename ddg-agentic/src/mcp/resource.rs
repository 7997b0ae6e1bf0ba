//! Resources of servers: listed, read, subscribed to.
#![expect(deprecated, reason = "servers of earlier protocols are asked as those want it")]

use std::fmt;
use std::sync::Arc;

use ddg_core::{Context, WorkerError};
use rmcp::model::{
    ClientRequest, ListResourceTemplatesRequest, ListResourcesRequest, ReadResourceRequest,
    ReadResourceRequestParams, Resource, ResourceContents, ResourceTemplate, SubscribeRequest,
    SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequest, UnsubscribeRequestParams,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::McpError;
use super::connection::Connection;
use super::exchange::NoAnswer;
use super::lists::{List, json_of};

/// The resources of a server.
pub(super) const RESOURCES: List = List {
    method: "resources/list",
    field: "resources",
    request: |page| ClientRequest::ListResourcesRequest(ListResourcesRequest::with_param(page)),
};

/// The templates of its resources.
pub(super) const TEMPLATES: List = List {
    method: "resources/templates/list",
    field: "resourceTemplates",
    request: |page| {
        let request = ListResourceTemplatesRequest::with_param(page);
        ClientRequest::ListResourceTemplatesRequest(request)
    },
};

/// A resource that a server offers: a file, a table, a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpResource {
    /// The address; that of a template has parameters by RFC 6570, such as `file:///{path}`.
    pub uri: String,
    /// The name.
    pub name: String,
    /// The description, or the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The media type, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Number of bytes, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The content of a resource, or a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpContents {
    /// The address.
    pub uri: String,
    /// The media type, if the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The data.
    pub data: McpData,
}

/// The data of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum McpData {
    /// A text.
    Text(String),
    /// Bytes in base64 (RFC 4648, with padding).
    Base64(String),
}

/// A subscription to a resource, created by
/// [`McpClient::subscribe`](super::McpClient::subscribe). Dropping it ends the subscription.
pub struct McpSubscription {
    uri: String,
    connection: Arc<Connection>,
    updates: broadcast::Receiver<String>,
    _listening: DropGuard,
}

impl McpResource {
    /// A resource for [`McpService::resource`](super::McpService::resource), or a template for
    /// [`McpService::resource_template`](super::McpService::resource_template).
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        let (uri, name) = (uri.into(), name.into());
        Self { uri, name, description: None, media_type: None, size: None }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the media type, such as `text/markdown`.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }
}

impl From<Resource> for McpResource {
    fn from(resource: Resource) -> Self {
        let Resource { uri, name, title, description, mime_type, size, .. } = resource;
        Self { uri, name, description: description.or(title), media_type: mime_type, size }
    }
}

impl From<ResourceTemplate> for McpResource {
    fn from(template: ResourceTemplate) -> Self {
        let ResourceTemplate { uri_template: uri, name, title, description, mime_type, .. } =
            template;
        Self { uri, name, description: description.or(title), media_type: mime_type, size: None }
    }
}

impl McpContents {
    pub(super) fn of(contents: ResourceContents) -> Option<Self> {
        Some(match contents {
            ResourceContents::TextResourceContents { uri, mime_type, text, .. } => {
                Self { uri, media_type: mime_type, data: McpData::Text(text) }
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                Self { uri, media_type: mime_type, data: McpData::Base64(blob) }
            }
            _ => return None,
        })
    }
}

impl Connection {
    /// Reads the resource at `uri`.
    pub(super) async fn read_resource(
        &self,
        uri: &str,
        cx: Option<&Context>,
    ) -> Result<Vec<McpContents>, NoAnswer<WorkerError>> {
        let request = format!("resources/read {uri}");
        let answer = self.in_rounds(&request, cx, |state, responses| {
            let mut params = ReadResourceRequestParams::new(uri);
            (params.request_state, params.input_responses) = (state, responses);
            ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params))
        });
        let result = json_of(answer.await?);
        let Some(Json::Array(contents)) = result.get("contents") else {
            return Err(self.malformed(&request, "it gives no contents".to_owned()).into());
        };
        let contents = contents.iter().filter_map(|contents| self.read(&request, contents));
        Ok(contents.filter_map(McpContents::of).collect())
    }

    pub(super) async fn subscribe(
        self: &Arc<Self>,
        uri: &str,
    ) -> Result<McpSubscription, McpError> {
        let updates = self.listener.updates();
        let live = self.live().await?;
        let end = CancellationToken::new();
        if live.is_newest() {
            let filter = SubscriptionFilter::builder().resource_subscription(uri).build();
            let request = format!("subscriptions/listen {uri}");
            let mut changes = match live.peer.listen(filter).await {
                Ok(changes) => changes,
                Err(error) => return Err(self.failure(&request, error, &live).await),
            };
            let end = end.clone();
            tokio::spawn(async move {
                // The transport hears the changes; dropping them ends the subscription.
                let ended = async { while let Ok(Some(_)) = changes.next().await {} };
                end.run_until_cancelled(ended).await;
            });
        } else {
            let request = format!("resources/subscribe {uri}");
            let asked = SubscribeRequest::new(SubscribeRequestParams::new(uri));
            self.request(&request, ClientRequest::SubscribeRequest(asked)).await?;
        }
        self.listener.subscribes(uri);
        Ok(McpSubscription {
            uri: uri.to_owned(),
            connection: Arc::clone(self),
            updates,
            _listening: end.drop_guard(),
        })
    }
}

impl McpSubscription {
    /// The address of the resource.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits until the resource has changed, or may have: when the server was connected to again,
    /// or has announced more changes than were waited for.
    ///
    /// # Cancel safety
    /// No change is missed if the future is dropped.
    pub async fn changed(&mut self) {
        loop {
            match self.updates.recv().await {
                Ok(uri) if uri == self.uri => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                // The listener of the connection sends them.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Drop for McpSubscription {
    fn drop(&mut self) {
        let is_last = self.connection.listener.unsubscribes(&self.uri);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !is_last {
            return;
        }
        let (connection, uri) = (Arc::clone(&self.connection), std::mem::take(&mut self.uri));
        runtime.spawn(async move {
            // A server that has ended needs not be started again for this.
            let live = connection.last();
            if live.peer.is_transport_closed() || live.is_newest() {
                return;
            }
            let asked = UnsubscribeRequest::new(UnsubscribeRequestParams::new(uri));
            let asked = ClientRequest::UnsubscribeRequest(asked);
            let _gone = connection.request("resources/unsubscribe", asked).await;
        });
    }
}

impl fmt::Debug for McpSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpSubscription({:?})", self.uri)
    }
}
