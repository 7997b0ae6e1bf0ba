//! A view of a run in the terminal while the run is active.
//!
//! [`Seen`](seen::Seen) follows the events of the run and gives the lines to write. A
//! [`Screen`](screen::Screen) writes them; on a terminal it also paints a [`frame`] of the running
//! workers below the lines.

mod frame;
mod line;
mod progress;
mod running;
mod screen;
mod seen;
mod text;

use std::fmt;
use std::io;
use std::time::Duration;

use futures::FutureExt;
use indicatif::TermLike;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::event::{EventFilter, EventStream};
use crate::run::{Outcome, RunBuilder, RunError};
use frame::Frame;
use screen::Screen;
use seen::Seen;

/// A live view of a run: its steps, the running workers and their durations, progress and failures.
///
/// On a terminal it writes a line for each step, for each worker that ends, for each attempt that
/// fails and for the end of the run. Below the lines it repaints a picture of what is running. If
/// the output is not a terminal it writes lines only, which then also show what workers emit
/// ([`Context::emit`](crate::Context::emit), [`emit_chunk`](crate::Context::emit_chunk)). Each line
/// is one event; it begins with the time since the start of the run and the path of the worker.
///
/// The shortest way to use it is [`RunBuilder::watched`]. This is what it writes to a file:
///
/// ```
/// use ddg_core::event::EventFilter;
/// use ddg_core::prelude::*;
/// use ddg_core::render::TerminalView;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("download");
/// automa.add_func_as_worker("fetch", async |cx: Context| {
///     for file in 1..=4 {
///         tokio::time::sleep(std::time::Duration::from_secs(6)).await;
///         cx.emit("progress", (file, 4));           // so many of so many
///     }
/// }, start())?;
///
/// let log = tempfile::NamedTempFile::new()?;
/// let run = automa.run(()).spawn();
/// TerminalView::to(log.reopen()?).watch(run.events(EventFilter::all())).await?;
/// assert_eq!(std::fs::read_to_string(log.path())?, "\
/// 0:00:00.000 download: started
/// 0:00:00.000 download: step 1: fetch
/// 0:00:12.000 fetch: progress: 2/4
/// 0:00:24.000 fetch: progress: 4/4
/// 0:00:24.000 fetch: done in 24 s
/// 0:00:24.000 download: finished in 24 s: 1 step, 1 kickoff
/// ");
/// run.await?;
/// # Ok(())
/// # }
/// ```
///
/// A worker that emits `progress` as a pair (done, total) or as a fraction of 1 gets a bar; output
/// that is not a terminal gets a line every ten seconds instead. Control sequences are removed from
/// text that workers emit. The view shows as many running workers as there are rows, but leaves a
/// quarter of the rows to what has ended; text that is too long for a row is cut between words.
///
/// The view shows what passes the [filter](EventFilter) of the stream: with
/// [`EventFilter::updates`], for instance, it shows only how the run ended. A kickoff that began
/// before the stream did, or whose start was [missed](crate::event::Missed), is not listed as
/// running, and its end has no duration.
#[must_use = "it shows nothing until it watches"]
pub struct TerminalView {
    screen: Screen,
}

impl TerminalView {
    /// Creates a view on the standard error stream: painted if that is a terminal, else as lines.
    ///
    /// Colours are left out if the environment variable `NO_COLOR` is set.
    pub fn new() -> Self {
        let term = console::Term::buffered_stderr();
        if term.features().is_attended() && std::env::var_os("TERM").is_none_or(|it| it != "dumb") {
            Self { screen: Screen::painted(term, console::colors_enabled_stderr()) }
        } else {
            Self::to(io::stderr())
        }
    }

    /// Creates a view that writes lines to `out`, such as a file or a log.
    pub fn to(out: impl io::Write + Send + 'static) -> Self {
        Self { screen: Screen::lines(out) }
    }

    /// Creates a view that paints on `term`, for example `console::Term::buffered_stdout()`. The
    /// trait is that of the crate `indicatif`, version 0.18.
    pub fn on(term: impl TermLike + Clone + 'static) -> Self {
        Self { screen: Screen::painted(term, console::colors_enabled()) }
    }

