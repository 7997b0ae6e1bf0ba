//! Around every request: its id, its span, its figures, and its panic.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::error::ApiError;
use crate::state::Shared;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-client-request-id");
const PROCESSING_MS: HeaderName = HeaderName::from_static("openai-processing-ms");

/// Handles a request: gives it an id, records it, and turns a panic into an error.
pub(crate) async fn observe(
    State(server): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = format!("req_{}", Uuid::now_v7().simple());
    let route = request.extensions().get::<MatchedPath>();
    // Paths that match nothing are one route, so that clients do not choose the labels.
    let route = route.map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method.as_str(),
        http.route = route,
        request.id = id,
        client.request.id = client_id(request.headers()),
        http.response.status_code = tracing::field::Empty,
    );
    let in_flight = server.metrics.begin();
    let run = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone());
    let mut response = run.await.unwrap_or_else(|panic| {
        let _in_span = span.enter();
        ApiError::server(&format_args!("a handler panicked: {}", text_of(&*panic))).into_response()
    });
    drop(in_flight);
    let elapsed = begun.elapsed();
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    span.in_scope(|| tracing::info!(status = status.as_u16(), ?elapsed, "answered"));
    server.metrics.ended(&method, route, status, elapsed);

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id).expect("it is letters and digits"));
    headers.insert(PROCESSING_MS, HeaderValue::from(elapsed.as_millis() as u64));
    response
}

/// The id that the client has given the request, if it is fit for a log.
fn client_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(CLIENT_REQUEST_ID)?.to_str().ok()?;
    (id.len() <= 128).then_some(id)
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
