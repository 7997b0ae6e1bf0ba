//! Observers: are told what an agent does, without a part in it.

mod feed;
mod moment;

pub(crate) use feed::{Feeds, ObserverRef};
pub use moment::{Moment, MomentKind};

use std::future::Future;

use ddg_core::WorkerError;

/// Is told what an agent does: the start, end or error of the run, of each request to a model, and
/// of each tool call. Add it with [`ReActAutoma::observer`](crate::ReActAutoma::observer).
///
/// - The start of the run is told first. Exactly one of the end and the error of the run is told
///   last, also if the run is cancelled or dropped. A run that pauses has ended; when it is
///   resumed, it starts again.
/// - Each start of a request or a call is followed by exactly one end or error of it. What is
///   cancelled, or waits for a person, is told as an error that says so.
/// - An observer sees everything inside the runs of its agent, also agents among the tools, child
///   agents and agents that a conversation is handed over to. [`Moment::run`] tells the runs apart.
/// - An observer only watches. It is told in a task of its own: the run waits neither for it nor
///   for its end. An error or a panic is logged. A moment for which it needs more than
///   [`Moment::LONGEST`] is given up, and of a long queue the moments of models and tools are left
///   out, which is logged as well.
///
/// Observers need a tokio runtime with time. To have a part in what the agent does, use a
/// [`Hook`](crate::hook::Hook).
///
/// ```
/// use ddg_agentic::observe::{Moment, Observer};
/// use ddg_agentic::prelude::*;
/// use tokio::sync::mpsc;
///
/// struct Log(mpsc::UnboundedSender<String>);
///
/// impl Observer for Log {
///     async fn observe(&self, moment: Moment) -> Result<(), WorkerError> {
///         self.0.send(moment.to_string())?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (log, mut seen) = mpsc::unbounded_channel();
/// let agent = ReActAutoma::new(ScriptedModel::new().text("Hello.")).observer(Log(log)).build()?;
/// agent.run(args!("Hello?")).await?;
/// drop(agent);
/// let mut lines = Vec::new();
/// while let Some(line) = seen.recv().await {
///     lines.push(line);
/// }
/// assert_eq!(lines, [
///     "agent: run started",
///     "agent: model scripted started",
///     "agent: model scripted ended",
///     "agent: run finished",
/// ]);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer",
    label = "not an observer",
    note = "implement `Observer` for a type of yours, with the method `observe`"
)]
pub trait Observer: Send + Sync + 'static {
    /// Is told a moment. The moments of a run come in order, one at a time.
    ///
    /// # Errors
    /// Logged, and otherwise ignored.
    fn observe(&self, moment: Moment) -> impl Future<Output = Result<(), WorkerError>> + Send;
}
