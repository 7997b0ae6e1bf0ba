//! What an agent is told about its children.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::{Automa, GraphAutoma};

use super::ledger::Room;
use super::{ChildResult, SubTurnEvent};
use crate::model::ChatModel;
use crate::react::ReActAutoma;

/// What holds for the child agents of an agent: limits, models and agents by name, who hears of them.
///
/// It holds for all turns below the agent, whatever agents are there. A limit of zero is the default, `None`
/// is no limit.
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

/// Who is told something.
type Hear<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// What becomes of a result when as many wait for the parent as may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It is an orphan at once.
    #[default]
    Orphan,
    /// It waits until there is room, or the parent's turn is over.
    Wait,
}

/// An agent that can be named.
#[derive(Clone)]
pub(super) struct NamedAgent {
    pub(super) description: String,
    pub(super) model: String,
    pub(super) automa: Arc<GraphAutoma>,
}

impl SubTurns {
    /// How deep turns go, the root being at 0, unless this is set.
    pub const DEPTH: u32 = 3;
    /// How many children a turn has at a time, unless this is set.
    pub const SLOTS: usize = 5;
    /// How long it is waited until another child has ended, unless this is set.
    pub const SLOT_WAIT: Duration = Duration::from_secs(30);
    /// How long a child may take, unless this is set.
    pub const TIMEOUT: Duration = Duration::from_secs(300);
    /// How many of its messages a child's model is shown, unless this is set.
    pub const HISTORY: usize = 50;
    /// How many results may wait for a parent, unless this is set.
    pub const INBOX: usize = 16;

    /// The defaults.
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

    /// Sets how deep turns go: 3 unless this is set. The root is at depth 0; a turn at the deepest level
    /// has no children.
    #[must_use]
    pub fn depth(mut self, depth: impl Into<Option<u32>>) -> Self {
        self.depth = or_default(depth.into(), Self::DEPTH);
        self
    }

    /// Sets how many children a turn has at a time: 5 unless this is set.
    #[must_use]
    pub fn slots(mut self, slots: impl Into<Option<usize>>) -> Self {
        self.slots = or_default(slots.into(), Self::SLOTS);
        self
    }

    /// Sets how long it is waited until another child has ended: 30 s unless this is set.
    #[must_use]
    pub fn slot_wait(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.slot_wait = or_default(wait.into(), Self::SLOT_WAIT);
        self
    }

    /// Sets how long a child may take: 5 min unless this is set, or the [child's own
    /// time](super::SubTurn::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = or_default(timeout.into(), Self::TIMEOUT);
        self
    }

    /// Sets how many of its messages a child's model is shown: the last 50 unless this is set. They are cut
    /// where no result of a tool loses its call.
    #[must_use]
    pub fn history(mut self, messages: impl Into<Option<usize>>) -> Self {
        self.history = or_default(messages.into(), Self::HISTORY);
        self
    }

    /// Sets how many results may wait for a parent: 16 unless this is set.
    #[must_use]
    pub fn inbox(mut self, results: impl Into<Option<usize>>) -> Self {
        self.inbox = or_default(results.into(), Self::INBOX);
        self
    }

    /// Sets after how many tokens, read and written by all turns below a root together, no model is asked
    /// any more: each turn ends then with what it has. There is no limit unless this is set.
    #[must_use]
    pub fn tokens(mut self, tokens: impl Into<Option<u64>>) -> Self {
        self.tokens = tokens.into().filter(|tokens| *tokens > 0);
        self
    }

    /// Sets what becomes of a result when as many wait as may: an orphan unless this is set.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Lets a turn wait, before it finishes, until its spawned children have ended, and read what they gave.
    #[must_use]
    pub fn wait_for_results(mut self) -> Self {
        self.waits_for_results = true;
        self
    }

    /// Lets children be given a model by this name: a [`Fallback`](crate::model::Fallback) is a name with
    /// several candidates.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>, model: impl ChatModel) -> Self {
        self.models.insert(name.into(), Arc::new(model));
        self
    }

    /// Lets children be this agent, by a name; `description` says when to use it. What is wrong with the
    /// agent is an error when the agent that is given this is built.
    #[must_use]
    pub fn agent(
        mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        agent: ReActAutoma,
    ) -> Self {
        let (name, description) = (name.into(), description.into());
        let model = agent.model_name().to_owned();
        match agent.name(&name).build() {
            Ok(automa) => {
                let automa = Arc::new(automa.into_graph());
                self.agents.insert(name, NamedAgent { description, model, automa });
            }
            Err(error) => self.faults.push(format!("child agent `{name}`: {error}")),
        }
        self
    }

    /// Lets `hear` be told what happens to children, in order. It is called where it happens: give what takes
    /// time to a task of its own.
    #[must_use]
    pub fn on_event(mut self, hear: impl Fn(&SubTurnEvent) + Send + Sync + 'static) -> Self {
        self.listeners.push(Arc::new(hear));
        self
    }

    /// Gives results that are [for the user](super::Delivery) to `show`; called where a child ends.
    #[must_use]
    pub fn to_user(mut self, show: impl Fn(&ChildResult) + Send + Sync + 'static) -> Self {
        self.user = Some(Arc::new(show));
        self
    }

    /// What is wrong.
    pub(crate) fn faults(&self) -> impl Iterator<Item = String> {
        self.faults.iter().cloned()
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

/// Zero is the default, `None` no limit.
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
