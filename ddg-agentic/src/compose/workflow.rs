//! A workflow with an agent behind it: steps that are programmed, and an agent for those that fail.

mod drive;
mod outcome;
mod words;

use std::sync::Arc;

use ddg_core::graph::BuildError;
use ddg_core::worker::{AnyWorker, IntoFunc, IntoWorker};
use ddg_core::{GraphAutoma, Value, WorkerOptions};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use outcome::{DoneBy, WorkflowEnd, WorkflowFailed, WorkflowOutcome, WorkflowStep};

use crate::react::{AgentOutcome, ReActAutoma};

/// Number of steps in a row after which the rest is the agent's.
const IN_A_ROW: u32 = 3;

/// A builder of workflows: steps that run one after another, and an agent that does a step that has
/// failed.
///
/// The first step takes the argument of the run, and each further one the output of the step
/// before. A step that fails, after its own retries, is handed to the agent with its input, its
/// error and what was done before. The agent has its tools and its [limits](ReActAutoma::limits),
/// and answers with the output of the step, from which the workflow continues. After [three such
/// steps in a row](Self::in_a_row) all that is left is one task of the agent.
///
/// The automa is one like any other: its agent publishes events, may ask people, and is saved with
/// it. Its output is a [`WorkflowOutcome`]. If the agent fails as well, the run fails with a
/// [`WorkflowFailed`], which has both causes.
///
/// ```
/// use ddg_agentic::compose::{DoneBy, Step, Workflow, WorkflowOutcome};
/// use ddg_agentic::prelude::*;
///
/// async fn price(page: String) -> Result<u32, String> {
///     page.parse().map_err(|_| format!("`{page}` is no price"))
/// }
///
/// async fn offer(euros: u32) -> String {
///     format!("yours for {euros} euros")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let agent = ReActAutoma::new(ScriptedModel::new().text(r#"{ "value": 12 }"#));
/// let workflow = Workflow::new("shop", agent)
///     .then_func(Step::giving::<u32>("price", "Reads the price in euros."), price)
///     .then_func(Step::giving::<String>("offer", "Makes an offer."), offer)
///     .build()?;
///
/// let outcome: WorkflowOutcome = workflow.run(args!("a dozen euros")).output().await?;
/// assert_eq!(outcome.output::<String>()?, "yours for 12 euros");
/// assert!(matches!(outcome.steps[0].by, DoneBy::Agent { .. }));
/// assert_eq!(outcome.steps[1].by, DoneBy::Step);
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder is not an automa: call `build`"]
pub struct Workflow {
    name: String,
    agent: ReActAutoma,
    steps: Vec<(Step, AnyWorker, WorkerOptions)>,
    in_a_row: u32,
}

/// A step of a [`Workflow`]: its key, its description for the agent, and the type of its output.
#[derive(Clone)]
pub struct Step {
    key: String,
    description: String,
    /// The agent with the type of the answer.
    asks: fn(ReActAutoma) -> ReActAutoma,
    /// The output in the answer of the agent.
    read: fn(&AgentOutcome) -> Result<Value, String>,
}

impl Step {
    /// A step whose worker gives a `T`. The description says what the step does, so that the agent
    /// can do it.
    pub fn giving<T: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static>(
        key: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            description: description.into(),
            asks: |agent| agent.answer::<T>(),
            read: |outcome| match outcome.answer::<T>() {
                Ok(output) => Ok(Value::new(output)),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

impl Workflow {
    /// Creates a workflow without steps, with `agent` behind it.
    pub fn new(name: impl Into<String>, agent: ReActAutoma) -> Self {
        Self { name: name.into(), agent, steps: Vec::new(), in_a_row: IN_A_ROW }
    }

    /// Adds a function or a closure as the next step.
    pub fn then_func<M>(self, step: Step, function: impl IntoFunc<M, Made = AnyWorker>) -> Self {
        self.then(step, AnyWorker::func(function))
    }

    /// Adds an own worker, an automa or an [`AnyWorker`] as the next step.
    pub fn then<M>(self, step: Step, worker: impl IntoWorker<M>) -> Self {
        self.then_with(step, worker, WorkerOptions::default())
    }

    /// Adds a step with options, such as a timeout or a retry.
    pub fn then_with<M>(
        mut self,
        step: Step,
        worker: impl IntoWorker<M>,
        options: WorkerOptions,
    ) -> Self {
        self.steps.push((step, worker.into_worker(), options));
        self
    }

    /// Sets the number of steps in a row that the agent does, after which the rest is its as well
    /// (3 by default).
    pub fn in_a_row(mut self, steps: u32) -> Self {
        self.in_a_row = steps.max(1);
        self
    }

    /// Builds the automa, which can be run any number of times.
    ///
    /// # Errors
    /// If there are no steps, a key is empty, used twice or reserved (`begin`, `lead`, `finish`,
    /// `rest` and what begins with `agent:`), or the agent cannot be built.
    pub fn build(self) -> Result<GraphAutoma, BuildError> {
        let Self { name, agent, steps, in_a_row } = self;
        drive::build(name, &agent, steps, in_a_row)
    }
}

/// A step without its worker, as the parts that drive a workflow share it.
type Steps = Arc<[Step]>;
