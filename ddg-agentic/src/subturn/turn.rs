//! The turn of an agent, for the tools in it.

use std::fmt;
use std::sync::Arc;

use ddg_core::Context;
use ddg_core::worker::FromContext;
use futures::future::{BoxFuture, ready};
use tokio::runtime::Handle;

use super::begin::Started;
use super::control::Control;
use super::guard::TurnGuard;
use super::ledger::{Kind, Origin};
use super::state::TurnState;
use super::{ChildResult, ChildStatus, ChildSummary, Spawner, SubTurn, SubTurnError};
use crate::tool::Given;

/// The turn of an agent, with which a tool or worker in it begins child agents. It is cheap to
/// clone, and can be moved to other tasks. When the turn is over, its methods fail.
///
/// A `#[tool]` takes it as a parameter, which is not part of its schema. A function that is a
/// worker takes it as a parameter, too, which is not an argument, as does a `#[worker]`, where it
/// is marked: `#[context] turn: Turn`. Any other worker gets it with [`of`](Self::of).
///
/// ```
/// use ddg_agentic::prelude::*;
/// use ddg_agentic::subturn::{SubTurn, Turn};
/// use serde_json::json;
///
/// /// Finds out about something.
/// #[tool]
/// async fn research(topic: String, turn: Turn) -> Result<String, WorkerError> {
///     let found = turn.call(SubTurn::new(format!("Find out about {topic}."))).await?;
///     Ok(found.text())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The child asks the same model.
/// let model = ScriptedModel::new()
///     .calls([ToolCall::new("call_1", "research", json!({ "topic": "tea" }))])
///     .text("Tea is green.")
///     .text("It is green.");
/// let tools = Toolbox::builder().with(research::tool()).build()?;
/// let outcome = ReActAutoma::new(model).tools(tools).build()?.run(args!("Tea?")).await?;
/// assert_eq!(outcome.text(), "It is green.");
/// assert_eq!(outcome.children()[0].id, "subturn-1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Turn(Arc<dyn Spawner>);

/// A spawned child, which runs in the background. Dropping this does not stop the child.
#[derive(Clone, Debug)]
pub struct SpawnedChild {
    id: String,
    turn: Turn,
}

/// The turn of a run, as seen by one execution of a worker.
struct LiveTurn {
    turn: Arc<TurnState>,
    execution: Origin,
    cx: Context,
}

impl Turn {
    /// The turn of the nearest agent around a worker.
    ///
    /// # Errors
    /// If the worker is not in a turn, or the turn is over.
    pub fn of(cx: &Context) -> Result<Self, SubTurnError> {
        if let Some(guard) = cx.attached::<TurnGuard>() {
            let execution = Origin {
                worker: cx.path().to_string(),
                kickoff: cx.kickoff_id(),
                attempt: cx.attempt(),
                n: 0,
            };
            let turn = Arc::clone(guard.turn());
            turn.check_open()?;
            turn.go_on_answered(cx);
            return Ok(Self::by(LiveTurn { turn, execution, cx: cx.clone() }));
        }
        let given = cx.attached::<Self>();
        given.map(|turn| (*turn).clone()).ok_or(SubTurnError::OutsideTurn)
    }

    /// Creates a turn that begins children with `spawner`. In a run without an agent,
    /// [`of`](Self::of) finds it if it is [attached](ddg_core::GraphAutoma::attach) to the run's
    /// automa.
    pub fn by(spawner: impl Spawner) -> Self {
        Self(Arc::new(spawner))
    }

    /// Begins a child, and waits for its result. The result is returned, and not delivered to the
    /// turn.
    ///
    /// A child that asks a person is continued when the question is answered; see
    /// [`Waiting`](SubTurnError::Waiting).
    ///
    /// # Errors
    /// If the child may not begin, if it ends without an answer, or if it asks a person.
    ///
    /// # Cancel safety
    /// Dropping the future stops the child.
    pub async fn call(&self, child: SubTurn) -> Result<ChildResult, SubTurnError> {
        self.0.call(child).await?.into_result()
    }

    /// As [`call`](Self::call), for a synchronous tool. Blocks the thread.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Panics
    /// If called in an async function, or outside of a tokio runtime.
    pub fn call_blocking(&self, child: SubTurn) -> Result<ChildResult, SubTurnError> {
        Handle::current().block_on(self.call(child))
    }

    /// Begins a child that runs in the background. Its result is delivered to the turn, and the
    /// agent reads it before it asks its model again.
    ///
    /// # Errors
    /// If the child may not begin.
    ///
    /// # Cancel safety
    /// If the future is dropped, the child may or may not have begun. A child that has begun
    /// continues.
    pub async fn spawn(&self, child: SubTurn) -> Result<SpawnedChild, SubTurnError> {
        Ok(SpawnedChild { id: self.0.spawn(child).await?, turn: self.clone() })
    }

    /// As [`spawn`](Self::spawn), for a synchronous tool. Blocks the thread.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    /// If called in an async function, or outside of a tokio runtime.
    pub fn spawn_blocking(&self, child: SubTurn) -> Result<SpawnedChild, SubTurnError> {
        Handle::current().block_on(self.spawn(child))
    }

    /// Takes the delivered results. The agent does not read them then.
    ///
    /// # Errors
    /// If the turn is over.
    pub fn results(&self) -> Result<Vec<ChildResult>, SubTurnError> {
        self.0.results()
    }