    /// Shows events until the stream ends. The run never waits for the view: a blocking thread
    /// writes the output.
    ///
    /// # Errors
    /// If the output cannot be written. The run continues.
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    ///
    /// # Cancel safety
    /// If the future is dropped, the painted picture is cleared and the lines stay.
    pub async fn watch(self, mut events: EventStream) -> io::Result<()> {
        let mut watching = Watching::new(self.screen);
        loop {
            let next = match events.next().now_or_never() {
                Some(next) => next,
                None => match watching.wait_for(events.next()).await? {
                    Some(next) => next,
                    None => continue,
                },
            };
            let Some(event) = next else { return watching.show().await };
            watching.seen.take(event);
            if watching.is_due() {
                watching.show().await?;
            }
        }
    }
}

impl Default for TerminalView {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TerminalView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TerminalView(painted: {})", self.screen.is_painted())
    }
}

/// Number of events that [`RunBuilder::watched`] buffers for a slow view.
const BUFFER: usize = 1 << 16;

impl<T> RunBuilder<T> {
    /// Runs to the end as [`outcome`](Self::outcome) does, and shows the run on the standard error
    /// stream. See [`TerminalView`].
    ///
    /// ```no_run
    /// # use ddg_core::prelude::*;
    /// # async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    /// let report: String = automa.run(args!("rain")).watched().await?.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`outcome`](Self::outcome). A failure of the view is not an error.
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    ///
    /// # Cancel safety
    /// As [`outcome`](Self::outcome).
    pub async fn watched(self) -> Result<Outcome, RunError> {
        let events = self.events(EventFilter::all().buffer(BUFFER));
        // A task of its own, so that workers that compute do not delay the view.
        let view = AbortOnDropHandle::new(tokio::spawn(TerminalView::new().watch(events)));
        let outcome = self.outcome().await;
        if let Ok(Err(error)) = view.await {
            tracing::warn!(%error, "a run could not be shown");
        }
        outcome
    }
}

/// State of a view while it watches a run.
struct Watching {
    seen: Seen,
    /// The screen; `None` while a blocking thread writes to it.
    screen: Option<Screen>,
    painted: bool,
    /// When the screen was last painted.
    shown: Instant,
}

/// Time between two pictures.
const PERIOD: Duration = Duration::from_millis(100);

/// Maximum number of lines that are buffered for one write.
const MOST_LINES: usize = 1024;

impl Watching {
    fn new(screen: Screen) -> Self {
        let painted = screen.is_painted();
        Self { seen: Seen::default(), screen: Some(screen), painted, shown: Instant::now() }
    }

    /// Waits for `next`. When nothing comes, buffered lines are written at once and a new picture
    /// is painted when it is time; the result is then `None`, and the caller waits again.
    async fn wait_for<T>(&mut self, next: impl Future<Output = T>) -> io::Result<Option<T>> {
        if !self.painted {
            self.show().await?;
            return Ok(Some(next.await));
        }
        if let Ok(next) = timeout_at(self.shown + PERIOD, next).await {
            return Ok(Some(next));
        }
        self.show().await?;
        Ok(None)
    }

    /// Whether the screen must be painted even though more events are ready.
    fn is_due(&self) -> bool {
        if self.painted {
            self.shown.elapsed() >= PERIOD
        } else {
            self.seen.lines.len() >= MOST_LINES
        }
    }

    async fn show(&mut self) -> io::Result<()> {
        self.shown = Instant::now();
        let lines = std::mem::take(&mut self.seen.lines);
        if !self.painted && lines.is_empty() {
            return Ok(());
        }
        let mut screen = self.screen.take().expect("it is put back below");
        let frame = screen.size().map(|size| Frame::of(&self.seen, self.shown, size));
        let write = move || {
            let written = screen.show(&lines, frame);
            (screen, written)
        };
        match tokio::task::spawn_blocking(write).await {
            Ok((screen, written)) => {
                self.screen = Some(screen);
                written
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(io::Error::other(error)),
            },
        }
    }
}
