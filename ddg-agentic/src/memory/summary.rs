//! What stands for some messages of a conversation.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What stands for some messages of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Which messages, by their places in the conversation.
    pub range: Range<usize>,
    /// What they say.
    pub text: String,
    /// What the person wants, where that is seen from them. It becomes the conversation's when the
    /// summary is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
}

impl Summary {
    /// A summary that says nothing of a goal.
    pub fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into(), goal: None }
    }
}

/// Why a summary cannot stand in a conversation.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// It stands for no message, or for some that are not there.
    #[error(
        "a summary of messages {range:?} does not fit a conversation of {n_messages}: it has to \
         stand for at least one of them, and for no others"
    )]
    Range {
        /// Its messages.
        range: Range<usize>,
        /// How many the conversation has.
        n_messages: usize,
    },
    /// It stands for a part of a group.
    #[error(
        "a summary of messages {range:?} splits messages {group:?}, a model's calls of tools and \
         their results: summarise all of them or none"
    )]
    SplitsGroup {
        /// Its messages.
        range: Range<usize>,
        /// The group.
        group: Range<usize>,
    },
    /// It stands for a part of what another one stands for.
    #[error(
        "a summary of messages {range:?} covers a part of the summary of messages {other:?}: cover \
         all of it or none"
    )]
    Overlaps {
        /// Its messages.
        range: Range<usize>,
        /// Those of the other.
        other: Range<usize>,
    },
}

ddg_core::__report::debug_is_display!(SummaryError);
