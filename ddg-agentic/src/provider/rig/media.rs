//! Documents and recordings in the form of each API.
//!
//! The library in between knows a few media types and no names of files. For the APIs of OpenAI it
//! is given a reference for each file, which is replaced when the request is sent.

use rig_core::completion::{Media, ReplayTarget};
use rig_core::message::{
    Api, Audio as RigAudio, AudioMediaType, Document as RigDocument, DocumentMediaType,
    DocumentSourceKind, MimeType, UserContent,
};
use serde_json::{Map, Value as Json, json};

use super::ask::{ANTHROPIC, RESPONSES};
use crate::message::{Attachment, Audio, Document, MediaSource};
use crate::model::Capabilities;

/// The API of OpenAI's chat completions, and of servers like it.
const CHAT: Api = Api::from_static("openai.chat");

/// What stands for a file until the request is sent, with its index.
const REFERENCE: &str = "ddg-file-";

/// The documents and recordings of a request.
#[derive(Debug, Default)]
pub(super) struct SentMedia {
    /// The files for an API of OpenAI, as the fields that tell them.
    files: Vec<Map<String, Json>>,
    has_audio: bool,
}

impl SentMedia {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.has_audio
    }

    /// Adds a file; returns the reference to it.
    fn add(&mut self, document: &Document) -> DocumentSourceKind {
        let file = match &document.source {
            MediaSource::FileId(id) => json!({ "file_id": id }),
            MediaSource::Url(url) => json!({ "file_url": url }),
            MediaSource::Base64(base64) => json!({
                "file_data": format!("data:{};base64,{base64}", document.media_type),
                "filename": document.name.as_deref().unwrap_or(match document.is_pdf() {
                    true => "document.pdf",
                    false => "document",
                }),
            }),
        };
        let reference = format!("{REFERENCE}{}", self.files.len());
        self.files.extend(file.as_object().cloned());
        DocumentSourceKind::FileId(reference)
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Replaces the references in a request.
    pub(super) fn fill(mut self, body: &mut Json) {
        for list in ["messages", "input"] {
            for message in body[list].as_array_mut().into_iter().flatten() {
                let parts = message.get_mut("content").and_then(Json::as_array_mut);
                parts.into_iter().flatten().for_each(|part| self.fill_part(part));
            }
        }
    }

    fn fill_part(&mut self, part: &mut Json) {
        // Chat completions have the file inside of the part, the Responses API has it beside.
        let file = match part["type"].as_str() {
            Some("file") => &mut part["file"],
            Some("input_file") => part,
            _ => return,
        };
        let index =
            file["file_id"].as_str().and_then(|id| id.strip_prefix(REFERENCE)?.parse().ok());
        let sent = index.and_then(|index: usize| self.files.get_mut(index));
        if let (Some(sent), Some(file)) = (sent, file.as_object_mut()) {
            file.remove("file_id");
            file.append(sent);
        }
    }
}

/// Converts documents and recordings for `target`.
#[derive(Clone, Copy)]
pub(super) struct MediaForms<'a> {
    pub(super) target: &'a dyn ReplayTarget,
    pub(super) capabilities: Capabilities,
}

