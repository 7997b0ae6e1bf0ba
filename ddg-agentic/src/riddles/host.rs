//! An agent without a management in its process.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;

use super::agent::{AgentContext, Decision, DynAgent, RiddleAgent};
use super::folder::SharedFolder;
use super::link::Envelope;
use super::message::AgentMessage;
use super::stage::{Capability, Stage};
use super::sub_riddle::RiddlePlatform;

/// What came of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Handled {
    /// The response is to be sent.
    Response(Box<AgentMessage>),
    /// The agent gives up on this message.
    Stopped,
    /// The agent sends its response later.
    Held,
}

/// An agent in a process of its own: it handles messages that come from a management elsewhere.
///
/// ```
/// use std::sync::Arc;
///
/// use ddg_agentic::riddles::{AgentHost, AgentMessage, Envelope, Handled, NoPlatform, SharedFolder,
/// agents};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let place = tempfile::tempdir()?;
/// let shared = SharedFolder::open(place.path())?;
/// let host = AgentHost::new("calculator", agents::Calculator, shared, Arc::new(NoPlatform));
/// let message = Envelope::new(1, "calculator", AgentMessage::new("6 * 7 ="));
/// let Handled::Response(response) = host.handle(&message).await? else { panic!("it answers") };
/// assert_eq!(response.solution[0].solution, "42");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AgentHost {
    name: Arc<str>,
    agent: Arc<dyn DynAgent>,
    capabilities: Arc<[Capability]>,
    shared: SharedFolder,
    persist: Option<PathBuf>,
    platform: Arc<dyn RiddlePlatform>,
}

impl AgentHost {
    /// An agent with its name. Its sub-riddles are posed by `platform`.
    pub fn new(
        name: impl Into<Arc<str>>,
        agent: impl RiddleAgent,
        shared: SharedFolder,
        platform: Arc<dyn RiddlePlatform>,
    ) -> Self {
        let capabilities = agent.capabilities().into();
        let (name, agent) = (name.into(), Arc::new(agent));
        Self { name, agent, capabilities, shared, persist: None, platform }
    }

    /// Sets the agent's own folder, which stays across restarts.
    #[must_use]
    pub fn persist(mut self, folder: impl Into<PathBuf>) -> Self {
        self.persist = Some(folder.into());
        self
    }

    /// The name of the agent.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the agent can do.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// Handles a message. The stage is the first for which the agent is fit: extraction if the
    /// message names an item, review if it has solutions, else a solution.
    ///
    /// # Errors
    /// In words, if the agent fails or panics.
    pub async fn handle(&self, envelope: &Envelope) -> Result<Handled, String> {
        let message = &envelope.message;
        let cx = AgentContext {
            agent: Arc::clone(&self.name),
            number: envelope.number,
            stage: stage_of(message),
            riddle: message.id.as_str().into(),
            trial: message.status.trial,
            item: message.item,
            shared: self.shared.clone(),
            persist: self.persist.clone(),
            platform: Arc::clone(&self.platform),
            n_sub_riddles: Arc::default(),
            decision: Arc::default(),
        };
        handle(&*self.agent, message, &cx).await
    }
}

impl fmt::Debug for AgentHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentHost")
            .field("name", &self.name)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

fn stage_of(message: &AgentMessage) -> Stage {
    match (message.item, message.solution.is_empty()) {
        (Some(_), _) => Stage::Extract,
        (None, true) => Stage::Solve,
        (None, false) => Stage::Gatekeeper,
    }
}

/// Has an agent handle a message. The error says in words why it failed.
pub(super) async fn handle(
    agent: &dyn DynAgent,
    message: &AgentMessage,
    cx: &AgentContext,
) -> Result<Handled, String> {
    let mut response = message.clone();
    let handled = AssertUnwindSafe(agent.answer(message, &mut response, cx));
    match handled.catch_unwind().await {
        Ok(Ok(Decision::Send)) => Ok(Handled::Response(Box::new(response))),
        Ok(Ok(Decision::Stop)) => Ok(Handled::Stopped),
        Ok(Ok(Decision::Hold)) => Ok(Handled::Held),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(format!("it panicked: {}", panicked(&*panic))),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
