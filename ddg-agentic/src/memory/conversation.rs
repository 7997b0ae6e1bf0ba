//! A conversation as it is kept.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::message::Message;

/// A conversation as it is kept: every message, and summaries that can stand for some of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// Every message, the first first.
    pub messages: Vec<Message>,
    /// What the person wants, if that has been found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// In the order of what they stand for; no message is in two of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summaries: Vec<Summary>,
}

/// What stands for some messages of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Which messages, by their places in the conversation.
    pub range: Range<usize>,
    /// What they say.
    pub text: String,
}
