//! What a child agent is given.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::Message;

/// A part of the task for a child agent: what it is to do, and with what.
///
/// What is not set is that of the agent that begins it. It is serde data without keys, so a run that is
/// gone on with in another process begins the same child again.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(default)]
    turns: Bound<u32>,
    #[serde(default)]
    timeout: Bound<Duration>,
    #[serde(default)]
    critical: bool,
    #[serde(default)]
    delivery: Delivery,
}

/// Which tools a child has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildTools {
    /// All that its parent has.
    #[default]
    Inherit,
    /// None.
    None,
    /// These of its parent's, by name; an empty list is [`Inherit`](Self::Inherit).
    These(Vec<String>),
}

/// Who gets the result of a spawned child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// Its parent.
    #[default]
    Parent,
    /// The user, through [`SubTurns::to_user`](super::SubTurns::to_user).
    User,
    /// Each of them, once.
    Both,
}

/// A bound of a child: the default, none, or this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound<T> {
    #[default]
    Default,
    Unlimited,
    At(T),
}

impl<T: Default + PartialEq + Copy> Bound<T> {
    /// Zero is the default, `None` is no bound.
    pub(super) fn of(bound: Option<T>) -> Self {
        match bound {
            None => Self::Unlimited,
            Some(bound) if bound == T::default() => Self::Default,
            Some(bound) => Self::At(bound),
        }
    }

    /// The bound, where `default` is the default.
    pub(super) fn or(self, default: Option<T>) -> Option<T> {
        match self {
            Self::Default => default,
            Self::Unlimited => None,
            Self::At(bound) => Some(bound),
        }
    }
}

impl SubTurn {
    /// A child that is given this task: its first user message.
    pub fn new(task: impl Into<Message>) -> Self {
        Self {
            task: task.into(),
            agent: None,
            model: None,
            tools: ChildTools::default(),
            max_output_tokens: None,
            temperature: None,
            turns: Bound::Default,
            timeout: Bound::Default,
            critical: false,
            delivery: Delivery::default(),
        }
    }

    /// Sets which agent it is, by a [registered](super::SubTurns::agent) name; its parent's kind unless
    /// this is set.
    #[must_use]
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.agent = Some(name.into());
        self
    }

    /// Sets its model, by a [known](super::SubTurns::model) name, or one that its parent's model can
    /// switch to.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Sets which of its parent's tools it has, by their names; all of them if there are none in the list.
    #[must_use]
    pub fn tools<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.tools = ChildTools::These(names.into_iter().map(Into::into).collect());
        self
    }

    /// Gives it no tools.
    #[must_use]
    pub fn without_tools(mut self) -> Self {
        self.tools = ChildTools::None;
        self
    }

    /// Sets how many tokens a reply of its model may have.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u64) -> Self {
        self.max_output_tokens = Some(tokens);
        self
    }

    /// Sets how far its model may stray, from 0.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets how often its model is asked; 0 is the default, `None` no limit.
    #[must_use]
    pub fn turns(mut self, turns: impl Into<Option<u32>>) -> Self {
        self.turns = Bound::of(turns.into());
        self
    }

    /// Sets how long it may take; zero is the default, `None` no limit. It is its own time, whatever its
    /// parent's is.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = Bound::of(timeout.into());
        self
    }

    /// Lets it go on when its parent's turn is over; one that is not critical then ends before its next
    /// step, with what it has.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Sets who gets its result.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// What it is to do.
    pub fn task(&self) -> &Message {
        &self.task
    }

    /// Whether it goes on when its parent's turn is over.
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

    pub(crate) fn output_tokens(&self) -> Option<u64> {
        self.max_output_tokens
    }

    pub(crate) fn straying(&self) -> Option<f64> {
        self.temperature
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
