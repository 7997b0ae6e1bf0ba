//! The automa of a workflow: `begin` → `lead`, which ferries to a step, to the agent behind it, or
//! to the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use ddg_core::callback::Callback;
use ddg_core::graph::{BuildError, Fault};
use ddg_core::worker::AnyWorker;
use ddg_core::{Automa, Context, GraphAutoma, Value, WorkerError, WorkerOptions, free, start};
use serde::{Deserialize, Serialize};

use super::{
    DoneBy, Step, Steps, WorkflowEnd, WorkflowFailed, WorkflowOutcome, WorkflowStep, words,
};
use crate::message::Usage;
use crate::react::{AgentFailed, AgentOutcome, ReActAutoma};

const BEGIN: &str = "begin";
const LEAD: &str = "lead";
const FINISH: &str = "finish";
const REST: &str = "rest";

/// The key of the agent behind a step.
fn agent_of(step: &str) -> String {
    format!("agent:{step}")
}

/// The name of the state in the local space of `lead`.
const PROGRESS: &str = "progress";

/// What `lead` hears.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum News {
    /// The run begins, with this argument.
    Begun(Value),
    /// The current step gave an output.
    Gave(Value),
    /// The current step failed.
    Failed(String),
    /// The agent has answered.
    Answered(Box<AgentOutcome>),
    /// The agent failed.
    AgentFailed(String),
}

/// How far a workflow is.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Progress {
    /// The index of the current step.
    at: usize,
    /// Its input.
    input: Value,
    /// Its error, if it has failed.
    error: Option<String>,
    /// Whether the agent does all that is left.
    rest: bool,
    /// Number of steps in a row that the agent has done.
    in_a_row: u32,
    done: Vec<(String, Value)>,
    steps: Vec<WorkflowStep>,
    usage: Usage,
}

/// Decides what comes next.
struct Lead {
    workflow: String,
    steps: Steps,
    in_a_row: u32,
}

pub(super) fn build(
    name: String,
    agent: &ReActAutoma,
    steps: Vec<(Step, AnyWorker, WorkerOptions)>,
    in_a_row: u32,
) -> Result<GraphAutoma, BuildError> {
    let specs: Steps = steps.iter().map(|(step, ..)| step.clone()).collect();
    let faults = faults(&specs);
    if !faults.is_empty() {
        return Err(BuildError::new(&name, faults));
    }
    let mut automa = GraphAutoma::new(&name);
    let begin = async |task: Value, cx: Context| cx.ferry_to(LEAD, (News::Begun(task),));
    automa.add_func_as_worker(BEGIN, begin, start())?;
    let lead = Arc::new(Lead { workflow: name, steps: Arc::clone(&specs), in_a_row });
    let lead = AnyWorker::func(move |news: News, cx: Context| {
        let lead = Arc::clone(&lead);
        async move { lead.hears(news, &cx) }
    });
    automa.add_worker(LEAD, lead, free().inline())?;
    for (step, worker, options) in steps {
        automa.add_worker(step.key.as_str(), worker, options.callback(OfStep))?;
        let key = agent_of(&step.key);
        let behind = (step.asks)(agent.clone().name(&key)).build()?.into_graph();
        automa.add_worker(key, behind, free().callback(OfAgent))?;
    }
    if let [_, .., last] = &*specs {
        let rest = (last.asks)(agent.clone().name(REST)).build()?.into_graph();
        automa.add_worker(REST, rest, free().callback(OfAgent))?;
    }
    let finish = async |outcome: WorkflowOutcome| outcome;
    automa.add_func_as_worker(FINISH, finish, free().inline().output())?;
    automa.validate()?;
    Ok(automa)
}

fn faults(steps: &[Step]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if steps.is_empty() {
        faults.push("a workflow needs a step: add one with `then`".to_owned());
    }
    let mut keys = BTreeSet::new();
    for Step { key, .. } in steps {
        let is_reserved = [BEGIN, LEAD, FINISH, REST].contains(&key.as_str());
        if is_reserved || key.starts_with("agent:") {
            faults.push(format!("a step is named `{key}`, which the workflow uses: rename it"));
        } else if !keys.insert(key) {
            faults.push(format!("two steps are named `{key}`: rename one"));
        }
    }
    faults.into_iter().map(|what| Fault::Refused { what }).collect()
}

