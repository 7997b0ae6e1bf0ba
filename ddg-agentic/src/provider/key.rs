//! Keys, which show themselves nowhere.

use std::fmt;

/// A provider's key. Its `Debug` text does not tell it, it has no other text, and it is not
/// serialisable.
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
    /// The key, for the header of a request and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it can stand in a header.
    pub(crate) fn fits_header(&self) -> bool {
        self.0.chars().all(|c| c.is_ascii_graphic())
    }

    /// `text` without the key, where somebody has written it down.
    pub(crate) fn cut_from(&self, text: &str) -> String {
        match self.0.as_str() {
            "" => text.to_owned(),
            key => text.replace(key, "…"),
        }
    }
}

impl From<&str> for ApiKey {
    /// Spaces and line breaks around it are taken off.
    fn from(key: &str) -> Self {
        Self(key.trim().to_owned())
    }
}

impl From<String> for ApiKey {
    /// Spaces and line breaks around it are taken off.
    fn from(key: String) -> Self {
        Self::from(key.as_str())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}
