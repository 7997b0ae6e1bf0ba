//! Limits of an agent's run.

/// Limits after which an agent stops without an answer. The run then ends with
/// [`AgentEnd::StoppedByLimit`](crate::react::AgentEnd::StoppedByLimit), and the conversation can
/// be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { turns: 25, tokens: None, tries: 3, tool_calls: None, repeats: None }
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
}
