//! The secret that management and agents share.

use std::fmt;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{ApiError, Kind};

/// A secret that keeps others out: sent as `Authorization: Bearer`, both ways. It is never shown.
#[derive(Clone)]
pub struct Secret {
    text: String,
}

impl Secret {
    /// A secret. `None` if it is empty.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let text = text.trim();
        (!text.is_empty()).then(|| Self { text: text.to_owned() })
    }

    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.text)
    }

    fn admits(&self, given: &str) -> bool {
        // Hashes, so that neither content nor length can be read off the time.
        let hash = |text: &str| Sha256::digest(text.as_bytes());
        hash(given).ct_eq(&hash(&self.text)).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Refuses a request without the secret, if there is one.
pub(super) fn check(secret: Option<&Secret>, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(secret) = secret else { return Ok(()) };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(given) if secret.admits(given.trim()) => Ok(()),
        _ => {
            let message =
                "The secret is missing or wrong; send it as `Authorization: Bearer SECRET`.";
            Err(ApiError::new(Kind::Key, message))
        }
    }
}
