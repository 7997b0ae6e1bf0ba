//! Signatures: what a provider adds to a call or a text, and must get back with it.
//!
//! Gemini signs the first call of a turn, natively (`thoughtSignature`) and over OpenAI's protocol
//! (`extra_content`), and refuses the next request if the signature is missing. A signature is kept
//! with the reasoning of its message, and goes back to the model that gave it alone.

use rig_core::completion::AssistantContent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::message::Reasoning;

/// The fields of an item that make it signed.
const SIGNATURES: [&str; 2] = ["thoughtSignature", "extra_content"];

/// What an item of a provider has besides the call or text that it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Signature {
    signed: Signed,
    /// The other fields of the item.
    fields: Map<String, Json>,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Signed {
    /// The call with this id.
    Call(String),
    /// The text, if it has as many bytes.
    Text(usize),
}

/// Collects the signatures of a reply.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    /// Whether something was signed. From then on all calls are kept as the provider sent them,
    /// since one without a signature must not be given one.
    is_signed: bool,
}

impl Signatures {
    /// The signature of a call or text of `model`, if there is one to keep.
    pub(super) fn of(
        &mut self,
        content: &AssistantContent,
        signed: Signed,
        model: &str,
    ) -> Option<Reasoning> {
        let mut fields = content.native_item()?.as_object()?.clone();
        self.is_signed |= SIGNATURES.iter().any(|field| fields.contains_key(*field));
        if !self.is_signed {
            return None;
        }
        for known in ["id", "index", "type", "function", "text"] {
            fields.remove(known);
        }
        if let Some(Json::Object(call)) = fields.get_mut("functionCall") {
            call.retain(|field, _| field != "name" && field != "args");
        }
        let mut kept = Reasoning::new("");
        kept.opaque = serde_json::to_value(Signature { signed, fields }).ok();
        model.clone_into(&mut kept.model);
        Some(kept)
    }
}

impl Signature {
    /// The signature that is kept as this reasoning, if it is one.
    pub(super) fn kept_as(reasoning: &Reasoning) -> Option<Self> {
        Self::deserialize(reasoning.opaque.as_ref()?).ok()
    }

    /// Adds the signature to the call or text that it is of.
    pub(super) fn sign(&self, content: AssistantContent) -> AssistantContent {
        let mut item = self.fields.clone();
        let is_gemini = !item.contains_key("extra_content");
        match (&content, &self.signed) {
            (AssistantContent::Text(text), Signed::Text(n_bytes))
                if text.text.len() == *n_bytes && is_gemini =>
            {
                item.insert("text".to_owned(), json!(text.text));
            }
            (AssistantContent::ToolCall(call), Signed::Call(id)) if call.id.wire() == *id => {
                let (name, arguments) = (&call.function.name, call.function.arguments_value());
                if item.contains_key("functionCall") {
                    item["functionCall"]["name"] = json!(name);
                    item["functionCall"]["args"] = arguments;
                } else {
                    item.insert("id".to_owned(), json!(id));
                    item.insert("type".to_owned(), json!("function"));
                    let function = json!({ "name": name, "arguments": arguments.to_string() });
                    item.insert("function".to_owned(), function);
                }
            }
            _ => return content,
        }
        content.with_native(Json::Object(item))
    }
}
