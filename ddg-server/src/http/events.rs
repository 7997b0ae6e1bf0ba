//! Events of runs and responses as streams of a reply.

use std::io;

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ddg_agentic::assistants::{self, AssistantsError, EventStream};
use futures::{Stream, stream};
use serde_json::{Value, json};

use super::query::Query;
use super::sse::{Event, Sse};
use crate::error::ApiError;
use crate::state::Shared;

/// The API whose events a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Events of threads have ids, and a last event of their own, `done`.
    Threads,
    /// Events of responses have their number in their data.
    Responses,
}

/// The events of a run or a response as a reply.
pub(crate) fn reply(server: &Shared, events: EventStream, surface: Surface) -> Response {
    let guard = server.metrics.stream();
    Sse::new(written(server.clone(), events, surface), guard).into_response()
}

/// What a stream has written.
struct State {
    server: Shared,
    events: EventStream,
    surface: Surface,
    /// The name and the number of the last event.
    last: Option<(String, u64)>,
    is_over: bool,
}

fn written(
    server: Shared,
    events: EventStream,
    surface: Surface,
) -> impl Stream<Item = io::Result<Event>> + Send {
    let state = State { server, events, surface, last: None, is_over: false };
    stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) })
}

impl State {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        if self.is_over {
            return None;
        }
        match self.events.next().await {
            Some(Ok(event)) => Some(Ok(self.event(event))),
            Some(Err(error)) => Some(Ok(self.error(error))),
            None => self.end(),
        }
    }

    fn event(&mut self, event: assistants::Event) -> Event {
        let assistants::Event { number, name, data, .. } = event;
        self.last = Some((name.clone(), number));
        let id = (self.surface == Surface::Threads).then_some(number);
        Event { name, data, id }
    }

    /// A stream that the store cannot continue says so, with the error in both shapes.
    fn error(&mut self, error: AssistantsError) -> Event {
        let error = ApiError::from(error).data();
        let mut data = json!(error);
        data["error"] = json!(error);
        if self.surface == Surface::Responses {
            let next = self.last.as_ref().map_or(0, |(_, number)| number + 1);
            data["type"] = "error".into();
            data["sequence_number"] = next.into();
        }
        self.last = Some(("error".into(), 0));
        Event { name: "error".into(), data: data.to_string(), id: None }
    }

    /// The last event, or the end. A stream that ends because the server stops is cut, so that its
    /// client does not take it for complete.
    fn end(&mut self) -> Option<io::Result<Event>> {
        self.is_over = true;
        let is_whole = self.last.as_ref().is_none_or(|(name, _)| is_last(name));
        if self.server.stopping.is_cancelled() && !is_whole {
            return Some(Err(io::Error::other("the server stops")));
        }
        (self.surface == Surface::Threads).then(|| Ok(Event::done()))
    }
}

/// Whether an event can be the last one of a run or response.
fn is_last(name: &str) -> bool {
    let states = ["completed", "failed", "incomplete", "cancelled", "expired", "requires_action"];
    let state = name.strip_prefix("thread.run.").or_else(|| name.strip_prefix("response."));
    name == "error" || state.is_some_and(|state| states.contains(&state))
}

/// The number after which a replay begins: `starting_after`, or the header `Last-Event-ID`.
pub(crate) fn after(query: &Query, headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    const EXPECTED: &str = "the number of an event";
    if let Some(after) = query.value("starting_after", &EXPECTED)? {
        return Ok(Some(after));
    }
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = value.to_str().unwrap_or("?").trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let found: Value = text.into();
        let message =
            format!("Invalid value for `Last-Event-ID`: expected {EXPECTED}, got {found}.");
        ApiError::invalid(message).param("Last-Event-ID")
    })
}
