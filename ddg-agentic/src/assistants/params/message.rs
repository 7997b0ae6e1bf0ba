//! Requests that create a message.

use serde_json::Value as Json;

use crate::assistants::AssistantsError;
use crate::assistants::fields::{Fields, invalid, missing, read, text};
use crate::assistants::object::{Attachment, ContentPart, FileRef, ImageUrl, Metadata, Role};

/// A request that creates a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MessageParams {
    /// The author: a person or the model.
    pub role: Role,
    /// The parts in order.
    pub content: Vec<ContentPart>,
    /// Files of the message.
    pub attachments: Vec<Attachment>,
    /// Pairs of the client.
    pub metadata: Metadata,
}

impl MessageParams {
    /// Creates a request for a message of a person.
    pub fn user(text: impl Into<String>) -> Self {
        Self {
            role: Role::User,
            content: vec![ContentPart::text(text)],
            attachments: Vec::new(),
            metadata: Metadata::new(),
        }
    }

    pub(super) fn read_all(path: &str, list: Vec<Json>) -> Result<Vec<Self>, AssistantsError> {
        let read =
            |(n, json): (usize, Json)| Self::read(Fields::at(&format!("{path}[{n}]"), json)?);
        list.into_iter().enumerate().map(read).collect()
    }

    fn read(mut fields: Fields) -> Result<Self, AssistantsError> {
        let role = match fields.text("role")?.as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some(other) => {
                let (path, found) = (fields.path("role"), Json::from(other));
                return Err(invalid(&path, "'user' or 'assistant'", &found));
            }
            None => return Err(missing(&fields.path("role"))),
        };
        let path = fields.path("content");
        let content = content(&path, fields.take("content").ok_or_else(|| missing(&path))?)?;
        let attachments_path = fields.path("attachments");
        let attachments = fields.list("attachments")?.unwrap_or_default();
        let attachment = |(n, json): (usize, Json)| attachment(&attachments_path, n, json);
        let mut attachments =
            attachments.into_iter().enumerate().map(attachment).collect::<Result<Vec<_>, _>>()?;
        // The older form of attachments.
        let ids_path = fields.path("file_ids");
        for (n, id) in fields.list("file_ids")?.unwrap_or_default().into_iter().enumerate() {
            let file_id = text(&format!("{ids_path}[{n}]"), id)?;
            attachments.push(Attachment { file_id, tools: Vec::new() });
        }
        let metadata = fields.metadata()?.unwrap_or_default();
        fields.finish()?;
        Ok(Self { role, content, attachments, metadata })
    }

    /// The ids of files that the message names, each with its parameter.
    pub(in crate::assistants) fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let attached = self.attachments.iter().map(|file| ("attachments", file.file_id.as_str()));
        let images = self.content.iter().filter_map(|part| match part {
            ContentPart::ImageFile { image_file } => Some(("content", image_file.file_id.as_str())),
            ContentPart::Text { .. } | ContentPart::ImageUrl { .. } => None,
        });
        attached.chain(images)
    }
}

impl TryFrom<Json> for MessageParams {
    type Error = AssistantsError;

    fn try_from(body: Json) -> Result<Self, AssistantsError> {
        Self::read(Fields::of(body)?)
    }
}

fn attachment(path: &str, n: usize, json: Json) -> Result<Attachment, AssistantsError> {
    let mut fields = Fields::at(&format!("{path}[{n}]"), json)?;
    let file_id = fields.required_text("file_id")?;
    let tools = fields.list("tools")?.unwrap_or_default();
    fields.finish()?;
    Ok(Attachment { file_id, tools })
}

fn content(path: &str, json: Json) -> Result<Vec<ContentPart>, AssistantsError> {
    match json {
        Json::String(text) => Ok(vec![ContentPart::text(text)]),
        Json::Array(parts) if !parts.is_empty() => {
            let part = |(n, json): (usize, Json)| part(&format!("{path}[{n}]"), json);
            parts.into_iter().enumerate().map(part).collect()
        }
        other => Err(invalid(path, "a string or an array of parts", &other)),
    }
}

fn part(path: &str, json: Json) -> Result<ContentPart, AssistantsError> {
    let mut fields = Fields::at(path, json)?;
    let kind = fields.required_text("type")?;
    let part = match kind.as_str() {
        "text" => {
            let at = fields.path("text");
            // Both the text itself and the form in which messages are shown.
            let value = match fields.take("text").ok_or_else(|| missing(&at))? {
                Json::Object(mut text) => text.remove("value").unwrap_or_default(),
                text => text,
            };
            ContentPart::text(text(&at, value)?)
        }
        "image_url" => {
            let at = fields.path("image_url");
            let image: ImageUrl = read(&at, fields.take("image_url").ok_or_else(|| missing(&at))?)?;
            let allowed = ["https://", "http://", "data:image/"];
            if !allowed.iter().any(|scheme| image.url.starts_with(scheme)) {
                let at = format!("{at}.url");
                return Err(invalid(&at, "a URL of an image", &Json::from(image.url)));
            }
            ContentPart::ImageUrl { image_url: image }
        }
        "image_file" => {
            let at = fields.path("image_file");
            let json = fields.take("image_file").ok_or_else(|| missing(&at))?;
            let image_file: FileRef = read(&at, json)?;
            ContentPart::ImageFile { image_file }
        }
        other => {
            let expected = "'text', 'image_url' or 'image_file'";
            return Err(invalid(&fields.path("type"), expected, &Json::from(other)));
        }
    };
    fields.finish()?;
    Ok(part)
}
