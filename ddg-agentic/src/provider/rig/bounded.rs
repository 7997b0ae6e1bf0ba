//! HTTP requests whose answers are bounded, since a server can send without end.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use rig_core::http_client::{BoxedStream, Error, Request, Response, Result, StreamingResponse};

/// Maximum number of bytes of a reply, whole or streamed.
const MOST_BYTES: usize = 64 << 20;

/// Number of bytes that are read of the body of an error.
const MOST_OF_ERROR: usize = 64 << 10;

/// A reply of more than [`MOST_BYTES`].
#[derive(Debug, thiserror::Error)]
#[error("it is larger than {} MiB, which is not read", MOST_BYTES >> 20)]
pub(super) struct TooLarge;

/// Sends a request. Returns the response with its body as a stream, or its error with the beginning
/// of its body.
pub(super) async fn sent(
    http: reqwest::Client,
    request: Request<Bytes>,
) -> Result<StreamingResponse> {
    let request = reqwest::Request::try_from(request).map_err(Error::instance)?;
    let mut answer = http.execute(request).await.map_err(Error::instance)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    if !status.is_success() {
        let mut body = Vec::new();
        while body.len() < MOST_OF_ERROR
            && let Ok(Some(piece)) = answer.chunk().await
        {
            body.extend_from_slice(&piece);
        }
        body.truncate(MOST_OF_ERROR);
        let body = String::from_utf8_lossy(&body).into_owned();
        return Err(Error::non_success_with_details(status, headers, body));
    }
    let body = answer.bytes_stream().map_err(Error::instance);
    let mut response = Response::new(bounded(Box::pin(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The whole body.
pub(super) async fn whole(mut body: BoxedStream) -> Result<Bytes> {
    let mut whole = Vec::new();
    while let Some(piece) = body.next().await {
        whole.extend_from_slice(&piece?);
    }
    Ok(whole.into())
}

/// The same body, with an error in place of the piece that makes it too large.
fn bounded(body: BoxedStream) -> BoxedStream {
    let next = |(mut body, n_bytes): (BoxedStream, usize)| async move {
        let piece = body.next().await?;
        let n_bytes = n_bytes + piece.as_ref().map_or(0, Bytes::len);
        let piece = if n_bytes > MOST_BYTES { Err(Error::instance(TooLarge)) } else { piece };
        Some((piece, (body, n_bytes)))
    };
    Box::pin(stream::unfold((body, 0), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of this many MiB.
    fn body(n: usize) -> BoxedStream {
        let piece = Bytes::from(vec![b' '; 1 << 20]);
        bounded(Box::pin(stream::repeat(piece).take(n).map(Ok)))
    }

    #[tokio::test]
    async fn a_body_without_end_is_an_error() {
        let n_most = MOST_BYTES >> 20;
        assert_eq!(whole(body(n_most)).await.map(|body| body.len()).ok(), Some(MOST_BYTES));
        let error = whole(body(usize::MAX)).await.map(|body| body.len()).unwrap_err();
        assert!(error.to_string().contains("larger than 64 MiB"), "{error}");
    }
}
