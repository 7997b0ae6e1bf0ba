//! Groups of messages, which are never split when a transcript is cut.

use std::ops::Range;

use crate::message::Message;

/// The groups of a transcript, oldest first. Each message is in one group.
///
/// A model's tool calls are one group with all of their results, and with messages of people in
/// between. While results are missing and the model has not continued, the group is open and
/// contains everything that follows. Every other message is a group of its own; a result without a
/// call belongs to the group of the message before it.
pub(super) fn groups(messages: &[Message]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut first = 0;
    while first < messages.len() {
        let end = first + length(&messages[first..]);
        groups.push(first..end);
        first = end;
    }
    groups
}

/// The length of the first group.
fn length(messages: &[Message]) -> usize {
    let (first, later) = (&messages[0], &messages[1..]);
    let n_calls = first.tool_calls().len();
    if n_calls == 0 {
        return 1 + later.iter().take_while(|message| is_result(message)).count();
    }
    let is_reply = |message| matches!(message, &Message::Assistant(_));
    let Some(until) = later.iter().position(is_reply) else {
        return 1 + n_until_last_result(later, n_calls);
    };
    1 + n_until_last_result(&later[..until], 0)
}

/// Number of messages up to the last result; all of them, if fewer than `n_expected` results have
/// come.
fn n_until_last_result(messages: &[Message], n_expected: usize) -> usize {
    if messages.iter().filter(|message| is_result(message)).count() < n_expected {
        return messages.len();
    }
    messages.iter().rposition(is_result).map_or(0, |last| last + 1)
}

fn is_result(message: &Message) -> bool {
    matches!(message, Message::Tool(_))
}
