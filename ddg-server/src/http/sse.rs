//! Streams of events, byte for byte as the official clients read them.
//!
//! **Invariant** A comment has no empty line after it. The decoder of the official Python client
//! keeps the last event id, so after an `id:` it takes the empty line for an event without data,
//! and fails. axum's own keep-alive writes such a line, therefore this module does not use it.

use std::fmt::Write;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::Stream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a stream is silent before a comment is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const COMMENT: &[u8] = b": keep-alive\n";

/// An event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// JSON on one line.
    pub(crate) data: String,
    pub(crate) id: Option<u64>,
}

impl Event {
    /// The last event of a stream that ends as planned.
    pub(crate) fn done() -> Self {
        Self { name: "done".into(), data: "[DONE]".into(), id: None }
    }

    fn bytes(&self) -> Bytes {
        let Self { name, data, id } = self;
        debug_assert!(!data.contains(['\n', '\r']), "JSON without indentation is one line");
        let mut text = String::with_capacity(name.len() + data.len() + 48);
        let written = match id {
            Some(id) => write!(text, "event: {name}\ndata: {data}\nid: {id}\n\n"),
            None => write!(text, "event: {name}\ndata: {data}\n\n"),
        };
        written.expect("a string takes all text");
        text.into()
    }
}

/// A reply that is a stream of events, with a comment whenever it is silent for 15 s.
///
/// An error cuts the connection, so that the client does not take the stream for complete. The
/// reply reads the next event only when the connection takes it, so a slow client holds nothing up.
pub(crate) struct Sse<S> {
    events: Pin<Box<S>>,
    silence: Pin<Box<Sleep>>,
    /// Kept until the stream ends or the client has gone.
    _guard: Box<dyn Send>,
}

impl<S: Stream<Item = io::Result<Event>> + Send + 'static> Sse<S> {
    /// Creates a reply. `guard` is dropped at the end of the stream.
    pub(crate) fn new(events: S, guard: impl Send + 'static) -> Self {
        let silence = Box::pin(sleep(KEEP_ALIVE));
        Self { events: Box::pin(events), silence, _guard: Box::new(guard) }
    }
}

impl<S: Stream<Item = io::Result<Event>>> Stream for Sse<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let restart = |silence: Pin<&mut Sleep>| silence.reset(Instant::now() + KEEP_ALIVE);
        if let Poll::Ready(event) = self.events.as_mut().poll_next(cx) {
            restart(self.silence.as_mut());
            return Poll::Ready(event.map(|event| Ok(event?.bytes())));
        }
        ready!(self.silence.as_mut().poll(cx));
        restart(self.silence.as_mut());
        Poll::Ready(Some(Ok(Bytes::from_static(COMMENT))))
    }
}

impl<S: Stream<Item = io::Result<Event>> + Send + 'static> IntoResponse for Sse<S> {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
            // Proxies that collect replies would hold events back.
            (header::HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (headers, Body::from_stream(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};

    use super::*;

    fn event(id: Option<u64>) -> Event {
        Event { name: "thread.created".into(), data: r#"{"id":"thread_1"}"#.into(), id }
    }

    /// Everything that a stream writes, with the seconds at which it was written.
    async fn written(events: impl Stream<Item = Event> + Send + 'static) -> Vec<(u64, String)> {
        let begun = Instant::now();
        let pieces = Sse::new(events.map(Ok), ()).map(|piece| {
            let text = String::from_utf8(piece.expect("no failure").to_vec()).expect("UTF-8");
            (begun.elapsed().as_secs(), text)
        });
        pieces.collect().await
    }

    /// [assistants http 5] An event is three lines and an empty one, without an `id:` if it has none.
    #[tokio::test(start_paused = true)]
    async fn events_are_written_byte_for_byte() {
        let events = [event(Some(7)), event(None), Event::done()];
        let expected = [
            "event: thread.created\ndata: {\"id\":\"thread_1\"}\nid: 7\n\n",
            "event: thread.created\ndata: {\"id\":\"thread_1\"}\n\n",
            "event: done\ndata: [DONE]\n\n",
        ];
        let expected: Vec<_> = expected.iter().map(|text| (0, (*text).to_owned())).collect();
        assert_eq!(written(stream::iter(events)).await, expected);
    }

    /// [assistants http 8] A silent stream writes one comment every 15 s, without an empty line.
    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_writes_comments_without_empty_lines() {
        let events = stream::unfold(0, |n| async move {
            // Silent for 40 s, then for 10 s, then for 20 s.
            let silent = *[40, 10, 20].get(n)?;
            sleep(Duration::from_secs(silent)).await;
            Some((event(Some(n as u64)), n + 1))
        });
        let written = written(events).await;
        let seconds: Vec<_> = written.iter().map(|(at, _)| *at).collect();
        assert_eq!(seconds, [15, 30, 40, 50, 65, 70]);
        let comments: Vec<_> = written.iter().filter(|(_, text)| text.starts_with(':')).collect();
        assert_eq!(comments.len(), 3);
        assert!(comments.iter().all(|(_, text)| text == ": keep-alive\n"), "{comments:?}");
    }

    /// [assistants http 9] A stream drops its guard at its end and when its client has gone.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_dropped_drops_its_guard() {
        let guard = std::sync::Arc::new(());
        drop(Sse::new(stream::pending(), std::sync::Arc::clone(&guard)).into_response());
        assert_eq!(std::sync::Arc::strong_count(&guard), 1);
    }
}
