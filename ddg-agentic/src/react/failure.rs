//! The error of an agent's run without an answer.

use ddg_core::__report::shown_lines;

use super::AgentOutcome;
use crate::model::ModelError;

/// A run of an agent ended with neither an answer nor a question: a limit was reached, or the model
/// failed.
///
/// It is the error of the run, also if the agent is a worker of another automa, at any depth:
/// [`RunError::downcast_ref`](ddg_core::RunError::downcast_ref) finds it. The conversation in it
/// can be continued. To continue a stored run, run it again: its model is asked once more.
///
/// ```
/// use ddg_agentic::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let no_network = ModelError::Setup { message: "no network".to_owned() };
/// let model = ScriptedModel::new().fails(no_network).text("Here I am.");
/// let agent = ReActAutoma::new(model).build()?;
///
/// let error = agent.run(args!("Hello?")).await.unwrap_err();
/// let failed = error.downcast_ref::<AgentFailed>().ok_or("something else went wrong")?;
/// assert_eq!(failed.to_string(), "no network");
/// assert!(matches!(failed.model_error, Some(ModelError::Setup { .. })));
///
/// let again = Task::default().after(failed.outcome.conversation.clone());
/// assert_eq!(agent.run(args!(again)).await?.text(), "Here I am.");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, thiserror::Error)]
#[error("{}", shown_lines(&.outcome.text()))]
#[non_exhaustive]
pub struct AgentFailed {
    /// The outcome of the run: how it ended, the conversation, and the usage of models.
    pub outcome: Box<AgentOutcome>,
    /// The error of the model, if that is the cause.
    pub model_error: Option<ModelError>,
}

ddg_core::__report::debug_is_display!(AgentFailed);
