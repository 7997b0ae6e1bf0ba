//! Unique ids of tool calls.

use rig_core::message::{CallId, Fingerprint};
use serde_json::json;

use crate::message::{Message, Messages};
use crate::model::ChatRequest;

/// The ids of the calls of a reply. Some servers send no ids, or the same id twice; such calls get
/// an id computed from the conversation and their index, so that it is the same for the same
/// request.
pub(super) struct CallIds {
    conversation: Messages,
    given: Vec<String>,
}

impl CallIds {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self { conversation: request.messages.clone(), given: Vec::new() }
    }

    /// The id of the call with index `place` in the reply, for which the provider has sent `id`.
    pub(super) fn id(&mut self, id: &CallId, place: usize) -> String {
        let sent = id.provider().map(|id| id.as_str().to_owned());
        let id = sent.filter(|id| !self.is_taken(id)).unwrap_or_else(|| self.made_up(place));
        self.given.push(id.clone());
        id
    }

    fn is_taken(&self, id: &str) -> bool {
        let mut said = self.conversation.iter().flat_map(Message::tool_calls);
        self.given.iter().any(|given| given == id) || said.any(|call| call.id == id)
    }

    fn made_up(&self, place: usize) -> String {
        let fingerprint = json!(Fingerprint::of(&self.conversation));
        let fingerprint = fingerprint.as_str().unwrap_or_default();
        format!("call_{fingerprint}_{place}")
    }
}
