//! The configuration of a child agent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sampling::Sampling;
use crate::message::Message;

/// A task for a child agent, with settings for this child.
///
/// Settings that are not set are inherited from the agent that begins the child. The configuration
/// is serde data without keys, so a run that is continued in another process begins the same child
/// again.
///
/// ```
/// use std::time::Duration;
/// use ddg_agentic::subturn::SubTurn;
///
/// let child = SubTurn::new("Find out about tea.")
///     .model("small")
///     .tools(["search"])
///     .timeout(Duration::from_secs(60))
///     .critical();
/// assert_eq!(child.task().text(), "Find out about tea.");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubTurn {
    task: Message,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default)]
    tools: ChildTools,
    #[serde(default, skip_serializing_if = "Sampling::is_unset")]
    pub(super) sampling: Sampling,
    #[serde(default)]
    turns: Bound<u32>,
    #[serde(default)]
    timeout: Bound<Duration>,
    #[serde(default)]
    critical: bool,
    #[serde(default)]
    delivery: Delivery,
}

/// The tools of a child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildTools {
    /// All tools of its parent.
    #[default]
    Inherit,
    /// No tools.
    None,
    /// Tools of its parent, by name. An empty list is [`Inherit`](Self::Inherit).
    These(Vec<String>),
}

/// The recipient of a spawned child's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// The parent of the child.
    #[default]
    Parent,
    /// The user, through [`SubTurns::to_user`](super::SubTurns::to_user).
    User,
    /// Both the parent and the user.
    Both,
}

/// A bound of a child: default, unlimited, or a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound<T> {
    #[default]
    Default,
    Unlimited,
    At(T),
}

impl<T: Default + PartialEq + Copy> Bound<T> {
    /// Creates a bound. Zero is the default, and `None` is unlimited.
    pub(super) fn of(bound: Option<T>) -> Self {
        match bound {
            None => Self::Unlimited,
            Some(bound) if bound == T::default() => Self::Default,
            Some(bound) => Self::At(bound),
        }
    }

    /// The bound, with the value of the default; `None` if unlimited.
    pub(super) fn or(self, default: Option<T>) -> Option<T> {
        match self {
            Self::Default => default,
            Self::Unlimited => None,
            Self::At(bound) => Some(bound),
        }
    }
}

impl SubTurn {
    /// Creates a child with a task, which is its first user message.
    pub fn new(task: impl Into<Message>) -> Self {
        Self {
            task: task.into(),
            agent: None,
            model: None,
            tools: ChildTools::default(),
            sampling: Sampling::default(),
            turns: Bound::Default,
            timeout: Bound::Default,
            critical: false,
            delivery: Delivery::default(),
        }
    }

    /// Sets the agent, by a [registered](super::SubTurns::agent) name. Defaults to the agent of its
    /// parent.
    #[must_use]
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.agent = Some(name.into());
        self
    }

    /// Sets the model, by a [registered](super::SubTurns::model) name, or by a name that its
    /// parent's model can switch to. Defaults to its parent's model, or to the model of a
    /// registered agent.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Sets the tools, by names of its parent's tools. An empty list selects all of them.
    #[must_use]
    pub fn tools<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.tools = ChildTools::These(names.into_iter().map(Into::into).collect());
        self
    }

    /// Removes all tools.
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.tools = ChildTools::None;
        self
    }

    /// Sets the maximum number of requests to its model. 0 is the default, and `None` is unlimited.
    #[must_use]
    pub fn turns(mut self, turns: impl Into<Option<u32>>) -> Self {
        self.turns = Bound::of(turns.into());
        self
    }

    /// Sets the timeout. Zero is the default, and `None` is no timeout. The timeout does not depend
    /// on the parent's.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = Bound::of(timeout.into());
        self
    }

    /// Lets the child continue after its parent's turn is over. A child that is not critical then
    /// ends before its next step, with its result so far.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Sets the recipient of its result. Defaults to the parent.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The task of the child.
    pub fn task(&self) -> &Message {
        &self.task
    }

    /// Whether the child continues after its parent's turn is over.
    pub fn is_critical(&self) -> bool {
        self.critical
    }

    pub(super) fn agent_name(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    pub(super) fn model_name(&self) -> Option<&str> {
        self.model.as_deref()
    }

    pub(super) fn which_tools(&self) -> &ChildTools {
        &self.tools
    }

    pub(super) fn turn_bound(&self) -> Bound<u32> {
        self.turns
    }

    pub(super) fn time_bound(&self) -> Bound<Duration> {
        self.timeout
    }

    pub(super) fn goes_to(&self) -> Delivery {
        self.delivery
    }
}
