//! Settings of the model of one child.

use serde::{Deserialize, Serialize};

use super::SubTurn;
use crate::model::{ChatRequest, PromptCache, ReasoningEffort, ServiceTier, ToolChoice};

/// Settings of the requests of one child, which override those of its agent. They are saved with
/// the run and published in events, so no setting that may contain a key is among them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sampling {
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<ReasoningEffort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<ServiceTier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache: Option<PromptCache>,
}

impl Sampling {
    pub(super) fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// Settings of the requests to the child's model. The defaults are the settings of the child's
/// agent.
impl SubTurn {
    /// Sets whether the model calls tools. A choice that requires a call applies until the model
    /// has called a tool.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.sampling.tool_choice = Some(choice);
        self
    }

    /// Sets the temperature, from 0.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.sampling.temperature = Some(temperature);
        self
    }

    /// Sets the probability mass of the tokens from which the model samples, up to 1.
    #[must_use]
    pub fn top_p(mut self, top_p: f64) -> Self {
        self.sampling.top_p = Some(top_p);
        self
    }

    /// Sets the maximum number of tokens of a reply. 0 is the setting of the child's agent.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u64) -> Self {
        self.sampling.max_output_tokens = (tokens > 0).then_some(tokens);
        self
    }

    /// Sets texts that end a reply. They are not part of it.
    #[must_use]
    pub fn stop<S: Into<String>>(mut self, stop: impl IntoIterator<Item = S>) -> Self {
        self.sampling.stop = Some(stop.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the seed of the sampling.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.sampling.seed = Some(seed);
        self
    }

    /// Sets whether the model may call several tools in one reply.
    #[must_use]
    pub fn parallel_tool_calls(mut self, parallel: bool) -> Self {
        self.sampling.parallel_tool_calls = Some(parallel);
        self
    }

    /// Sets the effort of reasoning before a reply.
    #[must_use]
    pub fn reasoning_effort(mut self, effort: ReasoningEffort) -> Self {
        self.sampling.reasoning_effort = Some(effort);
        self
    }

    /// Sets the service tier.
    #[must_use]
    pub fn service_tier(mut self, tier: ServiceTier) -> Self {
        self.sampling.service_tier = Some(tier);
        self
    }

    /// Sets how long the provider caches the prompt.
    #[must_use]
    pub fn prompt_cache(mut self, cache: PromptCache) -> Self {
        self.sampling.prompt_cache = Some(cache);
        self
    }

    /// Applies the settings to a request after this number of turns of the child.
    pub(crate) fn apply(&self, request: &mut ChatRequest, turns: u32) {
        let set = &self.sampling;
        // A required call would keep the model from answering.
        if let Some(choice) = &set.tool_choice
            && (turns == 0 || *choice == ToolChoice::None)
        {
            request.tool_choice = choice.clone();
        }
        request.temperature = set.temperature.or(request.temperature);
        request.top_p = set.top_p.or(request.top_p);
        request.max_output_tokens = set.max_output_tokens.or(request.max_output_tokens);
        if let Some(stop) = &set.stop {
            request.stop.clone_from(stop);
        }
        request.seed = set.seed.or(request.seed);
        request.parallel_tool_calls = set.parallel_tool_calls.or(request.parallel_tool_calls);
        request.reasoning_effort = set.reasoning_effort.or(request.reasoning_effort);
        request.service_tier = set.service_tier.or(request.service_tier);
        request.prompt_cache = set.prompt_cache.or(request.prompt_cache);
    }
}
