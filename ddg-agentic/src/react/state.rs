//! What an agent keeps from turn to turn.

use serde::{Deserialize, Serialize};

use super::files::RunFiles;
use super::{AgentEnd, AgentOutcome, Task};
use crate::files::{File, records};
use crate::memory::{Conversation, Summary};
use crate::message::{Message, ToolCall};
use crate::model::{ChatReply, Usage};
use crate::subturn::ChildSummary;
use crate::tool::CallFiles;

/// What an agent keeps from turn to turn, in the local space of `think`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) conversation: Conversation,
    pub(super) usage: Usage,
    pub(super) turns: u32,
    /// The calls of the last turn that nobody makes yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) open_calls: Vec<ToolCall>,
    /// How many calls of the last turn have been made.
    #[serde(default)]
    pub(super) n_called: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mailbox: Option<String>,
    #[serde(default, skip_serializing_if = "RunFiles::is_nothing")]
    pub(super) files: RunFiles,
    /// How many messages were there before the run.
    #[serde(default)]
    pub(super) n_before: usize,
    /// How many children have a worker that stands for them.
    #[serde(default)]
    pub(super) n_drawn: usize,
}

/// What `think` has not heard of yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct News {
    /// With which the run begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<Task>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) messages: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Summary>,
    pub(super) usage: Usage,
    /// The files of the calls whose results are in `messages`, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<CallFiles>,
    /// The files that the task names.
    #[serde(serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub(super) given: Vec<File>,
}

impl State {
    pub(super) fn hear(&mut self, news: News) {
        let News { task, messages, summary, usage, files, given } = news;
        if let Some(Task { conversation, messages, mailbox }) = task {
            let n_before = conversation.messages.len();
            let files = RunFiles::new(n_before, given);
            *self = Self { conversation, mailbox, files, n_before, ..Self::default() };
            self.conversation.messages.extend(messages);
        }
        self.conversation.messages.extend(messages);
        if let Some(summary) = summary
            && let Err(error) = self.conversation.apply(summary)
        {
            // A memory of the user's own gave it. The messages are all there without.
            tracing::warn!(%error, "a summary was left out");
        }
        self.usage += usage;
        self.files.take(files);
    }

    pub(super) fn say(&mut self, reply: &ChatReply) {
        // Providers refuse a message without words.
        if !reply.message.says_nothing() {
            self.conversation.messages.push(reply.message.clone().into());
        }
        self.usage += reply.usage;
        self.turns += 1;
        self.open_calls = reply.message.tool_calls.clone();
        self.n_called = 0;
    }

    pub(super) fn end(self, end: AgentEnd, children: Vec<ChildSummary>) -> AgentOutcome {
        let Self { conversation, usage, turns, files, .. } = self;
        AgentOutcome { end, conversation, usage, turns, files, children }
    }
}
