//! The ReAct loop: a model thinks, tools act, until there is an answer.

mod failure;
mod files;
mod limits;
mod mailbox;
mod outcome;
mod settings;
mod state;
mod task;
mod turns;
mod workers;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ddg_core::graph::{BuildError, Fault};
use ddg_core::{Automa, GraphAutoma};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use failure::AgentFailed;
pub use files::{AnswerPart, ToolStep};
pub use limits::Limits;
pub(crate) use mailbox::{Mailbox, Mailboxes, Put, Unheard};
pub use outcome::{AgentEnd, AgentOutcome, Limit, NoAnswer};
pub use task::Task;

use crate::files::FileManager;
use crate::memory::{FullHistory, Memory};
use crate::model::{ChatModel, ChatRequest, PromptCache, Wanted};
use crate::subturn::{self, ChildNode, SubTurns};
use crate::tool::{AutomaTool, ToolOutput, ToolSpec, Toolbox};

/// The name of the tool with which a model asks the person back.
const ASK_BACK: &str = "ask_the_person";

/// An agent: a model that is asked what to do, tools that do it, and so on until there is an answer.
///
/// It is an [`Automa`], so everything that holds for automata holds for it: it pauses, is saved and gone
/// on with, watched, drawn, kept in a store, and nested in others.
///
/// ```text
/// begin ─▶ think ┄┬┄▶ tool_weather_1_1 ─┬─▶ collect ┄┄▶ think ┄┄▶ finish
///                 ├┄▶ tool_flights_1_2 ─┘
///                 └┄▶ summarise
/// ```
///
/// Each call of a tool is a worker of its own, added when the model asks for it and removed when the
/// results of the turn have been collected; they run concurrently, and are collected in the order in
/// which the model asked.
///
/// ```
/// use ddg_agentic::prelude::*;
/// use serde_json::json;
///
/// /// The weather forecast of a city.
/// #[tool]
/// async fn weather(city: String) -> String {
///     format!("sunny in {city}, 24 °C")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ScriptedModel::new()
///     .calls([ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }))])
///     .text("Take sunglasses.");
/// let agent = ReActAutoma::new(model)
///     .system("You help people to pack.")
///     .tools(Toolbox::builder().with(weather::tool()).build()?)
///     .build()?;
///
/// let outcome = agent.run(args!("What do I need in Tokyo?")).await?;
/// assert_eq!(outcome.text(), "Take sunglasses.");
/// assert_eq!(outcome.turns, 2);
/// # Ok(())
/// # }
/// ```
///
/// A run takes one argument, the task: a text, a [`Message`](crate::Message), several, or a [`Task`],
/// which goes on with a conversation. It gives an [`AgentOutcome`] with an answer, or with a question if it
/// [may ask back](Self::may_ask_back); any other end is an error, [`AgentFailed`], with the conversation.
#[derive(Clone)]
pub struct ReActAutoma {
    name: String,
    model: Arc<dyn ChatModel>,
    system: Option<String>,
    tools: Toolbox,
    memory: Arc<dyn Memory>,
    limits: Limits,
    tool_calls: ToolCallMode,
    may_ask: bool,
    /// What every request has besides messages and tools.
    settings: ChatRequest,
    /// Inputs of a run that only tools read.
    inputs: Vec<String>,
    /// What the answer has to be, or why its schema is none.
    answer: Option<Result<Arc<Wanted>, String>>,
    /// What the model of a turn that is no child's may call, once that is known.
    specs: OnceLock<Arc<[ToolSpec]>>,
    /// What people say to runs that go on.
    mailboxes: Arc<Mailboxes>,
    /// The file manager that was given to the agent itself.
    files: Option<FileManager>,
    /// For how long addresses of files have to be good, if they are asked for.
    file_urls: Option<Duration>,
    /// Why the tools cannot be given the file manager.
    tools_fault: Option<String>,
    /// What holds for its children.
    subturns: Option<Arc<SubTurns>>,
}

/// How the calls of one turn run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolCallMode {
    /// At once.
    #[default]
    Parallel,
    /// One after the other, in the order in which the model asks for them.
    Sequential,
}

