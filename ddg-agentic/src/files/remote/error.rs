//! Why a provider of files did not do what it was asked.

use std::sync::Arc;
use std::time::Duration;

/// Why a provider of files did not do what it was asked. It never holds a key.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The provider has no such file.
    #[error("the provider has no file `{id}`")]
    NotFound {
        /// The id.
        id: String,
    },
    /// The provider answered with an error.
    #[error("the provider answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// What the provider says of it.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The provider could not be reached, or the connection broke.
    #[error("{message}; is the address right, and the provider up?")]
    Connection {
        /// What happened.
        message: String,
    },
    /// No answer came in time.
    #[error("nothing came within {after:?}")]
    TimedOut {
        /// The time it had.
        after: Duration,
    },
    /// What came is no answer.
    #[error("its answer cannot be read: {message}")]
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// The provider cannot do this.
    #[error("the provider cannot {what}")]
    Unsupported {
        /// As "give temporary URLs".
        what: &'static str,
    },
    /// What is to be uploaded cannot be read.
    #[error("the file cannot be read: {source}")]
    Source {
        /// What the operating system says.
        source: Arc<std::io::Error>,
    },
    /// The client is set up wrongly.
    #[error("{message}")]
    Setup {
        /// What is missing or wrong, and where to set it.
        message: String,
    },
    /// A client of the user's own failed.
    #[error("{source}")]
    Other {
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether asking again may help.
        retryable: bool,
    },
}

impl RemoteError {
    /// Whether asking again may help: the connection broke, it took too long, or the provider answered
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

    /// How long the provider asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
