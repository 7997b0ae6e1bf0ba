//! Images in messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::media::n_bytes;

/// An image, by URL or by content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Image {
    /// A URL that the model's provider can fetch.
    Url(String),
    /// The content of the image.
    Data {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The bytes in base64 (RFC 4648, with padding).
        base64: String,
    },
}

/// How closely a model looks at an image, for providers that have levels; others ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImageDetail {
    /// At a small version of it, for few tokens.
    Low,
    /// At all of it.
    High,
    /// As the provider decides.
    Auto,
}

impl Image {
    /// Creates a PNG image from its bytes in base64.
    pub fn png(base64: impl Into<String>) -> Self {
        Self::Data { media_type: "image/png".to_owned(), base64: base64.into() }
    }

    /// The number of bytes of the content, or of the URL.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Self::Url(url) => url.len(),
            Self::Data { base64, .. } => n_bytes(base64),
        }
    }
}

impl fmt::Debug for Image {
    /// The number of bytes in place of the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.debug_tuple("Url").field(url).finish(),
            Self::Data { media_type, .. } => {
                write!(f, "Data({media_type:?}, {} bytes)", self.n_bytes())
            }
        }
    }
}

impl fmt::Display for Image {
    /// The image in words, for models that cannot see it: its kind and size, or its URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "image: {url}"),
            Self::Data { media_type, .. } => {
                write!(f, "image: {media_type}, {} bytes", self.n_bytes())
            }
        }
    }
}
