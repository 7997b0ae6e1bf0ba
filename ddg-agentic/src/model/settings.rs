//! Settings of requests, and their setters for requests and for types that make requests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The effort of reasoning before a reply, for models that support it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasoningEffort {
    /// No reasoning.
    Off,
    /// Minimal effort.
    Minimal,
    /// Low effort.
    Low,
    /// Medium effort.
    Medium,
    /// High effort.
    High,
    /// Maximum effort.
    Max,
    /// Reasoning with up to this number of tokens.
    Tokens(u32),
}

/// The priority of a request, for providers that support it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServiceTier {
    /// The provider decides.
    Auto,
    /// The standard tier.
    Default,
    /// A slower and cheaper tier.
    Flex,
    /// A faster and more expensive tier.
    Priority,
}

/// How long a provider caches the prompt, if caching must be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PromptCache {
    /// Not at all.
    Off,
    /// Some minutes.
    Short,
    /// An hour, say; dearer to begin with.
    Long,
}

/// Names with values that may be secret. `Debug` only shows the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraPairs(Vec<(String, String)>);

impl ExtraPairs {
    /// Adds a pair. Earlier pairs of the same name stay.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The pairs in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ExtraPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// The setters of a [`ChatRequest`](crate::model::ChatRequest), for a type that has one at `$at`.
macro_rules! request_settings {
    ($this:ident => $at:expr) => {
        /// Sets whether the model calls tools.
        #[must_use]
        pub fn tool_choice(mut self, choice: $crate::model::ToolChoice) -> Self {
            let $this = &mut self;
            $at.tool_choice = choice;
            self
        }

        /// Sets the temperature, from 0.
        #[must_use]
        pub fn temperature(mut self, temperature: f64) -> Self {
            let $this = &mut self;
            $at.temperature = Some(temperature);
            self
        }

        /// Sets the probability mass of the tokens from which the model samples, up to 1.
        #[must_use]
        pub fn top_p(mut self, top_p: f64) -> Self {
            let $this = &mut self;
            $at.top_p = Some(top_p);
            self
        }

        /// Sets the maximum number of tokens of the reply.
        #[must_use]
        pub fn max_output_tokens(mut self, tokens: u64) -> Self {
            let $this = &mut self;
            $at.max_output_tokens = Some(tokens);
            self
        }

        /// Sets texts that end the reply. They are not part of it.
        #[must_use]
        pub fn stop<S: Into<String>>(mut self, stop: impl IntoIterator<Item = S>) -> Self {
            let $this = &mut self;
            $at.stop = stop.into_iter().map(Into::into).collect();
            self
        }

        /// Sets the seed of the sampling, so that equal requests have equal replies as far as the
        /// provider supports it.
        #[must_use]
        pub fn seed(mut self, seed: u64) -> Self {
            let $this = &mut self;
            $at.seed = Some(seed);
            self
        }

        /// Sets whether the model may call several tools in one reply.
        #[must_use]
        pub fn parallel_tool_calls(mut self, parallel: bool) -> Self {
            let $this = &mut self;
            $at.parallel_tool_calls = Some(parallel);
            self
        }

        /// Sets the effort of reasoning before the reply.
        #[must_use]
        pub fn reasoning_effort(mut self, effort: $crate::model::ReasoningEffort) -> Self {
            let $this = &mut self;
            $at.reasoning_effort = Some(effort);
            self
        }

        /// Sets the service tier.
        #[must_use]
        pub fn service_tier(mut self, tier: $crate::model::ServiceTier) -> Self {
            let $this = &mut self;
            $at.service_tier = Some(tier);
            self
        }

        /// Sets how long the provider caches the prompt. Only Anthropic is asked; other providers
        /// cache prompts by themselves.
        #[must_use]
        pub fn prompt_cache(mut self, cache: $crate::model::PromptCache) -> Self {
            let $this = &mut self;
            $at.prompt_cache = Some(cache);
            self
        }

        /// Adds a field to the body of an HTTP request, or replaces the field of that name.
        #[must_use]
        pub fn extra_body(
            mut self,
            field: impl Into<String>,
            value: impl Into<serde_json::Value>,
        ) -> Self {
            let $this = &mut self;
            $at.extra_body.insert(field.into(), value.into());
            self
        }

        /// Adds a header to an HTTP request. Its value is in no `Debug` text, no
        /// error and no log.
        #[must_use]
        pub fn extra_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            let $this = &mut self;
            $at.extra_headers.push(name, value);
            self
        }

        /// Adds a query parameter to an HTTP request, such as Azure's `api-version`. Its
        /// value is in no `Debug` text and no error.
        #[must_use]
        pub fn extra_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            let $this = &mut self;
            $at.extra_query.push(name, value);
            self
        }
    };
}

pub(crate) use request_settings;
