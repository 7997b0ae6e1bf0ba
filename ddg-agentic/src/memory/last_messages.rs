//! A window by number of messages.

use super::{Conversation, Memory, window};
use crate::message::{Message, Messages};

/// Shows the last messages. System messages are always shown.
///
/// [`Conversation::shown_from`] says what replaces the others; the replacement counts as well. The
/// last [group](Conversation::groups) is shown even if it is larger than the window.
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::memory::{Conversation, LastMessages, Memory};
///
/// let conversation = Conversation::new([
///     Message::system("You are brief."),
///     Message::user("One?"),
///     Message::assistant("1"),
///     Message::user("Two?"),
///     Message::assistant("2"),
/// ]);
/// let shown = LastMessages::new(2).window(&conversation);
/// let texts: Vec<_> = shown.iter().map(Message::text).collect();
/// assert_eq!(texts, ["You are brief.", "Two?", "2"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMessages {
    n_messages: usize,
}

impl LastMessages {
    /// Shows the last `n_messages`.
    pub fn new(n_messages: usize) -> Self {
        Self { n_messages }
    }
}

impl Memory for LastMessages {
    fn window(&self, conversation: &Conversation) -> Messages {
        let cost = |message: &Message| usize::from(!message.is_system());
        window::last_groups(conversation, 0, self.n_messages, cost)
    }
}
