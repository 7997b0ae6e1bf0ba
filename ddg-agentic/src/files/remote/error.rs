//! Errors of providers of files.

use ddg_core::__report::{shown, shown_lines};
use std::sync::Arc;
use std::time::Duration;

/// A provider of files refused or failed. The error never contains a key.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The provider has no such file.
    #[error("the provider has no file `{id}`", id = shown(.id))]
    NotFound {
        /// The id.
        id: String,
    },
    /// The provider answered with an error.
    #[error("the provider answered {status}: {message}", message = shown_lines(.message))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The message of the provider.
        message: String,
        /// The time to wait that the provider asks for.
        retry_after: Option<Duration>,
    },
    /// The provider could not be reached, or the connection broke.
    #[error("{message}", message = shown_lines(.message))]
    Connection {
        /// The cause.
        message: String,
    },
    /// The response did not arrive in time.
    #[error("nothing came within {after:?}")]
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The response is malformed.
    #[error("its answer cannot be read: {message}", message = shown_lines(.message))]
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// The provider does not support the operation.
    #[error("the provider cannot {what}")]
    Unsupported {
        /// The operation, such as "give temporary URLs".
        what: &'static str,
    },
    /// The content of the upload cannot be read.
    #[error("the file cannot be read: {source}", source = shown_lines(.source))]
    Source {
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },
    /// The client is configured wrongly.
    #[error("{message}", message = shown_lines(.message))]
    Setup {
        /// What is missing or wrong, and where to set it.
        message: String,
    },
    /// A user's own client failed.
    #[error("{source}", source = shown_lines(.source))]
    Other {
        /// The cause.
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether a retry may help.
        retryable: bool,
    },
}

impl RemoteError {
    /// Whether a retry may help: the connection broke, the timeout passed, or the provider answered
    /// 408, 429 or 5xx.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Connection { .. } | Self::TimedOut { .. } => true,
            Self::Other { retryable, .. } => *retryable,
            Self::NotFound { .. }
            | Self::Malformed { .. }
            | Self::Unsupported { .. }
            | Self::Source { .. }
            | Self::Setup { .. } => false,
        }
    }

    /// The time to wait that the provider asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
