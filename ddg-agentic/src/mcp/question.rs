//! Questions of servers to people.

use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// A question of a server to a person (an *elicitation* of the protocol). The answer is an
/// [`McpAnswer`].
///
/// With [`may_ask_people`](super::McpEndpoint::may_ask_people) it is the content of a
/// [`Question`](ddg_core::run::Question) of a paused run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpQuestion {
    /// The name of the server.
    pub server: String,
    /// The question in words.
    pub message: String,
    /// The JSON schema of the answer: an object whose fields are texts, numbers, booleans or
    /// choices. `None` if the person is asked to open an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Json>,
    /// The address at which the person answers, to the server and not to this program. Show it, and
    /// open it only if the person agrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The answer of a person to an [`McpQuestion`].
///
/// As JSON: `"decline"`, `"cancel"` or `{"accept": {"content": {"name": "Ada"}}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum McpAnswer {
    /// The person answers, or has opened the address.
    Accept {
        /// The answer, which fits the schema of the question. Null for an address.
        content: Json,
    },
    /// The person does not want to answer.
    Decline,
    /// The person has closed the question without a choice.
    Cancel,
}

impl McpQuestion {
    pub(super) fn of(server: &str, params: &ElicitRequestParams) -> Option<Self> {
        let server = server.to_owned();
        match params {
            ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
                let schema = Some(serde_json::to_value(requested_schema).ok()?);
                Some(Self { server, message: message.clone(), schema, url: None })
            }
            ElicitRequestParams::UrlElicitationParams { message, url, .. } => Some(Self {
                server,
                message: message.clone(),
                schema: None,
                url: Some(url.clone()),
            }),
            _ => None,
        }
    }
}

impl McpAnswer {
    /// The answer for the server. One that does not fit the schema would be refused there.
    pub(super) fn result(self) -> ElicitResult {
        match self {
            Self::Accept { content: Json::Null } => ElicitResult::new(ElicitationAction::Accept),
            Self::Accept { content } => {
                ElicitResult::new(ElicitationAction::Accept).with_content(content)
            }
            Self::Decline => ElicitResult::new(ElicitationAction::Decline),
            Self::Cancel => ElicitResult::new(ElicitationAction::Cancel),
        }
    }
}

/// The refusal of a question that nobody can be asked, with the reason.
pub(super) fn declined(reason: &str) -> ElicitResult {
    let mut result = ElicitResult::new(ElicitationAction::Decline);
    // The protocol has no field for a reason.
    result.meta = serde_json::from_value(json!({ "reason": reason })).ok();
    result
}
