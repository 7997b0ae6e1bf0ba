//! Errors of models.

use ddg_core::__report::{Told, shown, shown_lines};
use std::sync::Arc;
use std::time::Duration;

/// A model gave no reply. The error never contains a key.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The provider answered with an error.
    #[error(
        "model `{model}`: the provider answered {status}: {message}",
        model = shown(.model), message = shown_lines(.message)
    )]
    Status {
        /// The model.
        model: String,
        /// The HTTP status.
        status: u16,
        /// The message of the provider.
        message: String,
        /// The time to wait that the provider asks for.
        retry_after: Option<Duration>,
    },
    /// The provider could not be reached, or the connection broke.
    #[error("model `{model}`: {message}", model = shown(.model), message = shown_lines(.message))]
    Connection {
        /// The model.
        model: String,
        /// The cause.
        message: String,
    },
    /// The stream of a reply ended before its end.
    #[error(
        "model `{model}`: the stream of its reply broke off before the end",
        model = shown(.model)
    )]
    BrokenOff {
        /// The model.
        model: String,
    },
    /// The reply did not arrive in time.
    #[error("model `{model}`: no reply within {after:?}", model = shown(.model))]
    TimedOut {
        /// The model.
        model: String,
        /// The timeout.
        after: Duration,
    },
    /// The response is not a reply.
    #[error(
        "model `{model}`: its answer is not a reply: {message}",
        model = shown(.model), message = shown_lines(.message)
    )]
    Malformed {
        /// The model.
        model: String,
        /// What is wrong with it.
        message: String,
    },
    /// The provider reported an error instead of a reply, or in the middle of one.
    #[error(
        "model `{model}`: the provider gave up on its reply: {message}",
        model = shown(.model), message = shown_lines(.message)
    )]
    Failed {
        /// The model.
        model: String,
        /// The message of the provider.
        message: String,
        /// Whether a retry may help.
        retryable: bool,
    },
    /// The conversation is longer than what the model can read.
    #[error(
        "model `{model}`: the conversation is too long for it: {message}",
        model = shown(.model), message = shown_lines(.message)
    )]
    ContextOverflow {
        /// The model.
        model: String,
        /// What the provider says of it.
        message: String,
    },
    /// The model cannot do what the request asks for.
    #[error(
        "model `{model}` cannot {what}; its capabilities say so before it is asked",
        model = shown(.model)
    )]
    Unsupported {
        /// The model.
        model: String,
        /// The missing capability, such as "see images".
        what: &'static str,
    },
    /// The images, documents and recordings of the request are larger than the model takes.
    #[error(
        "model `{model}` takes {max_bytes} bytes of images, documents and recordings, and these are \
         {n_bytes}: send less, or set `max_media_bytes`",
        model = shown(.model)
    )]
    TooMuchMedia {
        /// The model.
        model: String,
        /// The size of what should be sent, in bytes.
        n_bytes: usize,
        /// The limit, in bytes.
        max_bytes: usize,
    },
    /// The model is configured wrongly.
    #[error("{message}", message = shown_lines(.message))]
    Setup {
        /// What is missing or wrong, and where to set it.
        message: String,
    },
    /// Several models were asked one after another, and none replied.
    #[error("none of {n} models replied:{}", listed(failures), n = failures.len())]
    AllFailed {
        /// The errors, in the order in which the models were asked.
        failures: Vec<ModelError>,
    },
    /// A user's own model failed.
    #[error("model `{model}`: {}", Told(&**.source), model = shown(.model))]
    Other {
        /// The model.
        model: String,
        /// The cause.
        r#source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether a retry may help.
        retryable: bool,
    },
}

impl ModelError {
    /// Whether a retry may help: the connection broke, the timeout passed, or the provider answered
    /// 408, 429 or 5xx. If several models failed, one such error is enough.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
            Self::Connection { .. } | Self::BrokenOff { .. } | Self::TimedOut { .. } => true,
            Self::Failed { retryable, .. } | Self::Other { retryable, .. } => *retryable,
            Self::AllFailed { failures } => failures.iter().any(Self::is_retryable),
            Self::ContextOverflow { .. }
            | Self::Malformed { .. }
            | Self::Unsupported { .. }
            | Self::TooMuchMedia { .. }
            | Self::Setup { .. } => false,
        }
    }

    /// The kind of the error in a word, for figures: the status, or a word such as `timeout`.
    pub(crate) fn kind(&self) -> String {
        let word = match self {
            Self::Status { status, .. } => return status.to_string(),
            Self::Connection { .. } => "connection",
            Self::BrokenOff { .. } => "broken_off",
            Self::TimedOut { .. } => "timeout",
            Self::Malformed { .. } => "malformed",
            Self::Failed { .. } => "failed",
            Self::ContextOverflow { .. } => "context_overflow",
            Self::Unsupported { .. } | Self::TooMuchMedia { .. } => "unsupported",
            Self::Setup { .. } => "setup",
            Self::AllFailed { failures } => match failures.last() {
                Some(last) => return last.kind(),
                None => "_OTHER",
            },
            Self::Other { .. } => "_OTHER",
        };
        word.to_owned()
    }

    /// Whether the conversation is too long, for the model or for each of several.
    pub fn is_context_overflow(&self) -> bool {
        match self {
            Self::ContextOverflow { .. } => true,
            Self::AllFailed { failures } => {
                !failures.is_empty() && failures.iter().all(Self::is_context_overflow)
            }
            _ => false,
        }
    }

    /// The time to wait that the provider asks for. If several models failed, that of the first
    /// retryable error.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::AllFailed { failures } => {
                let worth_it = failures.iter().filter(|failure| failure.is_retryable());
                worth_it.map(Self::retry_after).min().flatten()
            }
            _ => None,
        }
    }
}

fn listed(failures: &[ModelError]) -> String {
    failures.iter().map(|failure| format!("\n- {failure}")).collect()
}

ddg_core::__report::debug_is_display!(ModelError);
