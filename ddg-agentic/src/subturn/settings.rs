//! Settings of an agent for its children.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::{Automa, GraphAutoma};

use super::ledger::Room;
use super::{ChildResult, SubTurnEvent};
use crate::model::ChatModel;
use crate::react::ReActAutoma;

/// Settings of an agent for its child agents: limits, named models and agents, and listeners.
///
/// The settings apply to all turns below the agent, including those of other agents. A limit of
/// zero is the default, and `None` is no limit.
///
/// ```
/// use ddg_agentic::prelude::*;
/// use ddg_agentic::subturn::SubTurns;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let children = SubTurns::new()
///     .depth(2)
///     .slots(3)
///     .model("small", OfflineModel::new())
///     .on_event(|event| println!("{event:?}"));
/// let agent = ReActAutoma::new(OfflineModel::new()).subturns(children).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SubTurns {
    pub(super) depth: Option<u32>,
    pub(super) slots: Option<usize>,
    pub(super) slot_wait: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    pub(super) history: Option<usize>,
    pub(super) inbox: Option<usize>,
    pub(super) tokens: Option<u64>,
    pub(super) when_full: WhenFull,
    pub(super) waits_for_results: bool,
    pub(super) models: BTreeMap<String, Arc<dyn ChatModel>>,
    pub(super) agents: BTreeMap<String, NamedAgent>,
    faults: Vec<String>,
    listeners: Vec<Hear<SubTurnEvent>>,
    user: Option<Hear<ChildResult>>,
}

/// A listener.
type Hear<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// What becomes of a result when the parent's inbox is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The result becomes an orphan at once.
    #[default]
    Orphan,
    /// The result waits until there is room, or until the parent's turn is over.
    Wait,
}

/// A named agent.
#[derive(Clone)]
pub(super) struct NamedAgent {
    pub(super) description: String,
    pub(super) model: String,
    pub(super) automa: Arc<GraphAutoma>,
    /// The names of the inputs of a run that it reads.
    inputs: Vec<String>,
}

impl SubTurns {
    /// Default maximum depth of turns. The root has depth 0.
    pub const DEPTH: u32 = 3;
    /// Default maximum number of concurrent children of a turn.
    pub const SLOTS: usize = 5;
    /// Default timeout of waiting for a slot.
    pub const SLOT_WAIT: Duration = Duration::from_secs(30);
    /// Default timeout of a child.
    pub const TIMEOUT: Duration = Duration::from_secs(300);
    /// Default maximum number of messages that a child's model sees.
    pub const HISTORY: usize = 50;
    /// Default capacity of an inbox, in results.
    pub const INBOX: usize = 16;

    /// Creates settings with the defaults.
    pub fn new() -> Self {
        Self {
            depth: Some(Self::DEPTH),
            slots: Some(Self::SLOTS),
            slot_wait: Some(Self::SLOT_WAIT),
            timeout: Some(Self::TIMEOUT),
            history: Some(Self::HISTORY),
            inbox: Some(Self::INBOX),
            tokens: None,
            when_full: WhenFull::default(),
            waits_for_results: false,
            models: BTreeMap::new(),
            agents: BTreeMap::new(),
            faults: Vec::new(),
            listeners: Vec::new(),
            user: None,
        }
    }

    /// Sets the maximum depth of turns. Defaults to 3. The root has depth 0, and turns at the
    /// maximum depth have no children.
    #[must_use]
    pub fn depth(mut self, depth: impl Into<Option<u32>>) -> Self {
        self.depth = or_default(depth.into(), Self::DEPTH);
        self
    }

    /// Sets the maximum number of concurrent children of a turn. Defaults to 5.
    #[must_use]
    pub fn slots(mut self, slots: impl Into<Option<usize>>) -> Self {
        self.slots = or_default(slots.into(), Self::SLOTS);
        self
    }

    /// Sets the timeout of waiting for a slot, which becomes free when another child ends. Defaults
    /// to 30 s.
    #[must_use]
    pub fn slot_wait(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.slot_wait = or_default(wait.into(), Self::SLOT_WAIT);
        self
    }