/// What an agent is given as a tool.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Assignment {
    /// What to do, with all that one has to know to do it.
    task: String,
}

impl ReActAutoma {
    /// An agent without tools that remembers everything.
    pub fn new(model: impl ChatModel) -> Self {
        Self {
            name: Self::NAME.to_owned(),
            model: Arc::new(model),
            system: None,
            tools: Toolbox::default(),
            memory: Arc::new(FullHistory),
            limits: Limits::default(),
            tool_calls: ToolCallMode::default(),
            may_ask: false,
            settings: ChatRequest::default().prompt_cache(PromptCache::Short),
            inputs: Vec::new(),
            answer: None,
            specs: OnceLock::new(),
            mailboxes: Arc::default(),
            files: None,
            file_urls: None,
            tools_fault: None,
            subturns: None,
        }
    }

    /// Sets the agent's name: that of its automa.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets what the model is told before the conversation. It is no part of the conversation, so it
    /// may change from run to run.
    #[must_use]
    pub fn system(mut self, prompt: impl Into<String>) -> Self {
        self.system = Some(prompt.into());
        self
    }

    /// Sets the tools.
    #[must_use]
    pub fn tools(mut self, tools: Toolbox) -> Self {
        self.tools = tools;
        self.bind_files();
        self
    }

    /// Sets what of the conversation the model is shown; all of it unless this is set.
    #[must_use]
    pub fn memory(mut self, memory: impl Memory) -> Self {
        self.memory = Arc::new(memory);
        self
    }

    /// Sets when the agent stops without an answer: after 25 turns unless this is set.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Announces an input of a run, by name, that tools read with
    /// [`Context::input`](ddg_core::Context::input): who is speaking, say. Runs are given it as `args!(task, user =
    /// ..)`, those of an [`Agent`](crate::Agent) with [`input`](crate::AgentRun::input).
    ///
    /// ```
    /// use ddg_agentic::prelude::*;
    /// use serde_json::json;
    ///
    /// /// The orders of the person who is speaking.
    /// #[tool]
    /// async fn orders(cx: &Context) -> Result<String, WorkerError> {
    ///     let user: String = cx.input("user")?.unwrap_or_default();
    ///     Ok(format!("{user} has ordered tea"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let model = ScriptedModel::new()
    ///     .calls([ToolCall::new("call_1", "orders", json!({}))])
    ///     .text("Tea.").expects_last("ada has ordered tea");
    /// let tools = Toolbox::builder().with(orders::tool()).build()?;
    /// let agent = Agent::new(ReActAutoma::new(model).tools(tools).declare_input("user"))?;
    /// let said = agent.say("visitor-7", "What have I ordered?").input("user", "ada").await?;
    /// # let Said::Ended(outcome) = said else { panic!() };
    /// # assert_eq!(outcome.text(), "Tea.");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn declare_input(mut self, name: impl Into<String>) -> Self {
        self.inputs.push(name.into());
        self
    }

    /// Sets how the calls of one turn run: at once unless this is set.
    #[must_use]
    pub fn tool_calls(mut self, tool_calls: ToolCallMode) -> Self {
        self.tool_calls = tool_calls;
        self
    }

    /// Lets the model ask the person back in place of an answer. The run ends then with
    /// [`AgentEnd::ClarificationAsked`]; the next one, with the same conversation, answers. It asks
    /// with a tool of its own, `ask_the_person`.
    #[must_use]
    pub fn may_ask_back(mut self) -> Self {
        self.may_ask = true;
        self
    }

    /// Makes the answer a `T`; read it with [`AgentOutcome::answer`]. The model is told the JSON schema
    /// of `T`; beside tools, or if it [follows none](crate::model::Capabilities::output_schema), in words. The
    /// answer is what in its reply is a `T`, whatever is around it. If nothing is, the model is told what
    /// is wrong, a few [times](Limits::tries); none of that is kept in the conversation.
    #[must_use]
    pub fn answer<T: JsonSchema + DeserializeOwned>(mut self) -> Self {
        self.answer = Some(Wanted::new::<T>().map(Arc::new));
        self
    }

    /// As [`answer`](Self::answer), and the answer has to pass `check`: the model is told the error.
    ///
    /// ```
    /// use ddg_agentic::prelude::*;
    /// use ddg_agentic::schemars::{self, JsonSchema};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Trip { days: u32 }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let model = ScriptedModel::new()
    ///     .text(r#"{ "days": 90 }"#)
    ///     .text(r#"Sure! {"days": 9}"#).expects(|asked| {
    ///         assert!(asked.messages.last().unwrap().text().contains("at most 14 days"));
    ///     });
    /// let agent = ReActAutoma::new(model).checked_answer(|trip: &Trip| match trip.days {
    ///     0..=14 => Ok(()),
    ///     _ => Err("at most 14 days".to_owned()),
    /// });
    /// let outcome = agent.build()?.run(args!("Plan a trip.")).await?;
    /// assert_eq!(outcome.answer::<Trip>()?.days, 9);
    /// assert_eq!(outcome.conversation.messages.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn checked_answer<T: JsonSchema + DeserializeOwned>(
        mut self,
        check: impl Fn(&T) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.answer = Some(Wanted::checked::<T>(check).map(Arc::new));
        self
    }
}

