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
}

impl Default for Limits {
    fn default() -> Self {
        Self { turns: 25, tokens: None }
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
}
