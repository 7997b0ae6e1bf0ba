//! The table of all messages, as a page for people.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The page: plain HTML with a little script, which needs nothing from elsewhere.
const PAGE: &str = include_str!("page.html");

/// What the page may do: nothing but its own style and script, and requests to this server.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The page is the same for everybody; what it shows is asked for with the secret.
pub(super) async fn table() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE).into_response()
}