    /// Sets the timeout of children without a [timeout of their own](super::SubTurn::timeout).
    /// Defaults to 5 min.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = or_default(timeout.into(), Self::TIMEOUT);
        self
    }

    /// Sets the maximum number of messages that a child's model sees. Defaults to the last 50. A
    /// tool result is never separated from its call.
    #[must_use]
    pub fn history(mut self, messages: impl Into<Option<usize>>) -> Self {
        self.history = or_default(messages.into(), Self::HISTORY);
        self
    }

    /// Sets the maximum number of results in a parent's inbox. Defaults to 16.
    #[must_use]
    pub fn inbox(mut self, results: impl Into<Option<usize>>) -> Self {
        self.inbox = or_default(results.into(), Self::INBOX);
        self
    }

    /// Sets the number of input and output tokens of all turns below a root together, after which
    /// no model is asked again. Each turn then ends with its result so far. Defaults to no limit.
    #[must_use]
    pub fn tokens(mut self, tokens: impl Into<Option<u64>>) -> Self {
        self.tokens = tokens.into().filter(|tokens| *tokens > 0);
        self
    }

    /// Sets what becomes of a result when the inbox is full. Defaults to [`WhenFull::Orphan`].
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Makes a turn wait, before it finishes, until its spawned children have ended, and read their
    /// results.
    #[must_use]
    pub fn wait_for_results(mut self) -> Self {
        self.waits_for_results = true;
        self
    }

    /// Registers a model under a name, for children to use. A [`Fallback`](crate::model::Fallback)
    /// gives a name several candidates.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>, model: impl ChatModel) -> Self {
        self.models.insert(name.into(), Arc::new(model));
        self
    }

    /// Registers an agent under a name, for children to be. The `description` says when to use it.
    /// Faults of the agent are errors when the agent with these settings is built.
    #[must_use]
    pub fn agent(
        mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        agent: ReActAutoma,
    ) -> Self {
        let (name, description) = (name.into(), description.into());
        let model = agent.model_name().to_owned();
        let inputs = agent.read_inputs().iter().map(|input| input.name().to_owned()).collect();
        match agent.name(&name).build() {
            Ok(automa) => {
                let automa = Arc::new(automa.into_graph());
                self.agents.insert(name, NamedAgent { description, model, automa, inputs });
            }
            Err(error) => self.faults.push(format!("child agent `{name}`: {error}")),
        }
        self
    }

    /// Calls `hear` with the events of children, in order. It is called synchronously: spawn a task
    /// for work that takes time.
    #[must_use]
    pub fn on_event(mut self, hear: impl Fn(&SubTurnEvent) + Send + Sync + 'static) -> Self {
        self.listeners.push(Arc::new(hear));
        self
    }

    /// Calls `show` with results [for the user](super::Delivery), synchronously when a child ends.
    #[must_use]
    pub fn to_user(mut self, show: impl Fn(&ChildResult) + Send + Sync + 'static) -> Self {
        self.user = Some(Arc::new(show));
        self
    }

    /// Faults in the settings.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        self.faults.iter().cloned()
    }

    /// The names of the inputs of a run that the named agents read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.agents.values().flat_map(|agent| &agent.inputs).map(String::as_str)
    }

    /// The named agents, each with its description.
    pub(super) fn named_agents(&self) -> Vec<(String, String)> {
        let agents = self.agents.iter();
        agents.map(|(name, agent)| (name.clone(), agent.description.clone())).collect()
    }

    pub(super) fn room(&self) -> Room {
        Room { most: self.inbox, waits: self.when_full == WhenFull::Wait }
    }

    pub(super) fn tell(&self, event: &SubTurnEvent) {
        self.listeners.iter().for_each(|hear| hear(event));
    }

    pub(super) fn reaches_user(&self) -> bool {
        self.user.is_some()
    }

    pub(super) fn show_user(&self, result: &ChildResult) {
        if let Some(show) = &self.user {
            show(result);
        }
    }
}

impl Default for SubTurns {
    fn default() -> Self {
        Self::new()
    }
}

/// Applies a default to a limit: zero is the default, and `None` is no limit.
fn or_default<T: Default + PartialEq>(limit: Option<T>, default: T) -> Option<T> {
    limit.map(|limit| if limit == T::default() { default } else { limit })
}

impl fmt::Debug for SubTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubTurns")
            .field("depth", &self.depth)
            .field("slots", &self.slots)
            .field("models", &self.models.keys())
            .field("agents", &self.agents.keys())
            .finish_non_exhaustive()
    }
}
