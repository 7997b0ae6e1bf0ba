//! `/healthz` and `/metrics`, for those who operate the server.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::state::Shared;

/// Answers 200 if the server can serve requests.
pub(super) async fn health(State(_): State<Shared>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })))
}

/// The figures of the server.
pub(super) async fn metrics(State(server): State<Shared>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], server.metrics.text()).into_response()
}
