//! Limits of an agent's run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::state::State;
use super::{AgentEnd, Limit};
use crate::model::{Cost, Price, Usage};

/// Limits after which an agent stops without an answer. The run then ends with
/// [`AgentEnd::StoppedByLimit`](crate::react::AgentEnd::StoppedByLimit), which names the limit and
/// what was reached, and the conversation can be continued.
///
/// ```
/// use std::time::Duration;
///
/// use ddg_agentic::model::{Price, Usage};
/// use ddg_agentic::prelude::*;
/// use ddg_agentic::react::Limit;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let expensive = ChatReply::calls([ToolCall::new("call_1", "look", serde_json::json!({}))])
///     .usage(Usage::new(100_000, 10_000));
/// let model = ScriptedModel::new().named("big").reply(expensive);
/// let limits = Limits::turns(10).cost(0.25).time(Duration::from_secs(120)).repeats(3);
/// let agent = ReActAutoma::new(model).limits(limits).price("big", Price::new(2.0, 10.0));
///
/// let error = agent.build()?.run(args!("Hello?")).await.unwrap_err();
/// let failed = error.downcast_ref::<AgentFailed>().ok_or("something else went wrong")?;
/// let AgentEnd::StoppedByLimit { limit, reached } = &failed.outcome.end else { panic!() };
/// assert_eq!((*limit, reached.as_str()), (Limit::Cost, "a cost of 0.3000, of 0.2500"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum number of turns, which are requests to the model, in one run.
    pub turns: u32,
    /// Number of input and output tokens in one run after which the model is not asked again.
    pub tokens: Option<u64>,
    /// Maximum number of retries after a reply that is not an answer: an empty reply, or a reply
    /// without the [requested type](crate::ReActAutoma::answer).
    pub tries: u32,
    /// Number of tool calls in one run after which the model is not asked again.
    pub tool_calls: Option<u32>,
    /// Maximum number of consecutive turns that repeat the same calls.
    pub repeats: Option<u32>,
    /// Cost of one run after which the model is not asked again, in the currency of the
    /// [prices](crate::ReActAutoma::price).
    pub cost: Option<f64>,
    /// Maximum time of one run.
    pub time: Option<Duration>,
    /// Maximum number of [handoffs](crate::react::Handoff) in one run.
    pub handoffs: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turns: 25,
            tokens: None,
            tries: 3,
            tool_calls: None,
            repeats: None,
            cost: None,
            time: None,
            handoffs: 10,
        }
    }
}

impl Limits {
    /// Limits the number of turns, to at least one.
    pub fn turns(turns: u32) -> Self {
        Self { turns: turns.max(1), ..Self::default() }
    }

    /// Sets the number of input and output tokens after which the model is not asked again.
    #[must_use]
    pub fn tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets the maximum number of retries after a reply that is not an answer. Defaults to 3.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// Sets the number of tool calls after which the model is not asked again.
    #[must_use]
    pub fn tool_calls(mut self, calls: u32) -> Self {
        self.tool_calls = Some(calls);
        self
    }

    /// Sets the maximum number of consecutive turns that repeat the same calls. A model that
    /// repeats itself is stopped before the next such call.
    #[must_use]
    pub fn repeats(mut self, turns: u32) -> Self {
        self.repeats = Some(turns);
        self
    }

    /// Sets the cost after which the model is not asked again, in the currency of the
    /// [prices](crate::ReActAutoma::price). The models of agents among the tools and of child
    /// agents count. The last request can exceed the limit.
    #[must_use]
    pub fn cost(mut self, cost: f64) -> Self {
        self.cost = Some(cost);
        self
    }

    /// Sets the maximum number of [handoffs](crate::react::Handoff) in one run. Defaults to 10. It
    /// applies to the agent that has the handoffs.
    #[must_use]
    pub fn handoffs(mut self, handoffs: u32) -> Self {
        self.handoffs = handoffs;
        self
    }

    /// Sets the maximum time of the run. A request to the model is cancelled when the time is up;
    /// tools that are running are awaited, up to their own timeouts. The time in which a run waits
    /// for a person does not count. Needs a tokio runtime with time.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// The end of a run that has reached a limit. `cost` is computed only if there is a limit of
    /// it.
    pub(super) fn reached(&self, state: &State, cost: impl FnOnce() -> Cost) -> Option<AgentEnd> {
        let stopped = |limit, reached| Some(AgentEnd::StoppedByLimit { limit, reached });
        if state.turns >= self.turns {
            return stopped(Limit::Turns, counted(state.turns, "turn"));
        }
        let tokens = state.usage.total();
        if self.tokens.is_some_and(|most| tokens >= most) {
            return stopped(Limit::Tokens, format!("{tokens} tokens"));
        }
        if self.tool_calls.is_some_and(|most| state.n_tool_calls >= most) {
            return stopped(Limit::ToolCalls, counted(state.n_tool_calls, "tool call"));
        }
        if let Some(most) = self.cost {
            let cost = cost();
            if cost.0 >= most {
                return stopped(Limit::Cost, format!("a cost of {cost}, of {}", Cost(most)));
            }
        }
        let most = self.time.filter(|most| state.worked >= *most)?;
        Some(Self::out_of_time(most))
    }

    /// The end of a run whose time is up.
    pub(super) fn out_of_time(most: Duration) -> AgentEnd {
        AgentEnd::StoppedByLimit { limit: Limit::Time, reached: format!("{most:?}") }
    }

    /// The end of a run whose last `n_turns` turns have the same calls.
    pub(super) fn repeated(n_turns: u32) -> AgentEnd {
        let reached = format!("{} with the same calls", counted(n_turns, "turn"));
        AgentEnd::StoppedByLimit { limit: Limit::Repeats, reached }
    }
}

/// What the usage of models costs. A model without a price counts at the highest of the prices, so
/// that a limit holds for models that nobody has thought of.
pub(super) fn cost_of(spent: &BTreeMap<String, Usage>, prices: &BTreeMap<String, Price>) -> Cost {
    let highest = prices.values().fold(Price::default(), |highest, price| {
        let cached = highest.cached_input.max(price.cached_input);
        let most = Price::new(highest.input.max(price.input), highest.output.max(price.output));
        most.cached_input(cached)
    });
    let cost = |(model, usage): (&String, &Usage)| *prices.get(model).unwrap_or(&highest) * *usage;
    spent.iter().map(cost).sum()
}

fn counted(n: u32, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
