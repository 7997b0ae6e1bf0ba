//! Why a model gave no reply.

use ddg_core::__report::Told;
use std::sync::Arc;
use std::time::Duration;

/// Why a model gave no reply. It never holds a key.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The provider answered with an error.
    #[error("model `{model}`: the provider answered {status}: {message}")]
    Status {
        /// The model.
        model: String,
        /// The HTTP status.
        status: u16,
        /// What the provider says of it.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The provider could not be reached, or the connection broke.
    #[error("model `{model}`: {message}; is the address right, and the provider up?")]
    Connection {
        /// The model.
        model: String,
        /// What happened.
        message: String,
    },
    /// The stream of a reply ended before its end.
    #[error("model `{model}`: the stream of its reply broke off before the end")]
    BrokenOff {
        /// The model.
        model: String,
    },
    /// No reply came in time.
    #[error("model `{model}`: no reply within {after:?}")]
    TimedOut {
        /// The model.
        model: String,
        /// The time it had.
        after: Duration,
    },
    /// What came is no reply.
    #[error("model `{model}`: its answer is no reply: {message}")]
    Malformed {
        /// The model.
        model: String,
        /// What is wrong with it.
        message: String,
    },
    /// The provider reported an error instead of a reply or in the middle of one.
    #[error("model `{model}`: the provider gave up on its reply: {message}")]
    Failed {
        /// The model.
        model: String,
        /// What the provider says of it.
        message: String,
        /// Whether asking again may help.
        retryable: bool,
    },
    /// The conversation is longer than what the model can read.
    #[error("model `{model}`: the conversation is too long for it: {message}")]
    ContextOverflow {
        /// The model.
        model: String,
        /// What the provider says of it.
        message: String,
    },
    /// The model cannot do what it was asked for.
    #[error("model `{model}` cannot {what}; its capabilities say so before it is asked")]
    Unsupported {
        /// The model.
        model: String,
        /// As "see images".
        what: &'static str,
    },
    /// It is set up wrongly.
    #[error("{message}")]
    Setup {
        /// What is missing or wrong, and where to set it.
        message: String,
    },
    /// One model after the other was asked, and none replied.
    #[error("none of {n} models replied:{}", listed(failures), n = failures.len())]
    AllFailed {
        /// Why each failed, in the order in which they were asked.
        failures: Vec<ModelError>,
    },
    /// A model of the user's own failed.
    #[error("model `{model}`: {}", Told(&**.source))]
    Other {
        /// The model.
        model: String,
        /// Why.
        r#source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether asking again may help.
        retryable: bool,
    },
}

impl ModelError {
    /// Whether asking again may help: the connection broke, it took too long, or the provider
    /// answered 408, 409, 425, 429 or 5xx. Of several models that failed, it is enough if one is worth it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
            Self::Connection { .. } | Self::BrokenOff { .. } | Self::TimedOut { .. } => true,
            Self::Failed { retryable, .. } | Self::Other { retryable, .. } => *retryable,
            Self::AllFailed { failures } => failures.iter().any(Self::is_retryable),
            Self::ContextOverflow { .. }
            | Self::Malformed { .. }
            | Self::Unsupported { .. }
            | Self::Setup { .. } => false,
        }
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

    /// How long the provider asks to be left alone; of several, the first that may be asked again.
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
