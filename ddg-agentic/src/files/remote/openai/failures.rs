//! Converts failures into errors of this crate, without the key.

use std::time::{Duration, SystemTime};

use reqwest::Response;

use super::super::RemoteError;
use crate::provider::ApiKey;
use crate::provider::{chain, retry_after_of, told};

/// Number of bytes that are read of an error's body.
const MOST_READ: usize = 64 * 1024;

/// Converts the failures of one provider.
#[derive(Clone)]
pub(super) struct Failures {
    pub(super) key: Option<ApiKey>,
    /// The address of the provider.
    pub(super) base_url: String,
    pub(super) connect_timeout: Duration,
}

impl Failures {
    /// There is no response, or no complete one.
    pub(super) fn of_request(&self, error: &reqwest::Error) -> RemoteError {
        if error.is_timeout() {
            return RemoteError::TimedOut { after: self.connect_timeout };
        }
        let message = self.clean(&chain(error));
        match error {
            error if error.is_builder() => RemoteError::Setup { message },
            error if error.is_connect() => {
                RemoteError::Connection { message: format!("{message}; {}", self.address()) }
            }
            _ => RemoteError::Connection { message },
        }
    }

    /// Where the address is set, and what it is.
    fn address(&self) -> String {
        format!("check base_url or OPENAI_BASE_URL, which is {}", self.base_url)
    }

    /// The response is a page for people.
    pub(super) fn not_the_api(&self) -> RemoteError {
        self.malformed(&format!("it is text/html; {}", self.address()))
    }

    /// The response is an error.
    pub(super) async fn of_response(
        &self,
        mut response: Response,
        id: Option<&str>,
    ) -> RemoteError {
        let status = response.status().as_u16();
        if let (404, Some(id)) = (status, id) {
            return RemoteError::NotFound { id: id.to_owned() };
        }
        let retry_after = retry_after_of(response.headers(), SystemTime::now());
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece);
            if body.len() >= MOST_READ {
                break;
            }
        }
        let message = self.clean(&told(&String::from_utf8_lossy(&body)));
        RemoteError::Status { status, message, retry_after }
    }

    pub(super) fn malformed(&self, message: &str) -> RemoteError {
        RemoteError::Malformed { message: self.clean(message) }
    }

    fn clean(&self, message: &str) -> String {
        self.key.as_ref().map_or_else(|| message.to_owned(), |key| key.cut_from(message))
    }
}
