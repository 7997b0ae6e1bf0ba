//! Failures of requests, and their one form on the wire.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ddg_agentic::assistants::AssistantsError;
use serde::Serialize;

/// The kind of a failure, which decides its status and its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The client can mend it: 400.
    Invalid,
    /// The key is missing or unknown: 401.
    Key,
    /// There is no such object or path, or it belongs to another key: 404.
    NotFound,
    /// The path exists, and has other methods: 405.
    Method,
    /// The client was too slow to send its body: 408.
    Slow,
    /// The body is too large: 413.
    TooLarge,
    /// Too many requests: 429.
    Rate,
    /// A fault of the server: 500.
    Server,
}

/// A failure of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    /// The field of the request that is wrong.
    pub(crate) param: Option<String>,
    pub(crate) code: Option<String>,
    /// When the request can succeed.
    pub(crate) retry_after: Option<Duration>,
}

/// The data of an error, in a body and in a stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ErrorData {
    pub(crate) message: String,
    pub(crate) r#type: &'static str,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<String>,
}

#[derive(Serialize)]
struct ErrorBody {
    error: ErrorData,
}

impl Kind {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Key => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Rate => StatusCode::TOO_MANY_REQUESTS,
            Self::Server => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invalid | Self::Method | Self::Slow | Self::TooLarge => "invalid_request_error",
            Self::Key => "authentication_error",
            Self::NotFound => "not_found_error",
            Self::Rate => "rate_limit_error",
            Self::Server => "server_error",
        }
    }

    /// Whether the same request can succeed later. The official clients retry 408, 409, 429 and all
    /// of 5xx unless they are told not to, and a request that failed half-way would act twice.
    fn is_retryable(self) -> bool {
        match self {
            Self::Slow | Self::Rate => true,
            Self::Invalid
            | Self::Key
            | Self::NotFound
            | Self::Method
            | Self::TooLarge
            | Self::Server => false,
        }
    }
}

impl ApiError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), param: None, code: None, retry_after: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// A fault of the server. The cause is logged, and not shown to the client.
    pub(crate) fn server(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        let message = "The server had an error while processing the request; its log has the cause \
                       under the id of this request.";
        Self::new(Kind::Server, message)
    }

    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn data(&self) -> ErrorData {
        let Self { kind, message, param, code, .. } = self;
        let (message, param, code) = (message.clone(), param.clone(), code.clone());
        ErrorData { message, r#type: kind.name(), param, code }
    }
}

impl From<AssistantsError> for ApiError {
    fn from(error: AssistantsError) -> Self {
        let (param, code) = (error.param().map(str::to_owned), error.code().map(str::to_owned));
        let kind = match error.kind() {
            "invalid_request_error" => Kind::Invalid,
            "not_found_error" => Kind::NotFound,
            // With the cause in the log only: it may name files and addresses.
            _ => return Self::server(&error),
        };
        Self { kind, message: error.to_string(), param, code, retry_after: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: self.data() };
        let mut response = (self.kind.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        if !self.kind.is_retryable() {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        if self.kind == Kind::Key {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            // Rounded up, so that the client does not come too early.
            let millis = after.as_nanos().div_ceil(1_000_000);
            let seconds = millis.div_ceil(1000);
            headers.insert(header::RETRY_AFTER, number(seconds));
            headers.insert("retry-after-ms", number(millis));
        }
        response
    }
}

fn number(number: u128) -> HeaderValue {
    HeaderValue::from_str(&number.to_string()).expect("digits are valid in a header")
}
