//! The ReAct loop: a model thinks and tools act, until there is an answer.

mod failure;
mod files;
mod handoff;
mod hooked;
mod limits;
mod mailbox;
mod outcome;
mod settings;
mod state;
mod task;
mod turns;
mod view;
mod workers;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ddg_core::graph::{BuildError, Fault};
use ddg_core::{Automa, GraphAutoma};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use failure::AgentFailed;
pub use files::{AnswerPart, ToolStep};
pub use handoff::{Carries, HandedOver, Handoff};
pub use limits::Limits;
pub(crate) use mailbox::{Mailbox, Mailboxes, Put, Unheard};
pub use outcome::{AgentEnd, AgentOutcome, Limit, NoAnswer};
pub use task::Task;
pub use view::RunView;

use self::handoff::{Members, Transfer};
use self::view::OfRun;
use crate::files::FileManager;
use crate::hook::DynHook;
use crate::memory::{FullHistory, Memory};
use crate::model::{ChatModel, ChatRequest, Price, PromptCache, Wanted};
use crate::observe::ObserverRef;
use crate::subturn::{self, ChildNode, SubTurns};
use crate::tool::{AutomaTool, ToolInput, ToolOutput, ToolSpec, Toolbox};

/// The default for the bytes that the tools of one turn give the model.
const MAX_TURN_OUTPUT: usize = 512 << 10;

/// The name of the tool with which a model asks the person a question.
const ASK_BACK: &str = "ask_the_person";

/// An agent: asks a model what to do, lets tools do it, and repeats this until there is an answer.
///
/// An agent is an [`Automa`], with everything that automata can do: it can be paused, saved and
/// resumed, observed, drawn, stored, and nested in other automata.
///
/// ```text
/// begin ─▶ think ┄┬┄▶ tool_weather_1_1 ─┬─▶ collect ┄┄▶ think ┄┄▶ finish
///                 ├┄▶ tool_flights_1_2 ─┘
///                 └┄▶ summarise
/// ```
///
/// Each tool call is a worker of its own. The worker is added when the model asks for the call, and
/// removed when the results of the turn have been collected. The calls of a turn run concurrently.
/// Their results are collected in the order in which the model asked for them.
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
/// A run takes one argument, the task: a text, a [`Message`](crate::Message), several messages, or
/// a [`Task`], which continues a conversation. The output is an [`AgentOutcome`] with an answer, or
/// with a question if the agent [may ask back](Self::may_ask_back). Any other end is the error
/// [`AgentFailed`], which contains the conversation.
#[derive(Clone)]
pub struct ReActAutoma {
    name: String,
    model: Arc<dyn ChatModel>,
    system: Option<String>,
    /// Instructions by function of the run.
    instructions: Vec<OfRun<String>>,
    tools: Toolbox,
    /// The names of the tools that the model may call, by function of the run.
    tools_for: Option<OfRun<Vec<String>>>,
    memory: Arc<dyn Memory>,
    limits: Limits,
    tool_calls: ToolCallMode,
    may_ask: bool,
    /// Settings of every request, without messages and tools.
    settings: ChatRequest,
    /// The prices of models, for a limit of the cost.
    prices: BTreeMap<String, Price>,
    /// Maximum number of bytes that the tools of one turn give the model.
    max_turn_output: usize,
    /// Inputs of a run that only tools read.
    inputs: Vec<String>,
    /// The type of the answer, or why its schema is invalid.
    answer: Option<Result<Arc<Wanted>, String>>,
    /// Tools that the model may call in a turn that is not a child's, computed once.
    specs: OnceLock<Arc<[ToolSpec]>>,
    /// Messages of people to active runs.
    mailboxes: Arc<Mailboxes>,
    /// The file manager that was set on the agent itself.
    files: Option<FileManager>,
    /// How long the URLs of files are valid, if they are requested.
    file_urls: Option<Duration>,
    /// Why the tools cannot use the file manager.
    tools_fault: Option<String>,
    /// Settings for child agents.
    subturns: Option<Arc<SubTurns>>,
    handoffs: Vec<Handoff>,
    /// The other agents of the team, once they are built.
    members: OnceLock<Members>,
    /// Whether another agent of the team is the host of its runs.
    is_member: bool,
    /// The agents to which a member may hand over.
    transfers_in_team: Vec<Transfer>,
    hooks: Vec<Arc<dyn DynHook>>,
    observers: Vec<ObserverRef>,
    /// Whether spans have what is said.
    records_content: bool,
}

