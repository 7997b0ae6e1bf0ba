//! Windows: a conversation without its beginning, as a model sees it.
//!
//! **Invariant.** A window consists of the system messages, a replacement for the omitted messages,
//! and the unchanged end of the conversation from the start of a group.

use super::Conversation;
use super::groups::groups;
use crate::message::{ContentPart, Message};

/// The replacement for the omitted messages.
enum Front<'a> {
    Nothing,
    /// The goal and summaries, as a message of the person.
    Note(String),
    /// The goal and summaries, at the start of the first message of the person.
    Joined(String),
    /// The last message of the person.
    Question(&'a Message),
}

/// Shows as many of the last groups as `most` allows by the cost of messages, but none before
/// `floor`. The last group is shown whatever it costs.
pub(super) fn last_groups(
    conversation: &Conversation,
    floor: usize,
    most: usize,
    cost: impl Fn(&Message) -> usize,
) -> Vec<Message> {
    let messages = &conversation.messages;
    let sum = |messages: &[Message], system: bool| -> usize {
        messages.iter().filter(|message| message.is_system() == system).map(&cost).sum()
    };
    let mut shown = sum(messages, true);
    let mut first = None;
    let said = groups(messages).into_iter().filter(|group| !silent(&messages[group.clone()]));
    for group in said.rev().take_while(|group| group.start >= floor) {
        shown += sum(&messages[group.clone()], false);
        if first.is_none() {
            first = Some(group.start);
        } else if shown > most {
            break;
        } else if shown + Front::of(conversation, group.start).cost(&cost) <= most {
            first = Some(group.start);
        }
    }
    shown_from(conversation, first.unwrap_or(messages.len()))
}

/// Shows the groups from message `first` on, which is the first of its group.
pub(super) fn shown_from(conversation: &Conversation, first: usize) -> Vec<Message> {
    let (before, rest) = conversation.messages.split_at(first);
    let system = before.iter().filter(|message| message.is_system()).cloned();
    let mut shown: Vec<_> = system.collect();
    match Front::of(conversation, first) {
        Front::Nothing => shown.extend_from_slice(rest),
        Front::Question(question) => {
            shown.push(question.clone());
            shown.extend_from_slice(rest);
        }
        Front::Note(note) => {
            shown.push(Message::user(note));
            shown.extend_from_slice(rest);
        }
        Front::Joined(note) => {
            shown.extend_from_slice(rest);
            let opening = shown.iter_mut().find_map(|message| match message {
                Message::User { content } => Some(content),
                _ => None,
            });
            if let Some(content) = opening {
                content.insert(0, ContentPart::Text { text: note });
            }
        }
    }
    shown
}

impl<'a> Front<'a> {
    fn of(conversation: &'a Conversation, first: usize) -> Self {
        let (before, rest) = conversation.messages.split_at(first);
        if silent(before) {
            return Self::Nothing;
        }
        let opening = rest.iter().find(|message| !message.is_system());
        match (note(conversation, first), opening) {
            (Some(note), Some(Message::User { .. })) => Self::Joined(note),
            (Some(note), _) => Self::Note(note),
            (None, Some(Message::User { .. })) => Self::Nothing,
            (None, _) => {
                let question =
                    before.iter().rfind(|message| matches!(message, Message::User { .. }));
                question.map_or(Self::Nothing, Self::Question)
            }
        }
    }

    fn cost(&self, cost: impl Fn(&Message) -> usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Note(note) => cost(&Message::user(note)),
            Self::Joined(note) => {
                cost(&Message::user(note)).saturating_sub(cost(&Message::user("")))
            }
            Self::Question(question) => cost(question),
        }
    }
}

/// Whether there is no message of a person, a model or a tool.
fn silent(messages: &[Message]) -> bool {
    messages.iter().all(Message::is_system)
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
