//! Groups of messages, which are never split when a transcript is cut.

use std::ops::Range;

use crate::message::{Message, Messages};

/// The groups of a transcript, oldest first. Each message is in one group.
///
/// A model's tool calls are one group with all of their results, and with messages of people in
/// between. While results are missing and the model has not continued, the group is open and
/// contains everything that follows. Every other message is a group of its own; a result without a
/// call belongs to the group of the message before it.
pub(super) fn groups(messages: &Messages) -> Vec<Range<usize>> {
    within(messages, 0..messages.len())
}

/// The same groups, last one first. Only the messages that are looked at are read: a message of a
/// model always begins a group, so what is before it does not matter.
pub(super) fn from_last(messages: &Messages) -> impl Iterator<Item = Range<usize>> {
    let mut end = messages.len();
    let segments = std::iter::from_fn(move || {
        if end == 0 {
            return None;
        }
        let start = messages.range(..end).rposition(is_reply).unwrap_or(0);
        let segment = within(messages, start..end);
        end = start;
        Some(segment.into_iter().rev())
    });
    segments.flatten()
}

/// The groups of a part of a transcript that begins with a group.
fn within(messages: &Messages, part: Range<usize>) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut first = part.start;
    while first < part.end {
        let end = first + length(messages, first..part.end);
        groups.push(first..end);
        first = end;
    }
    groups
}

/// The length of the first group.
fn length(messages: &Messages, part: Range<usize>) -> usize {
    let later = part.start + 1..part.end;
    let n_calls = messages[part.start].tool_calls().len();
    if n_calls == 0 {
        return 1 + messages.range(later).take_while(|message| is_result(message)).count();
    }
    match messages.range(later.clone()).position(is_reply) {
        Some(until) => 1 + n_until_last_result(messages, later.start..later.start + until, 0),
        // The model has continued if there is a later part.
        None if part.end < messages.len() => 1 + n_until_last_result(messages, later, 0),
        None => 1 + n_until_last_result(messages, later, n_calls),
    }
}

/// Number of messages up to the last result; all of them, if fewer than `n_expected` results have
/// come.
fn n_until_last_result(messages: &Messages, part: Range<usize>, n_expected: usize) -> usize {
    let part = messages.range(part);
    if part.clone().filter(|message| is_result(message)).count() < n_expected {
        return part.len();
    }
    part.clone().rposition(is_result).map_or(0, |last| last + 1)
}

fn is_result(message: &Message) -> bool {
    matches!(message, Message::Tool(_))
}

fn is_reply(message: &Message) -> bool {
    matches!(message, Message::Assistant(_))
}
