//! The content of documents and recordings in messages, and where it is.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use ddg_core::__report::shown;
use serde::{Deserialize, Serialize};

use super::{Audio, Document};

/// The content of a [`Document`] or a recording ([`Audio`]), or where it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaSource {
    /// The bytes in base64 (RFC 4648, with padding).
    Base64(String),
    /// A URL that the model's provider can fetch.
    Url(String),
    /// The id of a file that was uploaded to the model's provider.
    FileId(String),
}

/// A document or a recording beside a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attachment {
    /// A document, such as a PDF.
    Document(Document),
    /// A recording.
    Audio(Audio),
}

impl MediaSource {
    /// The content with these bytes.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Base64(BASE64_STANDARD.encode(bytes))
    }

    /// The bytes, if the content is here and is valid base64.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Base64(base64) => BASE64_STANDARD.decode(base64).ok(),
            Self::Url(_) | Self::FileId(_) => None,
        }
    }

    /// The number of bytes of the content, or of the reference to it.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Self::Base64(base64) => n_bytes(base64),
            Self::Url(reference) | Self::FileId(reference) => reference.len(),
        }
    }
}

impl Attachment {
    /// The number of bytes of the content, or of the reference to it.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Self::Document(document) => document.source.n_bytes(),
            Self::Audio(audio) => audio.source.n_bytes(),
        }
    }
}

/// The number of bytes that `base64` encodes.
pub(crate) fn n_bytes(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// A media type without parameters, in lower case: `text/plain` for `Text/Plain; charset=utf-8`.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

impl From<Document> for Attachment {
    fn from(document: Document) -> Self {
        Self::Document(document)
    }
}

impl From<Audio> for Attachment {
    fn from(audio: Audio) -> Self {
        Self::Audio(audio)
    }
}

impl fmt::Display for Attachment {
    /// The attachment in words, for models that cannot read or hear it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(document) => document.fmt(f),
            Self::Audio(audio) => audio.fmt(f),
        }
    }
}

impl fmt::Display for MediaSource {
    /// The size of the content, or where it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(_) => write!(f, "{} bytes", self.n_bytes()),
            Self::Url(url) => write!(f, "at {}", shown(url)),
            Self::FileId(id) => write!(f, "file {}", shown(id)),
        }
    }
}

impl fmt::Debug for MediaSource {
    /// The number of bytes in place of the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(_) => write!(f, "Base64({} bytes)", self.n_bytes()),
            Self::Url(url) => f.debug_tuple("Url").field(url).finish(),
            Self::FileId(id) => f.debug_tuple("FileId").field(id).finish(),
        }
    }
}
