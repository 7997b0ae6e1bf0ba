//! What holds in a conversation from run to run, beside its messages.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What holds in a conversation from run to run, beside its messages. Agents set it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Standing {
    /// The agent that the conversation was [handed over](crate::react::Handoff) to; `None` for the
    /// agent whose conversation it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<ActiveAgent>,
    /// What the person has answered [`Always`](crate::tool::Verdict::Always) to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub allowed: BTreeSet<String>,
}

/// The agent that a conversation was handed over to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActiveAgent {
    /// Its name.
    pub name: String,
    /// Index of the first message that it sees.
    #[serde(default)]
    pub from: usize,
}

impl Standing {
    /// Whether nothing holds.
    pub(crate) fn is_nothing(&self) -> bool {
        self == &Self::default()
    }
}

impl ActiveAgent {
    /// The agent `name`, which sees the messages from index `from` on.
    pub fn new(name: impl Into<String>, from: usize) -> Self {
        Self { name: name.into(), from }
    }
}
