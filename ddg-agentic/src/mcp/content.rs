//! Results of MCP tools as text for a model.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::message::{Audio, ContentPart, Document, Image, MediaSource, n_bytes};
use crate::tool::ToolOutput;

/// The result in `json`, which the library could not read: blocks of its content that are unknown
/// become texts that name their kinds.
///
/// # Errors
/// If it is not a result of a tool.
pub(super) fn result_of(mut json: Json) -> Result<CallToolResult, String> {
    if let Some(Json::Array(blocks)) = json.get_mut("content") {
        for block in blocks.iter_mut() {
            if ContentBlock::deserialize(&*block).is_err() {
                *block = json!({ "type": "text", "text": unknown(block) });
            }
        }
    }
    if json.is_object() && json.get("content").is_none() {
        json["content"] = json!([]);
    }
    CallToolResult::deserialize(json).map_err(|error| format!("it is no result ({error})"))
}

/// The result for a model: its text, images, recordings and documents.
pub(super) fn output_of(result: &CallToolResult) -> ToolOutput {
    let text = ToolOutput::text(text_of(result));
    result.content.iter().fold(text, |output, block| match block {
        ContentBlock::Image(image) => {
            let (media_type, base64) = (image.mime_type.clone(), image.data.clone());
            output.image(Image::Data { media_type, base64 })
        }
        ContentBlock::Audio(audio) => with_bytes(output, &audio.mime_type, &audio.data, ""),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                with_bytes(output, mime_type.as_deref().unwrap_or_default(), blob, uri)
            }
            _ => output,
        },
        _ => output,
    })
}

/// Adds bytes of this media type to an output, as what they are. Bytes of an unknown type are left
/// out.
pub(super) fn with_bytes(
    output: ToolOutput,
    media_type: &str,
    base64: &str,
    uri: &str,
) -> ToolOutput {
    match part_of_bytes(media_type, base64, uri) {
        Some(ContentPart::Image { image, .. }) => output.image(image),
        Some(ContentPart::Audio { audio }) => output.attach(audio),
        Some(ContentPart::Document { document }) => output.attach(document),
        Some(ContentPart::Text { .. }) | None => output,
    }
}

/// A resource within a message as a part of it.
pub(super) fn part_of(embedded: &ResourceContents) -> ContentPart {
    let part = match embedded {
        ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
            part_of_bytes(mime_type.as_deref().unwrap_or_default(), blob, uri)
        }
        _ => None,
    };
    part.unwrap_or_else(|| ContentPart::text(resource(embedded)))
}

/// An image, a recording or a document. `None` for a film, or an unknown type.
fn part_of_bytes(media_type: &str, base64: &str, uri: &str) -> Option<ContentPart> {
    let base64 = base64.to_owned();
    Some(match media_type.split('/').next() {
        Some("image") => {
            ContentPart::image(Image::Data { media_type: media_type.to_owned(), base64 })
        }
        Some("audio") => ContentPart::audio(Audio::new(media_type, MediaSource::Base64(base64))),
        Some("" | "video") | None => return None,
        Some(_) => {
            let document = Document::new(media_type, MediaSource::Base64(base64));
            let name = uri.rsplit('/').next().unwrap_or_default();
            ContentPart::document(if name.is_empty() { document } else { document.name(name) })
        }
    })
}

/// The whole content of `result` as text. What is not text is named, in its order.
pub(super) fn text_of(result: &CallToolResult) -> String {
    let mut texts: Vec<String> = result.content.iter().map(block).collect();
    if let Some(structured) = &result.structured_content
        && !say(&texts, structured)
    {
        texts.push(structured.to_string());
    }
    texts.join("\n")
}

/// A block of unknown kind as text.
pub(super) fn unknown(block: &Json) -> String {
    format!("[{}]", block["type"].as_str().unwrap_or("something"))
}

/// A block as text.
pub(super) fn block(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => {
            format!("[image: {}, {} bytes]", image.mime_type, n_bytes(&image.data))
        }
        ContentBlock::Audio(audio) => {
            format!("[audio: {}, {} bytes]", audio.mime_type, n_bytes(&audio.data))
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

/// Whether `texts` repeat `structured`, which servers send for clients without structured content:
/// its JSON, or that of its only field, as a whole or one text for each element.
fn say(texts: &[String], structured: &Json) -> bool {
    let is = |text: &String, value: &Json| match value {
        Json::String(value) => value == text,
        value => serde_json::from_str::<Json>(text).is_ok_and(|json| json == *value),
    };
    let one = |value: &Json| texts.iter().any(|text| is(text, value));
    let each = |value: &Json| match value {
        Json::Array(values) => {
            values.len() == texts.len()
                && texts.iter().zip(values).all(|(text, value)| is(text, value))
        }
        _ => false,
    };
    let within = match structured {
        Json::Object(fields) if fields.len() == 1 => fields.values().next(),
        _ => None,
    };
    one(structured) || within.is_some_and(|value| one(value) || each(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_in_texts_is_not_said_again() {
        let said = |texts: &[&str], structured: Json| {
            say(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), &structured)
        };
        // As server-filesystem and FastMCP answer.
        assert!(said(&["hello\n"], json!({ "content": "hello\n" })));
        assert!(said(&["3"], json!({ "result": 3 })));
        assert!(said(&["a", "2"], json!({ "result": ["a", 2] })));
        assert!(said(&["{\"a\": 1, \"b\": 2}"], json!({ "b": 2, "a": 1 })));
        assert!(!said(&["It is 3."], json!({ "result": 3 })));
        assert!(!said(&["hello\n"], json!({ "content": "hello\n", "n_bytes": 6 })));
        assert!(!said(&[], json!({ "result": [1] })));
    }
}
