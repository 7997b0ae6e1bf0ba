//! Where a transcript can be cut: it falls into groups that are never split.

use std::ops::Range;

use crate::message::Message;

/// The groups of a transcript, the first first. Each message is in one of them.
///
/// A model's calls of tools are one group with all their results, and with what people say in
/// between. Every other message is a group of its own; a result without a call goes with the
/// message before it.
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
    let later = &messages[1..];
    let n_more = if messages[0].tool_calls().is_empty() {
        later.iter().take_while(|message| is_result(message)).count()
    } else {
        let is_reply = |message| matches!(message, &Message::Assistant(_));
        let until = later.iter().position(is_reply).unwrap_or(later.len());
        later[..until].iter().rposition(is_result).map_or(0, |last| last + 1)
    };
    1 + n_more
}

fn is_result(message: &Message) -> bool {
    matches!(message, Message::Tool(_))
}
