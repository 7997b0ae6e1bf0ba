//! Streams of the events of a run, from the store: from any event on, and live.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::stream::{self, BoxStream, Stream};
use tokio::sync::watch;

use super::builder::Inner;
use super::object::RunStatus;
use super::store::EVENTS_AT_ONCE;
use super::{AssistantsError, Event};

/// The events of a run or response from a number on. It ends when the log is at its end and the run
/// has ended or waits for outputs.
///
/// A stream reads the store at its own pace, so a slow one slows nobody. Dropping it does not stop
/// the run.
pub struct EventStream(BoxStream<'static, Result<Event, AssistantsError>>);

struct Reader {
    inner: Arc<Inner>,
    run: String,
    /// The number of the next event.
    next: u64,
    read: VecDeque<Event>,
    /// Whether the log had no more events when it was read.
    is_at_end: bool,
    changes: watch::Receiver<()>,
}

impl EventStream {
    pub(super) fn new(inner: &Arc<Inner>, run: &str, from: u64) -> Self {
        let reader = Reader {
            inner: Arc::clone(inner),
            run: run.to_owned(),
            next: from,
            read: VecDeque::new(),
            is_at_end: false,
            changes: inner.hub.watch(run),
        };
        let events = stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await {
                Ok(Some(event)) => Some((Ok(event), Some(reader))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Self(events.boxed())
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Event, AssistantsError>> {
        StreamExt::next(&mut self.0).await
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Event>, AssistantsError> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Ok(Some(event));
            }
            if !std::mem::take(&mut self.is_at_end) {
                // Marked before the store is read, so that a change meanwhile is noticed below.
                self.changes.mark_unchanged();
                let events = self.inner.store.events(&self.run, self.next).await?;
                if let Some(last) = events.last() {
                    self.next = last.number + 1;
                    self.is_at_end = events.len() < EVENTS_AT_ONCE;
                    self.read.extend(events);
                    continue;
                }
            }
            let Some(row) = self.inner.store.run(&self.run).await? else { return Ok(None) };
            let status = row.state.status;
            if status.is_terminal() || status == RunStatus::RequiresAction {
                if self.next >= row.state.next_event {
                    return Ok(None);
                }
                continue;
            }
            if self.inner.closing.is_cancelled() && !self.inner.hub.is_driven(&self.run) {
                return Ok(None);
            }
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        self.changes = self.inner.hub.watch(&self.run);
                    }
                }
                // Other processes write events, too.
                () = tokio::time::sleep(self.inner.settings.poll) => {}
            }
        }
    }
}

impl Stream for EventStream {
    type Item = Result<Event, AssistantsError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}
