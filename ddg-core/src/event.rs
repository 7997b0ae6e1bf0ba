//! What happens in a run, told while it happens.

mod change;
mod feed;
mod filter;
mod kind;
mod stream;

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use change::{Change, ChangeKind};
pub(crate) use feed::{EarlySubscribers, Feed};
pub use filter::EventFilter;
pub use kind::{EventKind, ScheduledKickoff, WorkerOutput};
pub use stream::{EventStream, Missed};

use crate::path::WorkerPath;
use crate::printable::Printable;

/// One thing that happened in a run, or in an automa nested in it.
///
/// Subscribe with [`RunBuilder::events`](crate::run::RunBuilder::events) before a run begins, or with
/// [`RunHandle::events`](crate::run::RunHandle::events) while it is on its way.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::event::EventFilter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("double");
/// automa.add_func_as_worker("double", async |x: i64| x * 2, start().output())?;
///
/// let run = automa.run(args!(4));
/// let mut events = run.events(EventFilter::all());
/// let run = run.spawn();
/// let mut seen = Vec::new();
/// while let Some(event) = events.next().await {
///     seen.push(event?.to_string());
/// }
/// assert_eq!(seen, [
///     "0: run of `double` started",
///     "1: step 1 started: `double` (start)",
///     "2: step 1: `double` started",
///     "3: step 1: `double` finished: 8",
///     "4: step 1 settled: `double`: 8",
///     "5: run finished: 8",
/// ]);
/// assert_eq!(run.output::<i64>().await?, 8);
/// # Ok(())
/// # }
/// ```
///
/// It is serde data, to be sent to whoever watches from elsewhere. Outputs and other values that
/// have no JSON form are then written as a text that names their type.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its place among the events of the run that was started and of all nested in it: from 0,
    /// without gaps, counted from when somebody subscribed first.
    pub number: u64,
    /// The nested automa that it happened in; `None` for the one that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automa: Option<Arc<WorkerPath>>,
    /// The Dynamic Step of that automa, from 1; 0 before the first.
    pub step: u64,
    /// The time since the run that was started began.
    pub at: Duration,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl fmt::Display for Event {
    /// One line, such as `3: inner: step 1: `parse` finished: 7`, without characters from data that
    /// command a terminal or turn a line around: they are written as escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::line(f);
        write!(f, "{}: ", self.number)?;
        if let Some(automa) = &self.automa {
            write!(f, "{automa}: ")?;
        }
        if self.kind.names_its_step() {
            write!(f, "step {}", self.step)?;
            f.write_str(if self.kind.is_about_a_step() { " " } else { ": " })?;
        }
        write!(f, "{}", self.kind)
    }
}
