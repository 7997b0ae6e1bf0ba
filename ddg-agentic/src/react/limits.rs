//! When an agent stops without an answer.

/// When an agent stops without an answer: it ends with
/// [`AgentEnd::StoppedByLimit`](crate::react::AgentEnd::StoppedByLimit), and the conversation can be gone
/// on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How often the model is asked in one run.
    pub turns: u32,
    /// After how many tokens, read and written, in one run the model is asked no more.
    pub tokens: Option<u64>,
    /// How often, after the first time, the model is asked for an answer that it has failed to give: an
    /// empty reply, or one that is not [what was asked for](crate::ReActAutoma::answer).
    pub tries: u32,
    /// After how many calls of tools in one run the model is asked no more.
    pub tool_calls: Option<u32>,
    /// How many turns in a row may make the very same calls.
    pub repeats: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { turns: 25, tokens: None, tries: 3, tool_calls: None, repeats: None }
    }
}

impl Limits {
    /// So many turns, at least one.
    pub fn turns(turns: u32) -> Self {
        Self { turns: turns.max(1), ..Self::default() }
    }

    /// Sets after how many tokens the model is asked no more.
    #[must_use]
    pub fn tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets how often, after the first time, the model is asked for an answer that it has failed to give;
    /// 3 times unless set.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// Sets after how many calls of tools the model is asked no more.
    #[must_use]
    pub fn tool_calls(mut self, calls: u32) -> Self {
        self.tool_calls = Some(calls);
        self
    }

    /// Sets how many turns in a row may make the very same calls: a model that goes round in circles is
    /// stopped, before it calls once more.
    #[must_use]
    pub fn repeats(mut self, turns: u32) -> Self {
        self.repeats = Some(turns);
        self
    }
}