/// How the tool calls of one turn run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolCallMode {
    /// All calls run concurrently.
    #[default]
    Parallel,
    /// One call runs at a time, in the order in which the model asks for them.
    Sequential,
}

/// Parameters of an agent that is used as a tool.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Assignment {
    /// What to do, with all that one has to know to do it.
    task: String,
}

impl ReActAutoma {
    /// Creates an agent without tools, which shows the model the whole conversation.
    pub fn new(model: impl ChatModel) -> Self {
        Self {
            name: Self::NAME.to_owned(),
            model: Arc::new(model),
            system: None,
            instructions: Vec::new(),
            tools: Toolbox::default(),
            tools_for: None,
            memory: Arc::new(FullHistory),
            limits: Limits::default(),
            tool_calls: ToolCallMode::default(),
            may_ask: false,
            settings: ChatRequest::default().prompt_cache(PromptCache::Short),
            prices: BTreeMap::new(),
            max_turn_output: MAX_TURN_OUTPUT,
            inputs: Vec::new(),
            answer: None,
            specs: OnceLock::new(),
            mailboxes: Arc::default(),
            files: None,
            file_urls: None,
            tools_fault: None,
            subturns: None,
            handoffs: Vec::new(),
            members: OnceLock::new(),
            is_member: false,
            transfers_in_team: Vec::new(),
            hooks: Vec::new(),
            observers: Vec::new(),
            records_content: false,
        }
    }

    /// Sets the agent's name, which is the name of its automa.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the system prompt. It is not part of the conversation, so it may differ from run to
    /// run.
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

    /// Sets the memory, which selects the messages that the model sees. Defaults to all of them.
    #[must_use]
    pub fn memory(mut self, memory: impl Memory) -> Self {
        self.memory = Arc::new(memory);
        self
    }

    /// Sets the limits after which the agent stops without an answer. Defaults to 25 turns.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the price of the tokens of a model, by the name of the model. It is used by the limit
    /// of the [cost](Limits::cost), which needs the price of the agent's own model. A model without
    /// a price counts at the highest of the prices.
    #[must_use]
    pub fn price(mut self, model: impl Into<String>, price: Price) -> Self {
        self.prices.insert(model.into(), price);
        self
    }

    /// Sets the maximum number of bytes that the tools of one turn give the model together (512 KiB
    /// by default). If they give more, the longest results are cut: the head and the tail are kept,
    /// with a note that says how much is missing. It applies beside the maximum of each tool.
    #[must_use]
    pub fn max_turn_output(mut self, bytes: usize) -> Self {
        self.max_turn_output = bytes;
        self
    }

    /// Declares an input of a run by name, for example the user who is speaking, which tools read
    /// with [`Context::input`](ddg_core::Context::input). Inputs that functions with `#[tool]` take
    /// as parameters marked `#[input]` need no declaration. Runs get an input as
    /// `args!(task, user = ..)`, and runs of an [`Agent`](crate::Agent) with
    /// [`input`](crate::AgentRun::input).
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

    /// Sets how the tool calls of one turn run. Defaults to concurrently.
    #[must_use]
    pub fn tool_calls(mut self, tool_calls: ToolCallMode) -> Self {
        self.tool_calls = tool_calls;
        self
    }

    /// Allows the model to ask the person a question instead of giving an answer. The run then ends
    /// with [`AgentEnd::ClarificationAsked`]. The next run with the same conversation answers the
    /// question. The model asks with an additional tool, `ask_the_person`.
    #[must_use]
    pub fn may_ask_back(mut self) -> Self {
        self.may_ask = true;
        self
    }

