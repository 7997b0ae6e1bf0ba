//! A window by tokens.

use super::{Conversation, CountTokens, Memory, window};
use crate::message::Message;

/// Shows as many of the last messages as have at most so many tokens together with the system's,
/// which are always shown.
///
/// [`Conversation::shown_from`] says what stands for the others; it counts, too. The last
/// [group](Conversation::groups) is shown even if it is larger than the window. What a model is told
/// of tools does not count, and its reply needs room as well: leave some.
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::memory::{Conversation, EstimatedTokens, Memory, TokenWindow};
///
/// let conversation = Conversation::new([
///     Message::user("a ".repeat(4_000)),
///     Message::assistant("A long list."),
///     Message::user("How long?"),
/// ]);
/// let shown = TokenWindow::new(1_000, EstimatedTokens).window(&conversation);
/// assert_eq!(shown, [Message::user("How long?")]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenWindow<C> {
    max_tokens: usize,
    counter: C,
}

impl<C: CountTokens> TokenWindow<C> {
    /// Shows at most `max_tokens`, as `counter` counts them.
    pub fn new(max_tokens: usize, counter: C) -> Self {
        Self { max_tokens, counter }
    }
}

impl<C: CountTokens> Memory for TokenWindow<C> {
    fn window(&self, conversation: &Conversation) -> Vec<Message> {
        let cost = |message: &Message| self.counter.message(message);
        window::last_groups(conversation, 0, self.max_tokens, cost)
    }
}
