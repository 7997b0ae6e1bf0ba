//! Spawners of children: the turn of an agent, or a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use super::{ChildResult, ChildStatus, ChildSummary, SubTurn, SubTurnError};

/// A spawner begins children for a tool. It is the turn of an agent, or, where there is no agent, a
/// script ([`ScriptedChildren`]) or a user-defined type. A tool gets it as a [`Turn`](super::Turn).
pub trait Spawner: fmt::Debug + Send + Sync + 'static {
    /// Begins a child, and waits for its result.
    ///
    /// # Errors
    /// If the child may not begin. Later errors are in the result.
    ///
    /// # Cancel safety
    /// Dropping the future stops the child.
    fn call(&self, child: SubTurn) -> BoxFuture<'_, Result<ChildResult, SubTurnError>>;

    /// Begins a child that runs in the background. Returns its id.
    ///
    /// # Errors
    /// If the child may not begin.
    ///
    /// # Cancel safety
    /// If the future is dropped, the child may or may not have begun. A child that has begun
    /// continues.
    fn spawn(&self, child: SubTurn) -> BoxFuture<'_, Result<String, SubTurnError>>;

    /// Takes the delivered results.
    ///
    /// # Errors
    /// If the turn is over.
    fn results(&self) -> Result<Vec<ChildResult>, SubTurnError>;

    /// Waits for a result and takes it. Returns `None` if no more results will be delivered.
    ///
    /// # Errors
    /// If the turn is over or stopped.
    ///
    /// # Cancel safety
    /// If the future is dropped, no result is taken.
    fn next_result(&self) -> BoxFuture<'_, Result<Option<ChildResult>, SubTurnError>>;

    /// Stops a child, so that it ends as [`Stopped`](ChildStatus::Stopped). Returns its status
    /// before. A child that has ended does not change.
    ///
    /// # Errors
    /// If there is no child with this id.
    fn stop(&self, id: &str) -> Result<ChildStatus, SubTurnError>;

    /// The children so far, in the order in which they began.
    fn children(&self) -> Vec<ChildSummary>;

    /// The named agents, each with its description.
    fn agents(&self) -> Vec<(String, String)>;
}

/// Children with scripted results, in the order in which they begin. For testing a tool without
/// agents and models.
///
/// ```
/// use ddg_agentic::subturn::{ScriptedChildren, SubTurn, Turn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let turn = Turn::by(ScriptedChildren::new(["green", "black"]));
/// assert_eq!(turn.call(SubTurn::new("Tea?")).await?.text(), "green");
/// let child = turn.spawn(SubTurn::new("Coffee?")).await?;
/// assert_eq!(child.id(), "subturn-2");
/// assert_eq!(turn.results()?[0].text(), "black");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct ScriptedChildren(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<String>,
    begun: Vec<ChildSummary>,
    inbox: VecDeque<ChildResult>,
}

impl ScriptedChildren {
    /// Creates a script: each child answers with the next of these texts.
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = T>) -> Self {
        let answers = answers.into_iter().map(Into::into).collect();
        Self(Mutex::new(Script { answers, ..Script::default() }))
    }

    fn begin(&self, child: &SubTurn) -> Result<ChildResult, SubTurnError> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let why = || "the script has no answer for a further child: give it one more".to_owned();
        let text =
            script.answers.pop_front().ok_or_else(|| SubTurnError::InvalidConfig { why: why() })?;
        let result = ChildResult {
            id: format!("subturn-{}", script.begun.len() + 1),
            agent: child.agent_name().unwrap_or("scripted").to_owned(),
            status: ChildStatus::Finished,
            text,
            usage: crate::model::Usage::default(),
            duration: std::time::Duration::ZERO,
        };
        script.begun.push(ChildSummary {
            id: result.id.clone(),
            agent: result.agent.clone(),
            model: child.model_name().unwrap_or("scripted").to_owned(),
            status: ChildStatus::Finished,
            disposition: None,
            usage: result.usage,
            duration: result.duration,
        });
        Ok(result)
    }
}

impl Spawner for ScriptedChildren {
    fn call(&self, child: SubTurn) -> BoxFuture<'_, Result<ChildResult, SubTurnError>> {
        Box::pin(async move { self.begin(&child) })
    }

    fn spawn(&self, child: SubTurn) -> BoxFuture<'_, Result<String, SubTurnError>> {
        Box::pin(async move {
            let result = self.begin(&child)?;
            let id = result.id.clone();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).inbox.push_back(result);
            Ok(id)
        })
    }

    fn results(&self) -> Result<Vec<ChildResult>, SubTurnError> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut script.inbox).into())
    }

    fn next_result(&self) -> BoxFuture<'_, Result<Option<ChildResult>, SubTurnError>> {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).inbox.pop_front();
        Box::pin(async move { Ok(next) })
    }

    fn stop(&self, id: &str) -> Result<ChildStatus, SubTurnError> {
        let known: Vec<_> = self.children().into_iter().map(|child| child.id).collect();
        match known.iter().any(|known| known == id) {
            true => Ok(ChildStatus::Finished),
            false => Err(SubTurnError::Unknown { id: id.to_owned(), known }),
        }
    }

    fn children(&self) -> Vec<ChildSummary> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).begun.clone()
    }

    fn agents(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
