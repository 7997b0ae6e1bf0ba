//! A run that has not begun.

use std::fmt;
use std::sync::Arc;

use super::{Outcome, Run, RunError, unshared};
use crate::automa::GraphAutoma;
use crate::durable::Journal;
use crate::engine::{RunCore, RunGuard, drive};
use crate::event::{EventFilter, EventStream};
use crate::feedback::{Handlers, PostedEvent, ReplyTo, Request};
use crate::machine::Pace;
use crate::path::Path;
use crate::values::Data;

/// A run that has not begun: to set what holds for it alone, and to subscribe to its events before
/// the first comes.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::EventFilter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("write");
/// automa.add_func_as_worker("write", async |cx: Context| {
///     for word in ["to", "be"] {
///         cx.emit_chunk(word.to_owned());
///     }
/// }, start())?;
///
/// let prepared = automa.prepare(()).pace(Pace::Rolling);
/// let mut words = prepared.events_of(EventFilter::messages());
/// let run = prepared.start();
/// while let Some(word) = words.next().await {
///     println!("{}", word?);
/// }
/// run.await?;
/// # Ok(())
/// # }
/// ```
///
/// If it cannot run (its graph is invalid, an input reaches nobody), that is its error when it is
/// started.
#[must_use = "it does not begin by itself: call `start`, `outcome` or `output`"]
pub struct Prepared {
    automa: Arc<str>,
    live: Result<RunGuard, RunError>,
}

impl Prepared {
    pub(crate) fn new(automa: &GraphAutoma, core: Result<Arc<RunCore>, RunError>) -> Self {
        Self { automa: Arc::clone(automa.shared_name()), live: core.map(RunGuard::new) }
    }

    /// Settles steps at another pace than the automa is [set](crate::GraphAutoma::set_pace) to.
    /// Nested automata keep theirs.
    pub fn pace(self, pace: Pace) -> Self {
        self.with(|core| core.set_pace(pace))
    }

    /// As [`GraphAutoma::on_event`](crate::GraphAutoma::on_event), for this run alone, and before
    /// what the automa has.
    pub fn on_event<E: Data>(self, handle: impl Fn(E, &Path) + Send + Sync + 'static) -> Self {
        self.handlers(|handlers| handlers.on_event(handle))
    }

    /// As [`GraphAutoma::on_request`](crate::GraphAutoma::on_request), for this run alone, and
    /// before what the automa has.
    pub fn on_request<E: Request>(
        self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) -> Self {
        self.handlers(|handlers| handlers.on_request(handle))
    }

    /// As [`GraphAutoma::on_any_event`](crate::GraphAutoma::on_any_event), for this run alone, and
    /// before what the automa has.
    pub fn on_any_event(self, handle: impl Fn(PostedEvent) + Send + Sync + 'static) -> Self {
        self.handlers(|handlers| handlers.on_any_event(handle))
    }

    /// All events of the run but the [values](EventFilter::values), from its beginning.
    pub fn events(&self) -> EventStream {
        self.events_of(EventFilter::all())
    }

    /// The events of the run that pass `filter`, from its beginning.
    pub fn events_of(&self, filter: EventFilter) -> EventStream {
        match &self.live {
            Ok(live) => live.core.feed().subscribe(filter),
            Err(error) => EventStream::failed(filter, error.to_string()),
        }
    }

    /// Starts it as a task of its own and gives a handle to it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(self) -> Run {
        Run::start(self.automa, self.live)
    }

    /// Runs it to its end within the caller's task.
    ///
    /// # Errors
    /// As [`GraphAutoma::outcome`](crate::GraphAutoma::outcome).
    ///
    /// # Cancel safety
    /// As [`GraphAutoma::run`](crate::GraphAutoma::run).
    pub async fn outcome(self) -> Result<Outcome, RunError> {
        drive(self.live?).await
    }

    /// Runs it to its end within the caller's task and gives its output.
    ///
    /// # Errors
    /// As [`GraphAutoma::run`](crate::GraphAutoma::run).
    ///
    /// # Cancel safety
    /// As [`GraphAutoma::run`](crate::GraphAutoma::run).
    pub async fn output<T: Data>(self) -> Result<T, RunError> {
        self.outcome().await?.into_output()
    }

    fn handlers(self, register: impl FnOnce(&mut Handlers)) -> Self {
        self.with(|core| register(&mut core.handlers))
    }

    /// The run is written to `journal`.
    pub(super) fn written_to(self, journal: Journal) -> Self {
        self.with(|core| core.journal = Some(Box::new(journal)))
    }

    fn with(mut self, set: impl FnOnce(&mut RunCore)) -> Self {
        if let Ok(live) = &mut self.live {
            set(unshared(&mut live.core));
        }
        self
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({:?})", &*self.automa)
    }
}
