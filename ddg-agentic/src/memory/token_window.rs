//! A window by number of tokens.

use super::{Conversation, CountTokens, Memory, window};
use crate::message::{Message, Messages};

/// Shows as many of the last messages as fit into a number of tokens, together with the system
/// messages, which are always shown.
///
/// [`Conversation::shown_from`] says what replaces the others; the replacement counts as well. The
/// last [group](Conversation::groups) is shown even if it is larger than the window. Descriptions
/// of tools do not count, and the reply of the model needs room as well, so leave some.
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
    /// Creates a window of at most `max_tokens`, counted by `counter`.
    pub fn new(max_tokens: usize, counter: C) -> Self {
        Self { max_tokens, counter }
    }
}

impl<C: CountTokens> Memory for TokenWindow<C> {
    fn window(&self, conversation: &Conversation) -> Messages {
        let cost = |message: &Message| self.counter.message(message);
        window::last_groups(conversation, 0, self.max_tokens, cost)
    }
}