impl MediaForms<'_> {
    /// # Errors
    /// What the model cannot do.
    pub(super) fn attachment(
        self,
        attachment: &Attachment,
        media: &mut SentMedia,
    ) -> Result<UserContent, &'static str> {
        match attachment {
            Attachment::Document(document) => self.document(document, media),
            Attachment::Audio(audio) => self.audio(audio, media),
        }
    }

    /// # Errors
    /// What the model cannot do.
    pub(super) fn document(
        self,
        document: &Document,
        media: &mut SentMedia,
    ) -> Result<UserContent, &'static str> {
        const OTHER_TYPE: &str = "read documents of this media type";
        let target = self.target;
        let is_anthropic = target.provider() == ANTHROPIC;
        let title = document.name.as_ref().filter(|_| is_anthropic);
        let title = title.map(|name| json!({ "title": name }));
        if let Some(text) = document.text() {
            if !is_anthropic {
                return Ok(UserContent::text(format!("{}\n{text}", document.heading())));
            }
            return Ok(UserContent::Document(RigDocument {
                data: DocumentSourceKind::String(text),
                media_type: Some(DocumentMediaType::TXT),
                additional_params: title,
            }));
        }
        if !self.capabilities.documents {
            return Err("read documents");
        }
        let source = &document.source;
        let (is_chat, is_responses) = (target.api() == CHAT, target.api() == RESPONSES);
        let is_url = matches!(source, MediaSource::Url(_));
        let reads_type = match (is_chat, is_anthropic) {
            (true, _) => document.is_pdf(),
            // A URL has no media type there: it is that of a PDF.
            (_, true) => document.is_pdf() || matches!(source, MediaSource::FileId(_)),
            _ => true,
        };
        if !reads_type {
            return Err(OTHER_TYPE);
        }
        let data = match source {
            _ if is_responses || is_chat && !is_url => media.add(document),
            MediaSource::Base64(base64) => DocumentSourceKind::Base64(base64.clone()),
            MediaSource::Url(url) => DocumentSourceKind::Url(url.clone()),
            MediaSource::FileId(id) => DocumentSourceKind::FileId(id.clone()),
        };
        let media_type = DocumentMediaType::from_mime_type(&document.media_type);
        let sent = RigDocument { data, media_type, additional_params: title };
        match target.encodes(target.model(), Media::Document(&sent)) {
            true => Ok(UserContent::Document(sent)),
            false => Err(match source {
                MediaSource::Url(_) if document.is_pdf() => "read documents by address",
                MediaSource::FileId(_) => "read documents by the id of a file",
                MediaSource::Base64(_) | MediaSource::Url(_) => OTHER_TYPE,
            }),
        }
    }

    /// # Errors
    /// What the model cannot do.
    pub(super) fn audio(
        self,
        audio: &Audio,
        media: &mut SentMedia,
    ) -> Result<UserContent, &'static str> {
        if !self.capabilities.audio {
            return Err("hear recordings");
        }
        let data = match &audio.source {
            MediaSource::Base64(base64) => DocumentSourceKind::Base64(base64.clone()),
            MediaSource::Url(url) => DocumentSourceKind::Url(url.clone()),
            MediaSource::FileId(id) => DocumentSourceKind::FileId(id.clone()),
        };
        let media_type = audio_type(&audio.media_type);
        if media_type.is_none() {
            return Err("hear recordings of this media type");
        }
        let sent = RigAudio { data, media_type };
        match self.target.encodes(self.target.model(), Media::Audio(&sent)) {
            true => {
                media.has_audio = true;
                Ok(UserContent::Audio(sent))
            }
            false => Err(match audio.source {
                MediaSource::Base64(_) => "hear recordings",
                MediaSource::Url(_) => "hear recordings by address",
                MediaSource::FileId(_) => "hear recordings by the id of a file",
            }),
        }
    }
}

/// The media type under any of its names.
fn audio_type(media_type: &str) -> Option<AudioMediaType> {
    let name = match media_type {
        "audio/mpeg" | "audio/mpeg3" | "audio/x-mp3" => "audio/mp3",
        "audio/wave" | "audio/x-wav" | "audio/vnd.wave" => "audio/wav",
        "audio/x-aiff" => "audio/aiff",
        "audio/x-aac" => "audio/aac",
        "audio/opus" => "audio/ogg",
        "audio/x-flac" => "audio/flac",
        "audio/mp4" | "audio/x-m4a" => "audio/m4a",
        other => other,
    };
    AudioMediaType::from_mime_type(name)
}

/// Whether the model of a server with OpenAI's chat completions may hear. Of OpenAI's own models
/// those do that say so; of others nothing is known.
pub(super) fn may_hear(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let is_of_openai =
        ["gpt-", "chatgpt-", "o1", "o3", "o4"].iter().any(|own| name.starts_with(own));
    !is_of_openai || name.contains("audio")
}
