//! Outcomes of workflows.

use ddg_core::__report::{shown, shown_lines};
use ddg_core::values::TypeMismatch;
use ddg_core::{Data, Value};
use serde::{Deserialize, Serialize};

use crate::message::Usage;
use crate::react::AgentOutcome;

/// The outcome of a [`Workflow`](super::Workflow): its output, and who has done each step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowOutcome {
    /// The output of the last step. Read it with [`output`](Self::output).
    pub value: Value,
    /// The steps in their order. The last may stand for several, if the agent did the rest.
    pub steps: Vec<WorkflowStep>,
    /// Whether the workflow or the agent came to the end of it.
    pub end: WorkflowEnd,
    /// The usage of the agent's models.
    pub usage: Usage,
}

/// A step that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowStep {
    /// The key. If the agent did the rest, the keys of all steps that it did, with commas.
    pub key: String,
    /// The worker, or the agent.
    pub by: DoneBy,
}

/// Author of a step of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DoneBy {
    /// The worker of the step.
    Step,
    /// The agent.
    Agent {
        /// Why the step failed; empty if it was not tried.
        error: String,
        /// The answer of the agent.
        answer: String,
        /// Number of requests to its model.
        turns: u32,
    },
}

/// How a workflow came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WorkflowEnd {
    /// By its last step.
    Steps,
    /// The agent did the rest, because it had done too many steps in a row.
    Agent,
}

/// A step of a workflow failed, and the agent behind it did as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "step `{step}` failed ({error}), and the agent behind it failed as well ({agent})",
    step = shown(.step), error = shown_lines(.error), agent = shown_lines(.agent)
)]
#[non_exhaustive]
pub struct WorkflowFailed {
    /// The key of the step. If the agent was to do the rest, the keys of all steps of the rest.
    pub step: String,
    /// Why the step failed.
    pub error: String,
    /// Why the agent failed.
    pub agent: String,
}

impl WorkflowOutcome {
    /// The output of the last step.
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn output<T: Data>(&self) -> Result<T, TypeMismatch> {
        self.value.get()
    }
}

impl DoneBy {
    pub(super) fn agent(error: String, outcome: &AgentOutcome) -> Self {
        Self::Agent { error, answer: outcome.text(), turns: outcome.turns }
    }
}
