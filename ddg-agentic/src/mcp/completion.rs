//! Completion of arguments: what a person could mean who has typed a part of a value.

use std::collections::BTreeMap;

use rmcp::model::{
    ArgumentInfo, ClientRequest, CompleteRequest, CompleteRequestParams, CompletionContext,
    CompletionInfo, Reference,
};
use serde::{Deserialize, Serialize};

use super::McpError;
use super::connection::Connection;
use super::lists::json_of;

/// Values that complete what a person has typed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpCompletion {
    /// The values, the best first; at most 100.
    pub values: Vec<String>,
    /// How many there are in all, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Whether there are more than these.
    #[serde(default)]
    pub has_more: bool,
}

/// An argument that is completed, for the functions of
/// [`McpService::complete_prompt`](super::McpService::complete_prompt) and
/// [`McpService::complete_resource`](super::McpService::complete_resource).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct McpTyped {
    /// The name of the argument.
    pub argument: String,
    /// The text so far; may be empty.
    pub typed: String,
    /// The arguments that are known already.
    pub given: BTreeMap<String, String>,
}

impl McpCompletion {
    /// The first 100 of these values.
    pub(super) fn of(values: Vec<String>) -> Self {
        let total = u32::try_from(values.len()).ok();
        let has_more = values.len() > CompletionInfo::MAX_VALUES;
        let values = values.into_iter().take(CompletionInfo::MAX_VALUES).collect();
        Self { values, total, has_more }
    }
}

impl Connection {
    /// Asks the server to complete an argument.
    pub(super) async fn complete(
        &self,
        of: Reference,
        argument: ArgumentInfo,
        given: BTreeMap<String, String>,
    ) -> Result<McpCompletion, McpError> {
        let request = format!("completion/complete {}", argument.name);
        let offers = |live: &super::live::Live| {
            live.peer.peer_info().is_some_and(|server| server.capabilities.completions.is_some())
        };
        if !offers(&*self.live().await?) {
            let (server, message) = (self.settings.name.clone(), "it completes nothing".to_owned());
            return Err(McpError::Refused { server, request, message });
        }
        let mut params = CompleteRequestParams::new(of, argument);
        if !given.is_empty() {
            params =
                params.with_context(CompletionContext::with_arguments(given.into_iter().collect()));
        }
        let asked = ClientRequest::CompleteRequest(CompleteRequest::new(params));
        let result = json_of(self.request(&request, asked).await?);
        let info = result.get("completion").map(CompletionInfo::deserialize);
        let Some(Ok(CompletionInfo { mut values, total, has_more, .. })) = info else {
            return Err(self.malformed(&request, "it gives no values".to_owned()));
        };
        let has_more = has_more.unwrap_or_default() || values.len() > CompletionInfo::MAX_VALUES;
        values.truncate(CompletionInfo::MAX_VALUES);
        Ok(McpCompletion { values, total, has_more })
    }
}