    /// Sets the type of the answer. Read it with [`AgentOutcome::answer`].
    ///
    /// The model gets the JSON schema of `T`. It gets the schema in words if there are tools, or if
    /// it [does not support schemas](crate::model::Capabilities::output_schema). The answer is the
    /// part of the reply that is a `T`; text around it is ignored. If no part is a `T`, the model
    /// is told what is wrong, up to a [number of times](Limits::tries). These attempts are not kept
    /// in the conversation.
    #[must_use]
    pub fn answer<T: JsonSchema + DeserializeOwned>(mut self) -> Self {
        self.answer = Some(Wanted::new::<T>().map(Arc::new));
        self
    }

    /// As [`answer`](Self::answer). The answer also has to pass `check`, and the model is told the
    /// error.
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
    /// Converts the agent into a tool of another agent. The other agent gives it a task in words,
    /// and reads its answer. Its usage counts as usage of the other agent, also if it
    /// [fails](AgentFailed). The failure is then the result of the call.
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
    /// If the agent cannot be built.
    pub fn into_tool(
        self,
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Result<AutomaTool, BuildError> {
        let (name, description) = (name.into(), description.into());
        let (agent, needs_files) = (self.clone(), self.tools.needs_files());
        let inputs = self.read_inputs();
        let shares_files = self.shares_files();
        let automa = self.build()?.into_graph();
        let tool = AutomaTool::new::<Assignment>(&name, &description, automa);
        let tool = tool.reading(inputs).output(|outcome: AgentOutcome| told(&outcome));
        let tool = tool.failure(|error| Some(told(&error.downcast_ref::<AgentFailed>()?.outcome)));
        Ok(match shares_files {
            false => tool,
            true => tool.rebuilt(needs_files, move |files| {
                agent.clone().files(files.clone()).into_tool(&name, &description)
            }),
        })
    }

    /// The inputs of a run that are read in it: by tools, agents among them, and child agents.
    pub(crate) fn read_inputs(&self) -> Vec<ToolInput> {
        let declared = self.inputs.iter().map(|name| ToolInput::of_any_type(name));
        // A child agent that never begins reads nothing.
        let of_children = self.subturns.iter().flat_map(|subturns| subturns.inputs());
        let of_children = of_children.map(ToolInput::of_any_type);
        let of_members = self.handoffs.iter().flat_map(Handoff::read_inputs);
        self.tools.inputs().cloned().chain(declared).chain(of_children).chain(of_members).collect()
    }

    /// Faults in the settings.
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(Err(why)) = &self.answer {
            faults.push(format!("the JSON schema of the answer is invalid: {why}"));
        }
        if self.may_ask && self.tools.contains(ASK_BACK) {
            faults.push(format!(
                "a tool is named `{ASK_BACK}`, with which the model asks back: rename it, or leave \
                 `may_ask_back` out"
            ));
        }
        if self.limits.cost.is_some() && !self.prices.contains_key(self.model.name()) {
            faults.push(format!(
                "the cost is limited, and there is no price for `{}`: give one with `price`",
                self.model.name()
            ));
        }
        faults.extend(self.subturns.iter().flat_map(|subturns| subturns.faults()));
        let faults = faults.into_iter().map(|what| Fault::Refused { what });
        faults.chain(handoff::faults_of(self)).chain(self.file_faults()).collect()
    }

    /// The agent with new mailboxes, and these mailboxes.
    pub(crate) fn with_mailboxes(mut self) -> (Self, Arc<Mailboxes>) {
        self.mailboxes = Arc::default();
        self.members = OnceLock::new();
        let mailboxes = Arc::clone(&self.mailboxes);
        (self, mailboxes)
    }
}

/// The text, files and usage of a run that another agent gets.
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
        this.read_inputs().iter().for_each(|input| graph.declare_input(input.name()));
        this.tools.register_in(graph)?;
        this.declare_members(graph)?;
        ChildNode::register_in(graph)?;
        let agent = Arc::clone(this);
        graph.attach(move |run| agent.turn_of_run(run));
        let agent = Arc::clone(this);
        graph.attach(move |run| agent.scope_of_run(run));
        graph.declare_input(subturn::INPUT);
        // An agent limits its turns, also within an automa that limits its steps.
        graph.set_max_steps(u64::MAX);
        Self::workers(this, graph)
    }
}
