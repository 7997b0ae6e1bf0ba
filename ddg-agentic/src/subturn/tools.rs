//! Tools with which a model has child agents.

use std::sync::Arc;
use std::time::Duration;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{SubTurn, Turn};
use crate::tool::{Tool, ToolError, ToolOutput, ToolSpec, parameters_of};

/// The tools with which a model begins a child. A turn at the maximum depth does not have them.
pub(super) const BEGINNING: &[&str] = &["spawn_agent", "call_agent"];

/// Tools with which a model has child agents: `spawn_agent`, `call_agent`, `list_agents` and
/// `stop_agent`. The methods set what the model may choose for a child. The limits of
/// [`SubTurns`](super::SubTurns) apply to every choice.
///
/// ```
/// use ddg_agentic::Toolbox;
/// use ddg_agentic::subturn::AgentTools;
///
/// let tools = Toolbox::builder().with_all(AgentTools::new().may_choose_model().build()).build()?;
/// let names: Vec<_> = tools.names().collect();
/// assert_eq!(names, ["spawn_agent", "call_agent", "list_agents", "stop_agent"]);
/// # Ok::<(), ddg_agentic::tool::ToolboxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AgentTools {
    model: bool,
    tools: bool,
    critical: bool,
    timeout: bool,
}

impl AgentTools {
    /// Creates tools with which the model chooses the task and the agent of a child.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the model choose the model of a child.
    #[must_use]
    pub fn may_choose_model(mut self) -> Self {
        self.model = true;
        self
    }

    /// Lets the model choose the tools of a child, out of its own.
    #[must_use]
    pub fn may_choose_tools(mut self) -> Self {
        self.tools = true;
        self
    }

    /// Lets the model make a child continue after its own turn is over.
    #[must_use]
    pub fn may_be_critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Lets the model choose the timeout of a child.
    #[must_use]
    pub fn may_set_timeout(mut self) -> Self {
        self.timeout = true;
        self
    }

    /// Builds the tools.
    pub fn build(self) -> Vec<Arc<dyn Tool>> {
        let tool = |does| Arc::new(AgentTool { spec: self.spec(does), does, may: self }) as _;
        [Does::Spawn, Does::Call, Does::List, Does::Stop].map(tool).into()
    }

    fn spec(self, does: Does) -> ToolSpec {
        let (name, description) = match does {
            Does::Spawn => (
                BEGINNING[0],
                "Gives a part of the task to another agent, which works on it while you continue. \
                 Answers at once with the agent's id; what it finds comes later as a message.",
            ),
            Does::Call => (
                BEGINNING[1],
                "Gives a part of the task to another agent, and waits for what it finds.",
            ),
            Does::List => (
                "list_agents",
                "Lists the agents that can be named, and those that you have begun, with how \
                 each stands.",
            ),
            Does::Stop => ("stop_agent", "Stops an agent that you have begun."),
        };
        let parameters = match does {
            Does::Spawn | Does::Call => self.task_schema(),
            Does::List => {
                json!({ "type": "object", "properties": {}, "additionalProperties": false })
            }
            Does::Stop => parameters_of::<Stop>(),
        };
        ToolSpec::new(name, description, parameters)
    }

    /// The schema of a child, without the parameters that the model may not choose.
    fn task_schema(self) -> Json {
        let mut schema = parameters_of::<Begin>();
        let hidden = [
            ("model", self.model),
            ("tools", self.tools),
            ("critical", self.critical),
            ("timeout_s", self.timeout),
        ];
        if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
            for (name, _) in hidden.iter().filter(|(_, may)| !may) {
                properties.remove(*name);
            }
        }
        schema
    }
}

#[derive(Clone, Copy)]
enum Does {
    Spawn,
    Call,
    List,
    Stop,
}

struct AgentTool {
    spec: ToolSpec,
    does: Does,
    may: AgentTools,
}

/// What a model says of a child.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// What to do, with all that one has to know to do it.
    task: String,
    /// Which agent; see `list_agents`. One like you, if left out.
    agent: Option<String>,
    /// The name of the model that it asks; yours, if left out.
    model: Option<String>,
    /// The names of those of your tools that it has; all, if left out.
    tools: Option<Vec<String>>,
    /// Whether the agent continues after you have answered.
    critical: Option<bool>,
    /// How many seconds it may take.
    #[schemars(range(min = 1))]
    timeout_s: Option<u64>,
}

/// Which child is to be stopped.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stop {
    /// The agent's id, `subturn-1` say.
    id: String,
}

impl Begin {
    fn child(self, may: AgentTools) -> SubTurn {
        let mut child = SubTurn::new(self.task);
        if let Some(agent) = self.agent.filter(|agent| !agent.is_empty()) {
            child = child.agent(agent);
        }
        if let Some(model) = self.model.filter(|_| may.model) {
            child = child.model(model);
        }
        if let Some(tools) = self.tools.filter(|_| may.tools) {
            child = child.tools(tools);
        }
        if self.critical == Some(true) && may.critical {
            child = child.critical();
        }
        if let Some(seconds) = self.timeout_s.filter(|_| may.timeout) {
            child = child.timeout(Duration::from_secs(seconds));
        }
        child
    }
}

impl AgentTool {
    async fn run(&self, arguments: Json, cx: &Context) -> Result<ToolOutput, WorkerError> {
        let turn = Turn::of(cx)?;
        let read = |error| ToolError::unreadable(&self.spec.name, &error);
        Ok(match self.does {
            Does::Spawn => {
                let begin: Begin = serde_json::from_value(arguments).map_err(read)?;
                let child = turn.spawn(begin.child(self.may)).await?;
                ToolOutput::text(format!("{} has begun", child.id()))
            }
            Does::Call => {
                let begin: Begin = serde_json::from_value(arguments).map_err(read)?;
                ToolOutput::text(turn.call(begin.child(self.may)).await?.text)
            }
            Does::List => {
                let agents = turn.agents().into_iter();
                let agents = agents.map(|(name, use_for)| json!({ "agent": name, "use": use_for }));
                let begun = turn.children().into_iter().map(|child| {
                    json!({ "id": child.id, "agent": child.agent, "state": child.status.word() })
                });
                let list = json!({
                    "agents": agents.collect::<Vec<_>>(),
                    "begun": begun.collect::<Vec<_>>(),
                });
                ToolOutput::text(list.to_string())
            }
            Does::Stop => {
                let Stop { id } = serde_json::from_value(arguments).map_err(read)?;
                let before = turn.stop(&id)?;
                ToolOutput::text(match before {
                    super::ChildStatus::Running => format!("{id} is being stopped"),
                    ended => format!("{id} had {}", ended.word()),
                })
            }
        })
    }
}

impl Tool for AgentTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(self.run(arguments, cx))
    }
}
