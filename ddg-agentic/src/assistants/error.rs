//! Errors of assistants.

use ddg_core::__report::{shown, shown_lines};
use ddg_core::RunError;
use ddg_core::checkpoint::StoreError;
use ddg_core::worker::BoxError;

/// A request that was refused, or a store that failed.
///
/// The variants are the kinds of errors that a server tells its clients: what a client can mend is
/// a [`BadRequest`](Self::BadRequest) or [`Busy`](Self::Busy).
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum AssistantsError {
    /// The request is wrong.
    #[error("{message}", message = shown_lines(.message))]
    BadRequest {
        /// What is wrong, and what would be right.
        message: String,
        /// The parameter, if one is wrong.
        param: Option<String>,
        /// A code for programs, if there is one.
        code: Option<String>,
    },
    /// The object does not exist, or belongs to another tenant.
    #[error("No {what} found with id '{id}'.", id = shown(.id))]
    NotFound {
        /// The kind of the object, such as `thread`.
        what: &'static str,
        /// The id of the request.
        id: String,
    },
    /// A run of the thread is active.
    #[error("{message}", message = shown_lines(.message))]
    Busy {
        /// The thread and its run.
        message: String,
    },
    /// The journal of a run failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The store could not be opened, or its journals failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database of the store failed.
    #[error("assistants: cannot {action}: {source}", source = shown_lines(.source))]
    Backend {
        /// What was to be done.
        action: &'static str,
        /// The cause.
        r#source: BoxError,
    },
    /// A setting of the server's own is wrong, such as a graph that cannot be built.
    #[error("{message}", message = shown_lines(.message))]
    Setup {
        /// What is wrong, and where to set it.
        message: String,
    },
}

impl AssistantsError {
    /// Creates the refusal of a request.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::BadRequest { message: message.into(), param: None, code: None }
    }

    /// Creates the refusal of a request because of the parameter `param`.
    pub fn bad_param(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadRequest { message: message.into(), param: Some(param.into()), code: None }
    }

    pub(super) fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound { what, id: id.to_owned() }
    }

    pub(super) fn backend(action: &'static str) -> impl Fn(BoxError) -> Self {
        move |source| Self::Backend { action, source }
    }

    /// The kind of the error in the words of the API, such as `invalid_request_error`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadRequest { .. } | Self::Busy { .. } => "invalid_request_error",
            Self::NotFound { .. } => "not_found_error",
            Self::Run(_) | Self::Store(_) | Self::Backend { .. } | Self::Setup { .. } => {
                "server_error"
            }
        }
    }

    /// The parameter that is wrong, if one is.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::BadRequest { param, .. } => param.as_deref(),
            _ => None,
        }
    }

    /// The code for programs, if there is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::BadRequest { code, .. } => code.as_deref(),
            _ => None,
        }
    }
}

ddg_core::__report::debug_is_display!(AssistantsError);
