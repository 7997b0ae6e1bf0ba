//! Questions of a run to people, as questions to the person at the client.

use ddg_core::Value;
use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction};
use serde_json::{Value as Json, json};

use crate::tool::{Approval, Verdict};

/// The question for the client.
pub(super) fn params(question: &Value) -> Option<ElicitRequestParams> {
    let (message, schema) = match question.get::<Approval>() {
        Ok(Approval { tool, arguments, .. }) => {
            let decision = json!({
                "type": "string",
                "title": "Decision",
                "enum": ["allow", "deny"],
            });
            let reason = json!({ "type": "string", "title": "Reason, if it is denied" });
            let schema = json!({
                "type": "object",
                "properties": { "decision": decision, "reason": reason },
                "required": ["decision"],
            });
            (format!("May `{tool}` be called with {arguments}?"), schema)
        }
        Err(_) => {
            let message = match question.to_json().ok()? {
                Json::String(text) => text,
                json => json.to_string(),
            };
            let answer = json!({
                "type": "string",
                "title": "Answer",
                "description": "A text, or JSON.",
            });
            let schema = json!({
                "type": "object",
                "properties": { "answer": answer },
                "required": ["answer"],
            });
            (message, schema)
        }
    };
    let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
    serde_json::from_value(params).ok()
}

/// The answer of the person for the run, or why there is none.
pub(super) fn answer(question: &Value, result: ElicitResult) -> Result<Value, String> {
    let content = result.content.unwrap_or_default();
    let is_approval = question.get::<Approval>().is_ok();
    match result.action {
        ElicitationAction::Accept if is_approval => {
            let verdict = match content["decision"].as_str() {
                Some("allow") => Verdict::Allow,
                _ => Verdict::Deny { reason: reason(&content, "the person at the client said no") },
            };
            Ok(Value::new(verdict))
        }
        ElicitationAction::Accept => {
            let text = content["answer"].as_str().unwrap_or_default();
            // Text that is not JSON is meant as text.
            let json = serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()));
            Ok(Value::from_json(json))
        }
        _ if is_approval => {
            let reason = "the person at the client did not answer".to_owned();
            Ok(Value::new(Verdict::Deny { reason }))
        }
        _ => Err("the person at the client did not answer".to_owned()),
    }
}

fn reason(content: &Json, default: &str) -> String {
    let given = content["reason"].as_str().filter(|text| !text.trim().is_empty());
    given.unwrap_or(default).to_owned()
}
