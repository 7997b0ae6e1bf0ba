//! What an agent keeps from turn to turn.

use serde::{Deserialize, Serialize};

use super::files::RunFiles;
use super::{AgentEnd, AgentOutcome, Task};
use crate::files::{File, records};
use crate::memory::{Conversation, Summary};
use crate::message::{AssistantMessage, Message, ToolCall};
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
    /// Which run of its conversation it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nth: Option<u64>,
    #[serde(default, skip_serializing_if = "RunFiles::is_nothing")]
    pub(super) files: RunFiles,
    /// Replies that were no answers, with what the model was told of them: no part of the conversation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tries: Vec<Message>,
    /// How many replies were no answers.
    #[serde(default)]
    pub(super) n_tries: u32,
    /// How many calls of tools there were in the run.
    #[serde(default)]
    pub(super) n_tool_calls: u32,
    /// How many turns before this one made the very calls of the last one.
    #[serde(default)]
    pub(super) n_repeats: u32,
    /// How many summaries have failed in the run.
    #[serde(default)]
    pub(super) n_failed_summaries: u32,
    /// From where the model is shown the conversation, if that was too long for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shown_from: Option<usize>,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) summary_failed: bool,
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
        let News { task, messages, summary, summary_failed, usage, files, given } = news;
        if let Some(Task { conversation, messages, mailbox, nth }) = task {
            let n_before = conversation.messages.len();
            let files = RunFiles::new(n_before, given);
            *self = Self { conversation, mailbox, nth, files, n_before, ..Self::default() };
            self.conversation.messages.extend(messages);
        }
        self.conversation.messages.extend(messages);
        if let Some(summary) = summary
            && let Err(error) = self.conversation.apply(summary)
        {
            // A memory of the user's own gave it. The messages are all there without.
            tracing::warn!(%error, "a summary was left out");
        }
        self.n_failed_summaries += u32::from(summary_failed);
        self.usage += usage;
        self.files.take(files);
    }

    /// Counts a reply.
    pub(super) fn count(&mut self, reply: &ChatReply) {
        self.usage += reply.usage;
        self.turns += 1;
        self.n_called = 0;
    }

    /// Keeps what the model says.
    pub(super) fn say(&mut self, message: &AssistantMessage) {
        self.tries.clear();
        // Providers refuse a message without words.
        if !message.says_nothing() {
            self.conversation.messages.push(message.clone().into());
        }
    }

    /// Takes the calls that the model asks for.
    pub(super) fn call(&mut self, calls: &[ToolCall]) {
        let before = self.conversation.messages.iter().rev().map(Message::tool_calls);
        let before = before.filter(|calls| !calls.is_empty()).nth(1).unwrap_or_default();
        let same = |(one, other): (&ToolCall, &ToolCall)| {
            one.name == other.name && one.arguments == other.arguments
        };
        let repeats = before.len() == calls.len() && before.iter().zip(calls).all(same);
        self.n_repeats = if repeats { self.n_repeats + 1 } else { 0 };
        self.n_tool_calls += calls.len() as u32;
        self.open_calls = calls.to_vec();
    }

    /// Keeps a reply that is no answer apart, with what the model is told of it.
    pub(super) fn try_again(&mut self, reply: &AssistantMessage, told: Message) {
        self.n_tries += 1;
        if !reply.says_nothing() {
            self.tries.push(reply.clone().into());
        }
        self.tries.push(told);
    }

    /// Has the model shown only the later half of what it was shown; says whether that is less.
    pub(super) fn show_less(&mut self) -> bool {
        let (from, n_messages) = (self.shown_from.unwrap_or(0), self.conversation.messages.len());
        let middle = from + (n_messages - from.min(n_messages)) / 2;
        let groups = self.conversation.groups();
        let starts = groups.iter().map(|group| group.start).filter(|start| *start > from);
        let next = starts.clone().find(|start| *start >= middle).or_else(|| starts.max());
        self.shown_from = next.or(self.shown_from);
        next.is_some()
    }

    /// The key of the worker of the next call. Questions are named after it; so it is another one in
    /// each run of a conversation, and no late click on an old question answers a new one.
    pub(super) fn next_key(&mut self, tool: &str) -> String {
        self.n_called += 1;
        let key = format!("tool_{tool}_{}_{}", self.turns, self.n_called);
        match self.nth {
            None | Some(0) => key,
            Some(nth) => format!("{key}_of_{nth}"),
        }
    }

    pub(super) fn end(self, end: AgentEnd, children: Vec<ChildSummary>) -> AgentOutcome {
        let Self { conversation, usage, turns, files, .. } = self;
        AgentOutcome { end, conversation, usage, turns, files, children }
    }
}
