//! What begins children: the turn of an agent, or a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use super::{ChildResult, ChildStatus, ChildSummary, SubTurn, SubTurnError};

/// What begins children for a tool: the turn of an agent, or, where there is no agent, a script
/// ([`ScriptedChildren`]) or a type of one's own. A tool has it as a [`Turn`](super::Turn).
pub trait Spawner: fmt::Debug + Send + Sync + 'static {
    /// Begins a child, and waits for what it gives.
    ///
    /// # Errors
    /// It may not begin. What goes wrong with it later is in the result.
    ///
    /// # Cancel safety
    /// Dropping the future stops the child.
    fn call(&self, child: SubTurn) -> BoxFuture<'_, Result<ChildResult, SubTurnError>>;

    /// Begins a child that goes on by itself; gives its id.
    ///
    /// # Errors
    /// It may not begin.
    ///
    /// # Cancel safety
    /// The child has begun or not when the future is dropped; one that has goes on.
    fn spawn(&self, child: SubTurn) -> BoxFuture<'_, Result<String, SubTurnError>>;

    /// Takes what has been delivered.
    ///
    /// # Errors
    /// The turn is over.
    fn results(&self) -> Result<Vec<ChildResult>, SubTurnError>;

    /// Waits for a result and takes it; `None` if none is to come.
    ///
    /// # Errors
    /// The turn is over, or stopped.
    ///
    /// # Cancel safety
    /// Nothing is taken when the future is dropped.
    fn next_result(&self) -> BoxFuture<'_, Result<Option<ChildResult>, SubTurnError>>;

    /// Stops a child; its result says so. Gives how it stood before: one that has ended stays as it is.
    ///
    /// # Errors
    /// There is none of this id.
    fn stop(&self, id: &str) -> Result<ChildStatus, SubTurnError>;

    /// The children so far, in the order in which they were begun.
    fn children(&self) -> Vec<ChildSummary>;

    /// The agents that can be named, with what they are for.
    fn agents(&self) -> Vec<(String, String)>;
}

/// Children whose results are known beforehand, in the order in which they are begun: for the tests of a
/// tool, without agents and models.
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
    /// Each child says one of these.
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
