//! Images in messages.

use serde::{Deserialize, Serialize};

/// An image, by URL or by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
