//! Conversations with their summaries.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::summary::{Summary, SummaryError};
use super::{Standing, groups, window};
use crate::message::{Message, Messages};

/// A conversation: every message, and summaries that can replace some of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Conversation {
    /// Every message, oldest first.
    pub messages: Messages,
    /// The goal of the person, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// The summaries, in the order of the messages that they replace. No message is in two of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summaries: Vec<Summary>,
    /// What holds from run to run, beside the messages.
    #[serde(skip_serializing_if = "Standing::is_nothing")]
    pub standing: Standing,
}

impl Conversation {
    /// Creates a conversation without summaries.
    pub fn new<M: Into<Message>>(messages: impl IntoIterator<Item = M>) -> Self {
        let messages = messages.into_iter().map(Into::into).collect();
        Self { messages, ..Self::default() }
    }

    /// The groups of messages that are never split, oldest first. Each message is in one group.
    ///
    /// A model's tool calls are one group with all of their results, and with messages of people in
    /// between. Every other message is a group of its own.
    ///
    /// ```
    /// use ddg_agentic::Message;
    /// use ddg_agentic::memory::Conversation;
    /// use ddg_agentic::message::ToolCall;
    /// use serde_json::json;
    ///
    /// let call = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
    /// let conversation = Conversation::new([
    ///     Message::user("How is the weather in Tokyo?"),
    ///     Message::calls([call.clone()]),
    ///     Message::tool_result(&call, "sunny"),
    ///     Message::assistant("It is sunny."),
    /// ]);
    /// assert_eq!(conversation.groups(), [0..1, 1..3, 3..4]);
    /// ```
    pub fn groups(&self) -> Vec<Range<usize>> {
        groups::groups(&self.messages)
    }

    /// The messages that a model sees if the window begins with message `first`. For own memories.
    ///
    /// - If `first` is in a group, the whole group is shown.
    /// - System messages are always shown, those before `first` at the start.
    /// - The goal and the summaries of the omitted messages are shown in their place, at the start
    ///   of a message of the person.
    /// - If there is neither, the window never begins with a message of a model or a tool when a
    ///   person has said something before: the last such message is shown first.
    pub fn shown_from(&self, first: usize) -> Messages {
        let within = groups::from_last(&self.messages).find(|group| group.start <= first);
        let within = within.filter(|group| group.contains(&first));
        window::shown_from(self, within.map_or(self.messages.len(), |group| group.start))
    }

    /// Number of messages from the start that are summarised, or are system messages and need no
    /// summary.
    pub fn n_summarised(&self) -> usize {
        let past_system = |place: usize| {
            let later = self.messages.range(place..);
            place + later.take_while(|message| message.is_system()).count()
        };
        self.summaries.iter().fold(past_system(0), |n, summary| {
            let goes_on = summary.range.start <= n && summary.range.end <= self.messages.len();
            if goes_on { past_system(n.max(summary.range.end)) } else { n }
        })
    }

    /// Adds a summary, which replaces its messages and the summaries that it covers.
    ///
    /// The conversation may have grown since the summary was begun. A summary of the same messages
    /// replaces an earlier one.
    ///
    /// # Errors
    /// If the summary has no messages or messages that do not exist, splits a group, or covers a
    /// part of another summary. The conversation does not change then.
    pub fn apply(&mut self, summary: Summary) -> Result<(), SummaryError> {
        self.admits(&summary)?;
        let (range, goal) = (summary.range.clone(), summary.goal.clone());
        self.summaries.retain(|other| !covers(&range, &other.range));
        let place = self.summaries.partition_point(|other| other.range.start < range.start);
        self.summaries.insert(place, Summary { goal: None, ..summary });
        self.goal = goal.or(self.goal.take());
        Ok(())
    }

    /// Checks that the summaries are in order, and that each could be [applied](Self::apply) in its
    /// place.
    ///
    /// # Errors
    /// What is wrong with the first that could not.
    pub fn check(&self) -> Result<(), SummaryError> {
        if self.summaries.is_empty() {
            return Ok(());
        }
        let groups = self.groups();
        for (idx, Summary { range, .. }) in self.summaries.iter().enumerate() {
            self.fits(range, &groups)?;
            if let Some(Summary { range: other, .. }) = self.summaries[..idx].last()
                && range.start < other.end
            {
                let (range, other) = (range.clone(), other.clone());
                return Err(SummaryError::Overlaps { range, other });
            }
        }
        Ok(())
    }

    fn admits(&self, summary: &Summary) -> Result<(), SummaryError> {
        let range = &summary.range;
        self.fits(range, &self.groups())?;
        let splits = |other: &&Range<usize>| overlap(other, range) && !covers(range, other);
        match self.summaries.iter().map(|other| &other.range).find(splits) {
            Some(other) => {
                let (range, other) = (range.clone(), other.clone());
                Err(SummaryError::Overlaps { range, other })
            }
            None => Ok(()),
        }
    }

    fn fits(&self, range: &Range<usize>, groups: &[Range<usize>]) -> Result<(), SummaryError> {
        let (range, n_messages) = (range.clone(), self.messages.len());
        if range.is_empty() || range.end > n_messages {
            return Err(SummaryError::Range { range, n_messages });
        }
        let splits = |group: &&Range<usize>| overlap(group, &range) && !covers(&range, group);
        match groups.iter().find(splits) {
            Some(group) => Err(SummaryError::SplitsGroup { group: group.clone(), range }),
            None => Ok(()),
        }
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
