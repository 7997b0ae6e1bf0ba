//! JSON bodies, and why they are refused.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use ddg_agentic::assistants::AssistantsError;
use futures::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use crate::error::{ApiError, Kind};
use crate::state::Shared;

/// The body of a request: a JSON object, or nothing, which is an empty object.
pub(crate) struct Json(pub(crate) Value);

impl Json {
    /// Reads the body as the parameters of a call.
    pub(crate) fn read<T: TryFrom<Value, Error = AssistantsError>>(self) -> Result<T, ApiError> {
        Ok(T::try_from(self.0)?)
    }
}

impl FromRequest<Shared> for Json {
    type Rejection = ApiError;

    async fn from_request(request: Request, server: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes =
            collect(body, &parts.headers, server.limits.body_bytes, server.limits.idle).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(Value::Object(serde_json::Map::new())));
        }
        check_content_type(&parts.headers)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("We could not parse the JSON body of your request: {error}.");
            ApiError::invalid(message)
        })?;
        if value.is_object() {
            Ok(Self(value))
        } else {
            Err(ApiError::invalid("The body is no JSON object; send one, such as {\"name\": 1}."))
        }
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let essence = value.map(|value| value.split(';').next().unwrap_or_default().trim());
    let is_json = |essence: &str| {
        essence.eq_ignore_ascii_case("application/json")
            || essence.to_ascii_lowercase().ends_with("+json")
    };
    if essence.is_some_and(is_json) {
        return Ok(());
    }
    let found = essence.map_or_else(|| "is missing".to_owned(), |found| format!("is {found:?}"));
    let message = format!(
        "The header `Content-Type` {found}; send the body as JSON, with `Content-Type: \
         application/json`."
    );
    Err(ApiError::invalid(message).code("unsupported_content_type"))
}

/// Fails if the head of a request announces a body of more than `most` bytes.
pub(crate) fn check_length(headers: &HeaderMap, most: u64) -> Result<(), ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match announced.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > most => Err(too_large(most)),
        _ => Ok(()),
    }
}

pub(crate) fn too_large(most: u64) -> ApiError {
    let message = format!("The body is too large: at most {most} bytes are allowed.");
    ApiError::new(Kind::TooLarge, message).code("request_too_large")
}

/// The error of a client that sends nothing for `idle`.
pub(crate) fn too_slow(idle: Duration) -> ApiError {
    let message = format!("The body did not arrive: nothing was sent for {} s.", idle.as_secs());
    ApiError::new(Kind::Slow, message).code("request_timeout")
}

/// Collects a body of at most `most` bytes that pauses at most for `idle`.
async fn collect(
    body: Body,
    headers: &HeaderMap,
    most: u64,
    idle: Duration,
) -> Result<Bytes, ApiError> {
    if let Err(error) = check_length(headers, most) {
        discard(headers, body.into_data_stream()).await;
        return Err(error);
    }
    let hint = body.size_hint().exact().unwrap_or_default();
    let mut bytes = Vec::with_capacity(usize::try_from(hint.min(most)).unwrap_or_default());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = timeout(idle, pieces.next()).await.map_err(|_| too_slow(idle))? {
        let piece = piece.map_err(|error| cut_off(&error))?;
        if (bytes.len() + piece.len()) as u64 > most {
            discard(headers, pieces).await;
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.into())
}

/// Reads what is left of a body that is refused. A client that still sends when the connection is
/// closed does not see the reply.
pub(crate) async fn discard(headers: &HeaderMap, mut pieces: BodyDataStream) {
    const MOST: usize = 64 << 20;
    const TIME: Duration = Duration::from_secs(5);
    if headers.contains_key(header::EXPECT) {
        // The client waits for the reply before it sends the body.
        return;
    }
    let mut n_bytes = 0;
    let all = async {
        while let Some(Ok(piece)) = pieces.next().await {
            n_bytes += piece.len();
            if n_bytes > MOST {
                return;
            }
        }
    };
    // If it takes too long, the connection is closed.
    _ = timeout(TIME, all).await;
}

/// The error of a body that ends early, which nobody may be there to read.
pub(crate) fn cut_off(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::invalid(format!("The body of your request could not be read: {error}."))
}