impl Lead {
    fn hears(&self, news: News, cx: &Context) -> Result<(), WorkerError> {
        let mut progress: Progress = cx.local().get(PROGRESS).unwrap_or_default();
        match news {
            News::Begun(task) => progress = Progress { input: task, ..Progress::default() },
            News::Gave(output) => {
                progress.in_a_row = 0;
                progress.ends(&self.steps, output, DoneBy::Step);
            }
            News::Failed(error) => {
                let step = &self.steps[progress.at];
                let Progress { input, done, .. } = &progress;
                let task = words::of_step(&self.workflow, step, input, &error, done);
                cx.emit("handed_over", format!("{}: {error}", step.key));
                cx.ferry_to(agent_of(&step.key), (task,));
                progress.error = Some(error);
                cx.local().set(PROGRESS, progress);
                return Ok(());
            }
            News::Answered(outcome) => self.is_answered(&mut progress, &outcome)?,
            News::AgentFailed(why) => return Err(self.failed(&progress, why).into()),
        }
        self.goes_on(progress, cx);
        Ok(())
    }

    /// Takes the output from the answer of the agent.
    fn is_answered(
        &self,
        progress: &mut Progress,
        outcome: &AgentOutcome,
    ) -> Result<(), WorkflowFailed> {
        let last = if progress.rest { self.steps.len() - 1 } else { progress.at };
        let output = (self.steps[last].read)(outcome);
        let output = output.map_err(|why| self.failed(progress, why))?;
        progress.usage += outcome.usage;
        let by = DoneBy::agent(progress.error.take().unwrap_or_default(), outcome);
        if progress.rest {
            progress.steps.push(WorkflowStep { key: self.left(progress), by });
            progress.at = self.steps.len();
            progress.input = output;
        } else {
            progress.in_a_row += 1;
            progress.ends(&self.steps, output, by);
        }
        Ok(())
    }

    /// Begins the next step, hands over the rest, or ends.
    fn goes_on(&self, mut progress: Progress, cx: &Context) {
        let left = &self.steps[progress.at.min(self.steps.len())..];
        if left.is_empty() {
            let end = if progress.rest { WorkflowEnd::Agent } else { WorkflowEnd::Steps };
            let Progress { input: value, steps, usage, .. } = progress;
            cx.ferry_to(FINISH, (WorkflowOutcome { value, steps, end, usage },));
            return;
        }
        if progress.in_a_row >= self.in_a_row {
            let task = words::of_rest(&self.workflow, left, &progress.input, &progress.done);
            cx.emit("handed_over", format!("{}: the rest", self.left(&progress)));
            cx.ferry_to(REST, (task,));
            progress.rest = true;
        } else {
            cx.ferry_to(left[0].key.as_str(), (progress.input.clone(),));
        }
        cx.local().set(PROGRESS, progress);
    }

    fn failed(&self, progress: &Progress, agent: String) -> WorkflowFailed {
        let in_a_row = || format!("{} steps in a row before", progress.in_a_row);
        WorkflowFailed {
            step: if progress.rest {
                self.left(progress)
            } else {
                self.steps[progress.at].key.clone()
            },
            error: progress.error.clone().unwrap_or_else(in_a_row),
            agent,
        }
    }

    /// The keys of the steps that are left.
    fn left(&self, progress: &Progress) -> String {
        let left = self.steps[progress.at..].iter().map(|step| step.key.as_str());
        left.collect::<Vec<_>>().join(", ")
    }
}

impl Progress {
    /// The current step has this output.
    fn ends(&mut self, steps: &[Step], output: Value, by: DoneBy) {
        let key = steps[self.at].key.clone();
        self.steps.push(WorkflowStep { key: key.clone(), by });
        self.done.push((key, output.clone()));
        self.input = output;
        self.at += 1;
    }
}

/// Tells `lead` how a step has ended.
struct OfStep;

impl Callback for OfStep {
    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        cx.ferry_to(LEAD, (News::Gave(output.clone()),));
        Ok(())
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        cx.ferry_to(LEAD, (News::Failed(error.to_string()),));
        Ok(Some(Value::null()))
    }
}

/// Tells `lead` how the agent has ended.
struct OfAgent;

impl Callback for OfAgent {
    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        let outcome: AgentOutcome = output.get()?;
        cx.ferry_to(LEAD, (News::Answered(Box::new(outcome)),));
        Ok(())
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        let why = match error.downcast_ref::<AgentFailed>() {
            Some(failed) => failed.to_string(),
            None => error.to_string(),
        };
        cx.ferry_to(LEAD, (News::AgentFailed(why),));
        Ok(Some(Value::null()))
    }
}
