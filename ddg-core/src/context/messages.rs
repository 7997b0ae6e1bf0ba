//! What a worker tells others while it runs: events, posts, requests.

use std::borrow::Cow;
use std::time::Duration;

use super::Context;
use crate::event::EventKind;
use crate::feedback::{FeedbackError, Handlers, Request};
use crate::key::Key;
use crate::machine::KickoffId;
use crate::values::{Data, Value};

impl Context {
    /// Publishes an event to the [subscribers](crate::run::RunHandle::events) of the run, at once,
    /// even if the worker fails later. Without subscribers it costs almost nothing.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// async fn download(url: String, cx: Context) {
    ///     cx.emit("downloaded", (url, 4096));
    /// }
    /// ```
    pub fn emit(&self, name: impl Into<Cow<'static, str>>, data: impl Data) {
        self.tell(|worker, kickoff| {
            let (name, data) = (name.into(), Value::new(data));
            EventKind::Custom { worker, kickoff, name, data }
        });
    }

    /// Publishes a part of this worker's output to the [subscribers](crate::run::RunHandle::events)
    /// of the run before the whole is complete, such as the tokens of a model. It has no effect on
    /// the output itself.
    pub fn emit_chunk(&self, chunk: impl Data) {
        self.tell(|worker, kickoff| EventKind::Chunk { worker, kickoff, chunk: Value::new(chunk) });
    }

    /// Publishes an event about this kickoff.
    pub(crate) fn tell(&self, kind: impl FnOnce(Key, KickoffId) -> EventKind) {
        if self.0.core.feed().is_watched() {
            self.0.core.emit(self.step(), kind(self.key().clone(), self.kickoff_id()));
        }
    }

    /// Passes a message to the program around the run: to the handler for its type of the automa
    /// that was run ([`on_post`](crate::GraphAutoma::on_post)), however deep this worker is nested
    /// in it, else to the default handler. Returns whether there was one.
    ///
    /// The handler is called before this returns.
    pub fn post(&self, event: impl Data) -> bool {
        Handlers::post(self.0.core.handlers(), self, event)
    }

    /// Passes a request to the program around the run, as [`post`](Self::post) does, and waits for
    /// the reply. See [`Request`] for an example. Without a `timeout` it waits until the run ends.
    ///
    /// # Errors
    /// At once if there is no handler for such requests, or if the handler drops the request
    /// without a reply; when the timeout has passed; and when the run ends.
    ///
    /// # Cancel safety
    /// If the future is dropped, a later reply is refused.
    pub async fn request_feedback<E: Request>(
        &self,
        event: E,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<E::Reply, FeedbackError> {
        let timeout = timeout.into();
        Handlers::request_from(self.0.core.handlers(), self, event)?.reply(timeout).await
    }

    /// Like [`request_feedback`](Self::request_feedback), for a synchronous worker: blocks its
    /// thread until there is a reply. Not for async or [`inline`](crate::WorkerOptions::inline)
    /// workers, whose thread runs other workers, too.
    ///
    /// # Errors
    /// As [`request_feedback`](Self::request_feedback).
    pub fn request_feedback_blocking<E: Request>(
        &self,
        event: E,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<E::Reply, FeedbackError> {
        let timeout = timeout.into();
        Handlers::request_from(self.0.core.handlers(), self, event)?.reply_blocking(timeout)
    }
}
