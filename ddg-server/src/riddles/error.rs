//! Errors of riddles as replies.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ddg_agentic::riddles::RiddleError;

use crate::error::{ApiError, Kind};

/// The reply to a request that failed.
pub(super) fn refused(error: &RiddleError) -> ApiError {
    match error {
        RiddleError::BadMessage { .. }
        | RiddleError::Outside { .. }
        | RiddleError::File { .. }
        | RiddleError::NoSubRiddle { .. }
        | RiddleError::AlreadyAnswered { .. } => ApiError::invalid(error.to_string()),
        RiddleError::UnknownRiddle { .. } | RiddleError::UnknownMessage { .. } => {
            ApiError::new(Kind::NotFound, error.to_string())
        }
        other => ApiError::server(other),
    }
}

/// The reply for a path that there is not.
pub(super) async fn no_path(uri: axum::http::Uri) -> Response {
    ApiError::new(Kind::NotFound, format!("There is no `{}` here.", uri.path())).into_response()
}

/// The reply for a method that a path does not have.
pub(super) async fn no_method(method: axum::http::Method, uri: axum::http::Uri) -> Response {
    let message = format!("`{}` has no {method}.", uri.path());
    let mut response = ApiError::new(Kind::Method, message).into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}
