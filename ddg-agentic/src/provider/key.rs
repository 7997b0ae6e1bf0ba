//! Keys, which are never displayed.

use std::fmt;

/// The key of a provider. Its `Debug` text does not contain it, and it implements neither `Display`
/// nor serde.
///
/// ```
/// use ddg_agentic::provider::ApiKey;
///
/// let key = ApiKey::from("sk-123");
/// assert_eq!(format!("{key:?}"), "ApiKey(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// The key, for the header of a request only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the key is valid in a header.
    pub(crate) fn fits_header(&self) -> bool {
        self.0.chars().all(|c| c.is_ascii_graphic())
    }

    /// Removes the key from `text`.
    pub(crate) fn cut_from(&self, text: &str) -> String {
        match self.0.as_str() {
            "" => text.to_owned(),
            key => text.replace(key, "…"),
        }
    }
}

impl From<&str> for ApiKey {
    /// Creates a key. Spaces and line breaks around it are removed.
    fn from(key: &str) -> Self {
        Self(key.trim().to_owned())
    }
}

impl From<String> for ApiKey {
    /// Creates a key. Spaces and line breaks around it are removed.
    fn from(key: String) -> Self {
        Self::from(key.as_str())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}