    /// Waits for a result and takes it. Returns `None` if no more results will be delivered.
    ///
    /// # Errors
    /// If the turn is over or stopped, or if all children that are left ask a person.
    ///
    /// # Cancel safety
    /// If the future is dropped, no result is taken.
    pub async fn next_result(&self) -> Result<Option<ChildResult>, SubTurnError> {
        self.0.next_result().await
    }

    /// Stops a child; see [`Spawner::stop`].
    ///
    /// # Errors
    /// If the turn has no child with this id.
    pub fn stop(&self, id: &str) -> Result<ChildStatus, SubTurnError> {
        self.0.stop(id)
    }

    /// The children so far, in the order in which they began.
    pub fn children(&self) -> Vec<ChildSummary> {
        self.0.children()
    }

    /// The named agents, each with its description.
    pub fn agents(&self) -> Vec<(String, String)> {
        self.0.agents()
    }
}

impl SpawnedChild {
    /// The id of the child.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Stops the child, so that it ends as [`Stopped`](ChildStatus::Stopped). A child that has
    /// ended does not change.
    pub fn stop(&self) {
        // The child is of this turn, so its id is known.
        _ = self.turn.stop(&self.id);
    }
}

/// The turn that a tool is called in. `#[tool]` passes it to a parameter of type [`Turn`].
///
/// # Errors
/// If the tool is not in a turn, or the turn is over.
pub fn turn(given: Given<'_>) -> Result<Turn, SubTurnError> {
    Turn::of(given.context())
}

/// A worker function takes the turn as a parameter. If it is not in a turn, the methods of the turn
/// fail with [`OutsideTurn`](SubTurnError::OutsideTurn).
impl FromContext for Turn {
    fn from_context(cx: &Context) -> Self {
        Self::of(cx).unwrap_or_else(|error| Self::by(NoTurn(error)))
    }
}

/// The turn of a worker that is in none, or in one that is over.
#[derive(Debug)]
struct NoTurn(SubTurnError);

impl Spawner for NoTurn {
    fn call(&self, _: SubTurn) -> BoxFuture<'_, Result<ChildResult, SubTurnError>> {
        Box::pin(ready(Err(self.0.clone())))
    }

    fn spawn(&self, _: SubTurn) -> BoxFuture<'_, Result<String, SubTurnError>> {
        Box::pin(ready(Err(self.0.clone())))
    }

    fn results(&self) -> Result<Vec<ChildResult>, SubTurnError> {
        Err(self.0.clone())
    }

    fn next_result(&self) -> BoxFuture<'_, Result<Option<ChildResult>, SubTurnError>> {
        Box::pin(ready(Err(self.0.clone())))
    }

    fn stop(&self, _: &str) -> Result<ChildStatus, SubTurnError> {
        Err(self.0.clone())
    }

    fn children(&self) -> Vec<ChildSummary> {
        Vec::new()
    }

    fn agents(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// Guard that stops a child when its caller is dropped.
struct Caller(Option<Control>);

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(control) = &self.0 {
            control.stop();
        }
    }
}

impl Spawner for LiveTurn {
    fn call(&self, child: SubTurn) -> BoxFuture<'_, Result<ChildResult, SubTurnError>> {
        Box::pin(async move {
            let (turn, execution) = (&self.turn, &self.execution);
            match turn.begin(child, Kind::Called, execution.clone(), &self.cx).await? {
                Started::UnderWay { under_way, .. } => {
                    let mut caller = Caller(Some(under_way.control));
                    let ended = under_way.result.await;
                    caller.0 = None;
                    match ended {
                        Ok(Some(result)) => Ok(result),
                        Ok(None) => Err(turn.pass_on_called(execution, &self.cx).await),
                        Err(_) => Err(SubTurnError::Cancelled),
                    }
                }
                Started::Waits => Err(turn.pass_on_called(execution, &self.cx).await),
                Started::Again { result: Some(result), .. } => Ok(result),
                Started::Again { result: None, .. } => Err(SubTurnError::Cancelled),
            }
        })
    }

    fn spawn(&self, child: SubTurn) -> BoxFuture<'_, Result<String, SubTurnError>> {
        Box::pin(async move {
            let execution = self.execution.clone();
            let started = self.turn.begin(child, Kind::Spawned, execution, &self.cx).await?;
            Ok(match started {
                Started::Waits => return Err(SubTurnError::OutsideTurn),
                Started::UnderWay { id, under_way } => {
                    // The id is returned only after the child has been stored, so that the child
                    // survives this process.
                    if self.turn.run.stores_inside() {
                        under_way.begun.cancelled().await;
                    }
                    id
                }
                Started::Again { id, .. } => id,
            })
        })
    }

    fn results(&self) -> Result<Vec<ChildResult>, SubTurnError> {
        self.turn.check_open()?;
        let results = self.turn.with(|ledger, _| ledger.take());
        self.turn.room.notify_waiters();
        Ok(results)
    }

    fn next_result(&self) -> BoxFuture<'_, Result<Option<ChildResult>, SubTurnError>> {
        Box::pin(self.turn.next_result(&self.cx))
    }

    fn stop(&self, id: &str) -> Result<ChildStatus, SubTurnError> {
        self.turn.stop_child(id)
    }

    fn children(&self) -> Vec<ChildSummary> {
        self.turn.with(|ledger, _| ledger.summaries())
    }

    fn agents(&self) -> Vec<(String, String)> {
        self.turn.settings.named_agents()
    }
}

impl fmt::Debug for LiveTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn {} at depth {}", self.turn.name, self.turn.depth)
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Turn({:?})", self.0)
    }
}
