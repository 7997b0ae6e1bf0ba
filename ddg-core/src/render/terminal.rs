//! A run in the terminal, while it goes on.
//!
//! What has been [`Seen`](seen::Seen) of the run follows its events and says which lines are to be
//! written. A [`Screen`](screen::Screen) writes them; on a terminal, above a [`frame`] of what is
//! running now.

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

/// Shows a run while it goes on: its steps, the workers that run with their paths and for how long,
/// what they tell, what fails.
///
/// On a terminal, a line is written for each step, each worker that ends, each attempt that fails,
/// and for the end of the run; below them, what is running now is painted again and again. Where the
/// output is no terminal there are only lines, which also have what workers tell
/// ([`Context::emit`](crate::Context::emit), [`emit_chunk`](crate::Context::emit_chunk)): one event is
/// one line, which begins with the time since the run began, and with the path of who it is about.
///
/// The shortest way is [`RunBuilder::watched`]. This is what it writes to a file:
///
/// ```
/// use ddg_core::render::TerminalView;
/// use ddg_core::prelude::*;
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
/// A worker that tells `progress` as a pair (so many of so many), or as a part of 1, gets a bar;
/// where there are only lines, one every ten seconds. Text that workers give is shown without what
/// would command the terminal. As many of those that run are shown as there are rows, save a quarter
/// for what has ended; what is too long for a row is cut between words.
///
/// What is shown is what passes the [filter](EventFilter) of the stream: with
/// [`EventFilter::updates`], say, there is only the end. Kickoffs that began before the stream did, or
/// whose beginning was [missed](crate::event::Missed), are not among those that run, and end without a duration.
#[must_use = "it shows nothing until it watches"]
pub struct TerminalView {
    screen: Screen,
}

impl TerminalView {
    /// Shows runs on the standard error stream: painted if that is a terminal, else as lines.
    ///
    /// Colours are left out where the environment variable `NO_COLOR` is set.
    pub fn new() -> Self {
        let term = console::Term::buffered_stderr();
        if term.features().is_attended() && std::env::var_os("TERM").is_none_or(|it| it != "dumb") {
            Self { screen: Screen::painted(term, console::colors_enabled_stderr()) }
        } else {
            Self::to(io::stderr())
        }
    }

    /// Writes lines: to a file, to a log.
    pub fn to(out: impl io::Write + Send + 'static) -> Self {
        Self { screen: Screen::lines(out) }
    }

    /// Paints on this terminal: `console::Term::buffered_stdout()`, say, or whatever stands for one.
    /// The trait is that of the crate `indicatif`, 0.18.
    pub fn on(term: impl TermLike + Clone + 'static) -> Self {
        Self { screen: Screen::painted(term, console::colors_enabled()) }
    }

    /// Shows these events until there are no more. The run never waits for it: what is written is
    /// written by a thread for such things.
    ///
    /// # Errors
    /// The output cannot be written. The run goes on.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    ///
    /// # Cancel safety
    /// If the future is dropped, what was painted is cleared away; the lines stay.
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

/// How many events [`RunBuilder::watched`] has kept for a view that is slow.
const BUFFER: usize = 1 << 16;

impl<T> RunBuilder<T> {
    /// Runs it to its end, as [`outcome`](Self::outcome) does, and shows it on the standard error
    /// stream; see [`TerminalView`].
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
    /// As [`outcome`](Self::outcome). That the run cannot be shown is none.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    ///
    /// # Cancel safety
    /// As [`outcome`](Self::outcome).
    pub async fn watched(self) -> Result<Outcome, RunError> {
        let events = self.events(EventFilter::all().buffer(BUFFER));
        // A task of its own, so that workers that compute do not hold it up.
        let view = AbortOnDropHandle::new(tokio::spawn(TerminalView::new().watch(events)));
        let outcome = self.outcome().await;
        if let Ok(Err(error)) = view.await {
            tracing::warn!(%error, "a run could not be shown");
        }
        outcome
    }
}

/// A view at work.
struct Watching {
    seen: Seen,
    /// Elsewhere while it writes.
    screen: Option<Screen>,
    painted: bool,
    /// When it was last shown.
    shown: Instant,
}

/// How long a picture stays.
const PERIOD: Duration = Duration::from_millis(100);

/// How many lines are kept to be written together.
const MOST_LINES: usize = 1024;

impl Watching {
    fn new(screen: Screen) -> Self {
        let painted = screen.is_painted();
        Self { seen: Seen::default(), screen: Some(screen), painted, shown: Instant::now() }
    }

    /// Waits while nothing comes: lines are written at once, a picture is painted anew when it is
    /// time. `None` if that has been done and it is still to be waited for.
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

    /// Whether it is to be shown although more has come.
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
