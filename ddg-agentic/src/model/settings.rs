//! What can be set for a request, on the request itself and on who makes requests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a model is to think before it answers, where it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasoningEffort {
    /// Not at all.
    Off,
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as it can.
    Max,
    /// Up to so many tokens.
    Tokens(u32),
}

/// With which urgency a provider treats a request, where it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServiceTier {
    /// The provider chooses.
    Auto,
    /// The usual one.
    Default,
    /// Slower and cheaper.
    Flex,
    /// Faster and dearer.
    Priority,
}

/// Names with values that may be secret: `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraPairs(Vec<(String, String)>);

impl ExtraPairs {
    /// Adds a pair; one of the same name stays as well.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The pairs, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
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
        /// Sets whether tools are called.
        #[must_use]
        pub fn tool_choice(mut self, choice: $crate::model::ToolChoice) -> Self {
            let $this = &mut self;
            $at.tool_choice = choice;
            self
        }

        /// Sets how far the model may stray, from 0.
        #[must_use]
        pub fn temperature(mut self, temperature: f64) -> Self {
            let $this = &mut self;
            $at.temperature = Some(temperature);
            self
        }

        /// Sets from how many of the likeliest tokens the model chooses: from as many as have this
        /// probability together, up to 1.
        #[must_use]
        pub fn top_p(mut self, top_p: f64) -> Self {
            let $this = &mut self;
            $at.top_p = Some(top_p);
            self
        }

        /// Sets how many tokens a reply may have.
        #[must_use]
        pub fn max_output_tokens(mut self, tokens: u64) -> Self {
            let $this = &mut self;
            $at.max_output_tokens = Some(tokens);
            self
        }

        /// Sets texts at which the model stops; they are not in the reply.
        #[must_use]
        pub fn stop<S: Into<String>>(mut self, stop: impl IntoIterator<Item = S>) -> Self {
            let $this = &mut self;
            $at.stop = stop.into_iter().map(Into::into).collect();
            self
        }

        /// Sets from where the model draws its choices, so that the same request has the same reply, as
        /// far as the provider can.
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

        /// Sets how much the model thinks before it answers.
        #[must_use]
        pub fn reasoning_effort(mut self, effort: $crate::model::ReasoningEffort) -> Self {
            let $this = &mut self;
            $at.reasoning_effort = Some(effort);
            self
        }

        /// Sets with which urgency the provider treats a request.
        #[must_use]
        pub fn service_tier(mut self, tier: $crate::model::ServiceTier) -> Self {
            let $this = &mut self;
            $at.service_tier = Some(tier);
            self
        }

        /// Adds a field to the body of a request over HTTP, in place of the one of that name.
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

        /// Adds a header to a request over HTTP. Its value is in no `Debug` text and no log.
        #[must_use]
        pub fn extra_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            let $this = &mut self;
            $at.extra_headers.push(name, value);
            self
        }

        /// Adds a parameter to the query of a request over HTTP, as Azure's `api-version`.
        #[must_use]
        pub fn extra_query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            let $this = &mut self;
            $at.extra_query.push(name, value);
            self
        }
    };
}

pub(crate) use request_settings;
