//! Windows: a conversation without its beginning, as a model sees it.
//!
//! **Invariant.** A window consists of the system messages, a replacement for the omitted messages,
//! and the unchanged end of the conversation from the start of a group.

use super::Conversation;
use super::groups;
use crate::message::{ContentPart, Message, Messages};

/// The replacement for the omitted messages.
enum Front {
    Nothing,
    /// The goal and summaries, as a message of the person.
    Note(String),
    /// The goal and summaries, at the start of the first message of the person.
    Joined(String),
    /// The last message of the person.
    Question(usize),
}

/// Shows as many of the last groups as `most` allows by the cost of messages, but none before
/// `floor`. The last group is shown whatever it costs.
pub(super) fn last_groups(
    conversation: &Conversation,
    floor: usize,
    most: usize,
    cost: impl Fn(&Message) -> usize,
) -> Messages {
    let messages = &conversation.messages;
    let mut shown: usize = messages.systems(messages.len()).map(|(_, system)| cost(system)).sum();
    let mut first = None;
    let said = groups::from_last(messages).filter(|group| !silent(messages.range(group.clone())));
    for group in said.take_while(|group| group.start >= floor) {
        let said = messages.range(group.clone()).filter(|message| !message.is_system());
        shown += said.map(&cost).sum::<usize>();
        if first.is_none() {
            first = Some(group.start);
        } else if shown > most {
            break;
        } else if shown + Front::of(conversation, group.start).cost(messages, &cost) <= most {
            first = Some(group.start);
        }
    }
    shown_from(conversation, first.unwrap_or(messages.len()))
}

/// Shows the groups from message `first` on, which is the first of its group.
pub(super) fn shown_from(conversation: &Conversation, first: usize) -> Messages {
    let messages = &conversation.messages;
    let front = Front::of(conversation, first);
    if first == 0 && matches!(front, Front::Nothing) {
        return messages.clone();
    }
    let mut shown = Messages::new();
    for (system, _) in messages.systems(first) {
        shown.extend_shared(messages, system..system + 1);
    }
    match &front {
        Front::Nothing | Front::Joined(_) => {}
        Front::Question(question) => shown.extend_shared(messages, *question..*question + 1),
        Front::Note(note) => shown.push(Message::user(note)),
    }
    shown.extend_shared(messages, first..messages.len());
    if let Front::Joined(note) = front {
        let opening = shown.iter().position(|message| matches!(message, Message::User { .. }));
        if let Some(Message::User { content }) = opening.and_then(|place| shown.get_mut(place)) {
            content.insert(0, ContentPart::Text { text: note });
        }
    }
    shown
}

impl Front {
    fn of(conversation: &Conversation, first: usize) -> Self {
        let messages = &conversation.messages;
        if silent(messages.range(..first)) {
            return Self::Nothing;
        }
        let opening = messages.range(first..).find(|message| !message.is_system());
        match (note(conversation, first), opening) {
            (Some(note), Some(Message::User { .. })) => Self::Joined(note),
            (Some(note), _) => Self::Note(note),
            (None, Some(Message::User { .. })) => Self::Nothing,
            (None, _) => messages.last_of_person(first).map_or(Self::Nothing, Self::Question),
        }
    }

    fn cost(&self, messages: &Messages, cost: impl Fn(&Message) -> usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Note(note) => cost(&Message::user(note)),
            Self::Joined(note) => {
                cost(&Message::user(note)).saturating_sub(cost(&Message::user("")))
            }
            Self::Question(question) => cost(&messages[*question]),
        }
    }
}

/// Whether there is no message of a person, a model or a tool.
fn silent<'a>(mut messages: impl Iterator<Item = &'a Message>) -> bool {
    messages.all(Message::is_system)
}

/// The note about the messages before `first`; `None` if there is nothing to say.
fn note(conversation: &Conversation, first: usize) -> Option<String> {
    let cut = conversation.summaries.iter().filter(|summary| summary.range.start < first);
    let texts = cut.map(|summary| summary.text.clone()).filter(|text| !text.is_empty());
    let goal = conversation.goal.iter().map(|goal| format!("What is wanted: {goal}"));
    let parts: Vec<_> = goal.chain(texts).collect();
    (!parts.is_empty()).then(|| format!("{NOTE}\n\n{}", parts.join("\n\n")))
}

const NOTE: &str = "[What was said before, in short. It is a record, not a new request.]";
