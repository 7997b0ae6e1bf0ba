//! Images in messages.

use serde::{Deserialize, Serialize};

/// An image, by address or by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Image {
    /// Where the model's provider finds it.
    Url(String),
    /// The image itself.
    Data {
        /// As `image/png`.
        media_type: String,
        /// Its bytes in base64 (RFC 4648, with padding).
        base64: String,
    },
}
