//! Results of MCP tools as text for a model.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value as Json;

/// The whole content of `result` as text.
pub(super) fn text_of(result: &CallToolResult) -> String {
    let mut texts: Vec<String> = result.content.iter().map(block).collect();
    if let Some(structured) = &result.structured_content
        && !texts.iter().any(|text| says(text, structured))
    {
        texts.push(structured.to_string());
    }
    texts.join("\n")
}

fn block(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => {
            format!("[image: {}, {} bytes]", image.mime_type, n_bytes(&image.data))
        }
        ContentBlock::Audio(audio) => {
            format!("[sound: {}, {} bytes]", audio.mime_type, n_bytes(&audio.data))
        }
        ContentBlock::Resource(embedded) => resource(&embedded.resource),
        ContentBlock::ResourceLink(link) => {
            let description = link.description.as_deref().unwrap_or(&link.name);
            format!("[resource {}: {description}]", link.uri)
        }
        other => format!("[{}]", kind(other)),
    }
}

fn resource(resource: &ResourceContents) -> String {
    match resource {
        ResourceContents::TextResourceContents { uri, text, .. } => {
            format!("[resource {uri}]\n{text}")
        }
        ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
            let mime_type = mime_type.as_deref().unwrap_or("binary");
            format!("[resource {uri}: {mime_type}, {} bytes]", n_bytes(blob))
        }
        _ => "[resource]".to_owned(),
    }
}

/// The kind of a block that this crate does not know.
fn kind(block: &ContentBlock) -> String {
    let json = serde_json::to_value(block).unwrap_or_default();
    json["type"].as_str().unwrap_or("something").to_owned()
}

/// The number of bytes that `base64` encodes.
fn n_bytes(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// Whether `text` is the JSON of `structured`, which servers send for clients without structured
/// content.
fn says(text: &str, structured: &Json) -> bool {
    serde_json::from_str::<Json>(text).is_ok_and(|json| json == *structured)
}
