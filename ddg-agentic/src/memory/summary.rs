//! Summaries of messages.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A summary, which can replace some messages of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The indices of the messages in the conversation.
    pub range: Range<usize>,
    /// The text of the summary.
    pub text: String,
    /// The goal of the person, if the messages show it. It becomes that of the conversation when
    /// the summary is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
}

impl Summary {
    /// Creates a summary without a goal.
    pub fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into(), goal: None }
    }
}

/// A summary does not fit its conversation.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// The summary has no messages, or messages that do not exist.
    #[error(
        "a summary of messages {range:?} does not fit a conversation of {n_messages}: it must \
         cover at least one message, and only messages that exist"
    )]
    Range {
        /// The messages of the summary.
        range: Range<usize>,
        /// Number of messages of the conversation.
        n_messages: usize,
    },
    /// The summary splits a group.
    #[error(
        "a summary of messages {range:?} splits messages {group:?}, a model's calls of tools and \
         their results: summarise all of them or none"
    )]
    SplitsGroup {
        /// The messages of the summary.
        range: Range<usize>,
        /// The group.
        group: Range<usize>,
    },
    /// The summary covers a part of another one.
    #[error(
        "a summary of messages {range:?} covers a part of the summary of messages {other:?}: cover \
         all of it or none"
    )]
    Overlaps {
        /// The messages of the summary.
        range: Range<usize>,
        /// The messages of the other summary.
        other: Range<usize>,
    },
}

ddg_core::__report::debug_is_display!(SummaryError);
