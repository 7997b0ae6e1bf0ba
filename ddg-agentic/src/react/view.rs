//! Settings that are functions of the run: instructions, and the tools that the model may call.

use std::fmt;
use std::sync::Arc;

use ddg_core::values::TypeMismatch;
use ddg_core::{Context, Data, WorkerError};
use futures::future::BoxFuture;

use super::state::State;
use super::{AgentEnd, ReActAutoma};
use crate::memory::Conversation;
use crate::message::Message;
use crate::model::Usage;
use crate::subturn::TurnState;
use crate::tool::{ToolError, ToolSpec, Toolbox};

/// A run of an agent before a request to its model, as the functions for
/// [instructions](ReActAutoma::instructions) and [tools](ReActAutoma::tools_for) see it.
#[derive(Clone)]
pub struct RunView {
    cx: Context,
    conversation: Conversation,
    turns: u32,
    usage: Usage,
}

/// A setting that is a function of the run.
pub(super) type OfRun<T> =
    Arc<dyn Fn(RunView) -> BoxFuture<'static, Result<T, WorkerError>> + Send + Sync>;

/// What a request has beside the conversation.
pub(super) struct Offer {
    /// The system prompt and the instructions; empty if there are none.
    pub(super) system: String,
    /// The tools that the model may call.
    pub(super) specs: Arc<[ToolSpec]>,
    /// Their names, if they are not all tools of the turn.
    pub(super) names: Option<Vec<String>>,
}

impl RunView {
    /// The input `name` of the run, such as the user who is speaking; `None` if there is none.
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn input<T: Data>(&self, name: &str) -> Result<Option<T>, TypeMismatch> {
        self.cx.input(name)
    }

    /// The conversation so far, with the task of the run.
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Number of requests to the model in this run so far.
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// The usage of models in this run so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The context of the agent's worker that asks the model.
    pub fn context(&self) -> &Context {
        &self.cx
    }
}

impl ReActAutoma {
    /// Adds instructions that depend on the run. The function is called before each request to the
    /// model. Its text follows the [system prompt](Self::system) and instructions that were added
    /// before; an empty text adds nothing. An error ends the run.
    ///
    /// Texts that change from request to request cannot be cached by providers.
    ///
    /// ```
    /// use ddg_agentic::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let model = ScriptedModel::new().text("Hello Ada.").expects(|asked| {
    ///     assert_eq!(asked.messages[0].text(), "Be polite.\n\nYou speak with ada.");
    /// });
    /// let agent = ReActAutoma::new(model)
    ///     .system("Be polite.")
    ///     .declare_input("user")
    ///     .instructions(async |run| {
    ///         let user: Option<String> = run.input("user")?;
    ///         Ok(user.map(|user| format!("You speak with {user}.")).unwrap_or_default())
    ///     });
    /// agent.build()?.run(args!("Hello.", user = "ada")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn instructions<Fut>(mut self, of: impl Fn(RunView) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<String, WorkerError>> + Send + 'static,
    {
        self.instructions.push(Arc::new(move |run| Box::pin(of(run))));
        self
    }

    /// Selects the tools that the model may call, by name, as a function of the run. The function
    /// is called before each request to the model. A call of another tool is refused as one of a
    /// tool that does not exist. A name that no tool has is an error, which ends the run, as any
    /// other error of the function does.
    ///
    /// ```
    /// use ddg_agentic::prelude::*;
    ///
    /// /// Pays somebody.
    /// #[tool]
    /// async fn pay(to: String) -> String {
    ///     format!("paid {to}")
    /// }
    ///
    /// /// Looks at the account.
    /// #[tool]
    /// async fn look() -> u32 {
    ///     30
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let model = ScriptedModel::new().text("30 euros.").expects_tools(["look"]);
    /// let agent = ReActAutoma::new(model)
    ///     .tools(Toolbox::builder().with(pay::tool()).with(look::tool()).build()?)
    ///     .declare_input("may_pay")
    ///     .tools_for(async |run| {
    ///         let may_pay = run.input("may_pay")?.unwrap_or(false);
    ///         Ok(if may_pay { vec!["look", "pay"] } else { vec!["look"] })
    ///     });
    /// agent.build()?.run(args!("How much is there?", may_pay = false)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tools_for<Fut, Names>(
        mut self,
        of: impl Fn(RunView) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<Names, WorkerError>> + Send + 'static,
        Names: IntoIterator<Item: Into<String>>,
    {
        self.tools_for = Some(Arc::new(move |run| {
            let names = of(run);
            Box::pin(async move { Ok(names.await?.into_iter().map(Into::into).collect()) })
        }));
        self
    }

    /// What the next request has beside the conversation.
    pub(super) async fn offer(
        &self,
        state: &State,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<Offer, WorkerError> {
        let own = self.specs(turn);
        // A server must not get the name of a tool of the agent itself.
        let is_taken = |name: &str| own.iter().any(|spec| spec.name == name);
        let tools = turn.tools().now_beside(is_taken).await;
        let mut offer =
            Offer { system: self.system.clone().unwrap_or_default(), specs: own, names: None };
        if tools.has_sources() {
            offer.specs = offer.specs.iter().chain(tools.sourced_specs()).cloned().collect();
            offer.names = Some(tools.names().map(str::to_owned).collect());
        }
        if self.instructions.is_empty() && self.tools_for.is_none() {
            return Ok(offer);
        }
        let view = RunView {
            cx: cx.clone(),
            conversation: state.conversation.clone(),
            turns: state.turns,
            usage: state.usage,
        };
        for instructions in &self.instructions {
            let text = instructions(view.clone()).await?;
            if !text.is_empty() {
                let gap = if offer.system.is_empty() { "" } else { "\n\n" };
                offer.system += &format!("{gap}{text}");
            }
        }
        if let Some(tools_for) = &self.tools_for {
            let names = tools_for(view).await?;
            // A tool of a source may come and go.
            let unknown = names.iter().find(|name| !self.tools.may_have(name));
            if let Some(error) = unknown.and_then(|name| self.tools.unknown(name)) {
                return Err(error.into());
            }
            let is_offered =
                |spec: &&ToolSpec| names.contains(&spec.name) || !tools.contains(&spec.name);
            offer.specs = offer.specs.iter().filter(is_offered).cloned().collect();
            offer.names = Some(names);
        }
        Ok(offer)
    }
}

impl State {
    /// Answers the open calls of tools that were not offered with the last request.
    pub(super) fn refuse_calls(&mut self, tools: &Toolbox) {
        if self.offered.is_none() && self.withheld.is_empty() {
            return;
        }
        let mut offered = match &self.offered {
            Some(names) => names.clone(),
            None => tools.names().map(str::to_owned).collect(),
        };
        offered.retain(|name| tools.may_have(name) && !self.withheld.contains(name));
        for call in self.open_calls.extract_if(.., |call| !offered.contains(&call.name)) {
            let error = ToolError::unknown(&call.name, offered.clone());
            let told = Message::tool_error(&call, error.to_string());
            self.conversation.messages.push(told);
        }
    }
}

impl AgentEnd {
    /// The end of a run because of a function of the agent's settings.
    pub(super) fn of_setting(error: &WorkerError) -> Self {
        Self::Failed { error: error.to_string(), retryable: false }
    }
}

impl fmt::Debug for RunView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunView({} after {} turns)", self.cx.path(), self.turns)
    }
}
