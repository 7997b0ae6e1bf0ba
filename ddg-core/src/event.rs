//! Events of a run, published while it is active.

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

/// An event of a run, or of an automa nested in it.
///
/// Subscribe with [`RunBuilder::events`](crate::run::RunBuilder::events) before a run begins, or
/// with [`RunHandle::events`](crate::run::RunHandle::events) while it is active.
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
/// Events can be serialised and sent to other processes. Outputs and other values without a JSON
/// form are then replaced by text that names their type.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// The number of the event, counted over the run that was started and all runs nested in it:
    /// from 0 and without gaps, starting with the first subscription.
    pub number: u64,
    /// The nested automa that the event is from; `None` for the automa that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automa: Option<Arc<WorkerPath>>,
    /// The Dynamic Step of that automa, counted from 1; 0 before the first step.
    pub step: u64,
    /// The time since the outermost run began.
    pub at: Duration,
    /// The kind of the event.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl fmt::Display for Event {
    /// Writes one line, such as `3: inner: step 1: `parse` finished: 7`. Characters from data that
    /// would control a terminal or change the direction of the line are escaped.
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
