//! What a server answers that was asked for a stream and sends something else.

use ddg_core::__report::shown;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use rig_core::http_client::{BoxedStream, Error, Result, StreamingResponse};
use serde_json::{Value as Json, json};

use super::super::retry_after::retry_after_of;

/// How much of a body that is no stream is read, in bytes.
const MOST_READ: usize = 8 << 20;

/// A whole answer in place of a stream, which is no reply: the error of a gateway, say.
#[derive(Debug, thiserror::Error)]
#[error("{body}", body = shown(.body))]
pub(super) struct NotAStream {
    pub(super) body: String,
    pub(super) retry_after: Option<Duration>,
}

/// The answer as a stream of events: texts are taken for one, and a whole completion is made one.
///
/// # Errors
/// [`NotAStream`], for JSON that is no completion.
pub(super) async fn as_stream(mut answer: StreamingResponse) -> Result<StreamingResponse> {
    let content_type = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if content_type.starts_with(b"text/plain") {
        events(&mut answer);
        return Ok(answer);
    }
    if !answer.status().is_success() || !content_type.starts_with(b"application/json") {
        return Ok(answer);
    }
    let retry_after = retry_after_of(answer.headers(), SystemTime::now());
    let mut body = Vec::new();
    while let Some(piece) = answer.body_mut().next().await {
        body.extend_from_slice(&piece?);
        if body.len() > MOST_READ {
            break;
        }
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    match serde_json::from_str(&body).ok().and_then(chunk) {
        Some(chunk) => {
            events(&mut answer);
            let text = format!("data: {chunk}\n\ndata: [DONE]\n\n");
            let body: BoxedStream = Box::pin(futures::stream::iter([Ok(Bytes::from(text))]));
            Ok(answer.map(|_| body))
        }
        None => Err(Error::instance(NotAStream { body, retry_after })),
    }
}

fn events(answer: &mut StreamingResponse) {
    let events = HeaderValue::from_static("text/event-stream");
    answer.headers_mut().insert(CONTENT_TYPE, events);
}

/// A completion of OpenAI's API as the one chunk of a stream.
fn chunk(mut completion: Json) -> Option<Json> {
    let choice = completion.get_mut("choices")?.get_mut(0)?;
    let mut message = choice.get_mut("message").filter(|message| message.is_object())?.take();
    if let Some(calls) = message.get_mut("tool_calls").and_then(Json::as_array_mut) {
        for (index, call) in calls.iter_mut().enumerate() {
            call["index"] = json!(index);
        }
    }
    let finish = choice.get("finish_reason").cloned().unwrap_or_else(|| json!("stop"));
    completion["choices"] = json!([{ "index": 0, "delta": message, "finish_reason": finish }]);
    completion["object"] = json!("chat.completion.chunk");
    Some(completion)
}