impl ReActAutoma {
    /// The agent as a tool of another: it is given a task in words, and what it says, the other reads.
    /// What it takes of models counts as the other's, also if it [fails](AgentFailed), of which the other is told.
    ///
    /// ```
    /// use ddg_agentic::prelude::*;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let librarian = ReActAutoma::new(OfflineModel::new()).system("You know books.");
    /// let tools = Toolbox::builder()
    ///     .with(librarian.into_tool("librarian", "Finds books. Say what they should be about.")?)
    ///     .build()?;
    /// let agent = ReActAutoma::new(OfflineModel::new()).tools(tools);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The agent cannot be built.
    pub fn into_tool(
        self,
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Result<AutomaTool, BuildError> {
        let (name, description) = (name.into(), description.into());
        let (agent, needs_files) = (self.clone(), self.tools.needs_files());
        let shares_files = self.shares_files();
        let automa = self.build()?.into_graph();
        let tool = AutomaTool::new::<Assignment>(&name, &description, automa);
        let tool = tool.output(|outcome: AgentOutcome| told(&outcome));
        let tool = tool.failure(|error| Some(told(&error.downcast_ref::<AgentFailed>()?.outcome)));
        Ok(match shares_files {
            false => tool,
            true => tool.rebuilt(needs_files, move |files| {
                agent.clone().files(files.clone()).into_tool(&name, &description)
            }),
        })
    }

    /// What is wrong with what is set.
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(Err(why)) = &self.answer {
            faults.push(format!("the JSON schema of the answer is none: {why}"));
        }
        if self.may_ask && self.tools.contains(ASK_BACK) {
            faults.push(format!(
                "a tool is named `{ASK_BACK}`, with which the model asks back: rename it, or leave \
                 `may_ask_back` out"
            ));
        }
        faults.extend(self.subturns.iter().flat_map(|subturns| subturns.faults()));
        let faults = faults.into_iter().map(|what| Fault::Refused { what });
        faults.chain(self.file_faults()).collect()
    }

    /// The same with mailboxes of its own, and these.
    pub(crate) fn with_mailboxes(mut self) -> (Self, Arc<Mailboxes>) {
        self.mailboxes = Arc::default();
        let mailboxes = Arc::clone(&self.mailboxes);
        (self, mailboxes)
    }
}

/// What another agent reads of a run, and what that took.
fn told(outcome: &AgentOutcome) -> ToolOutput {
    ToolOutput::text(outcome.text()).files(outcome.files()).usage(outcome.usage)
}

impl Automa for ReActAutoma {
    type Output = AgentOutcome;

    const NAME: &'static str = "agent";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn declare(this: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
        let faults = this.faults();
        if !faults.is_empty() {
            return Err(BuildError::new(graph.name(), faults));
        }
        this.inputs.iter().for_each(|name| graph.declare_input(name));
        this.tools.register_in(graph)?;
        ChildNode::register_in(graph)?;
        let agent = Arc::clone(this);
        graph.attach(move |run| agent.turn_of_run(run));
        graph.declare_input(subturn::INPUT);
        Self::workers(this, graph)
    }
}
