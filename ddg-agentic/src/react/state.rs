//! The state of an agent between turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::{Context, Value};
use serde::{Deserialize, Serialize};

use super::files::RunFiles;
use super::{AgentEnd, AgentOutcome, Task};
use crate::files::{File, records};
use crate::memory::{Conversation, Summary};
use crate::message::{AssistantMessage, Chunk, Message, Messages, ToolCall};
use crate::model::{ChatReply, Usage};
use crate::subturn::ChildSummary;
use crate::tool::CallFiles;

/// The local value with the state of an agent, without the messages of its conversation. It is
/// written last, so that an execution that does not finish changes nothing.
const STATE: &str = "state";

/// The local value with the messages, as a list of parts. A stored run writes the parts that have
/// changed, which is the last one or two, however long the conversation is.
const MESSAGES: &str = "messages";

/// The state of an agent between turns, in the local space of `think`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) conversation: Conversation,
    pub(super) usage: Usage,
    pub(super) turns: u32,
    /// Calls of the last turn that no worker makes yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) open_calls: Vec<ToolCall>,
    /// The names of the tools that the last request offered, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) offered: Option<Vec<String>>,
    /// Number of calls of the last turn that have been made.
    #[serde(default)]
    pub(super) n_called: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mailbox: Option<String>,
    /// The number of the run in its conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nth: Option<u64>,
    #[serde(default, skip_serializing_if = "RunFiles::is_nothing")]
    pub(super) files: RunFiles,
    /// Replies that were not answers, each with what the model was told about it. They are not part
    /// of the conversation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tries: Vec<Message>,
    /// Number of replies that were not answers.
    #[serde(default)]
    pub(super) n_tries: u32,
    /// Number of tool calls in the run.
    #[serde(default)]
    pub(super) n_tool_calls: u32,
    /// Number of consecutive turns before this one with the same calls as the last turn.
    #[serde(default)]
    pub(super) n_repeats: u32,
    /// Number of failed summaries in the run.
    #[serde(default)]
    pub(super) n_failed_summaries: u32,
    /// The time that the run has taken, without the time in which it waited for a person.
    #[serde(default)]
    pub(super) worked: Duration,
    /// The usage of each model, including those of agents among the tools and of child agents.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) spent: BTreeMap<String, Usage>,
    /// Bytes that the tools of the last turn have given.
    #[serde(default)]
    pub(super) n_output_bytes: usize,
    /// Index of the first message that the model sees, if the conversation was too long for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shown_from: Option<usize>,
    /// Number of messages before the run.
    #[serde(default)]
    pub(super) n_before: usize,
    /// A reply that has not been handled, because a child has asked a person meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<Box<ChatReply>>,
    /// Index of the first message that the agent sees, if the conversation was handed over to it.
    #[serde(default)]
    pub(super) from: usize,
    /// Number of handoffs in the run.
    #[serde(default)]
    pub(super) n_handoffs: u32,
    /// Number of times that another agent of the team has begun.
    #[serde(default)]
    pub(super) n_begun: u32,
    /// Number of requests of other agents of the team.
    #[serde(default)]
    pub(super) n_turns_of_others: u32,
    /// The agent that has answered, if it is another one of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answered_by: Option<String>,
    /// Number of messages about which hooks have decided.
    #[serde(default)]
    pub(super) n_admitted: usize,
    /// The names of the tools that hooks have taken out of the last request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) withheld: Vec<String>,
    /// Whether hooks have let the answer in `held` pass.
    #[serde(default)]
    pub(super) is_passed: bool,
    /// Whether the pieces of the last reply have not been published.
    #[serde(default)]
    pub(super) is_held: bool,
    /// Number of children that have a worker in the graph.
    #[serde(default)]
    pub(super) n_drawn: usize,
}

/// Input of `think` that is not in the state yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct News {
    /// The task with which the run begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<Task>,
    /// The outcome of another agent of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handed: Option<Box<AgentOutcome>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) messages: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Summary>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) summary_failed: bool,
    pub(super) usage: Usage,
    /// The files of the calls whose results are in `messages`, in the same order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<CallFiles>,
    /// The files that the task names.
    #[serde(serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub(super) given: Vec<File>,
}

impl State {
    /// The state that the last turn has kept.
    pub(super) fn of_last_turn(cx: &Context) -> Self {
        let mut state: Self = cx.local().get(STATE).unwrap_or_default();
        let parts = cx.local().get::<Vec<Value>>(MESSAGES).unwrap_or_default();
        state.conversation.messages =
            Messages::of_parts(parts.iter().filter_map(|part| part.shared::<Chunk>().ok()));
        state
    }

    /// Keeps the state for the next turn.
    pub(super) fn keep(mut self, cx: &Context) {
        let messages = std::mem::take(&mut self.conversation.messages).without_front();
        let kept = cx.local().get::<Vec<Value>>(MESSAGES).unwrap_or_default();
        let is_kept = |value: &&Value, part: &Arc<Chunk>| {
            value.shared::<Chunk>().is_ok_and(|kept| Arc::ptr_eq(&kept, part))
        };
        // The value itself stays, because unchanged values are recognised by their address.
        let value = |(place, part): (usize, Arc<Chunk>)| {
            let same = kept.get(place).filter(|value| is_kept(value, &part));
            same.cloned().unwrap_or_else(|| Value::new(part))
        };
        let parts = messages.parts().enumerate().map(value).collect();
        cx.local().set(MESSAGES, Value::list(parts));
        cx.local().set(STATE, self);
    }

    pub(super) fn hear(&mut self, news: News) {
        let News { task, messages, summary, summary_failed, usage, files, given, handed: _ } = news;
        if let Some(Task { conversation, messages, mailbox, nth, from, n_admitted }) = task {
            let n_before = conversation.messages.len();
            let files = RunFiles::new(n_before, given);
            let n_admitted = n_admitted.unwrap_or(n_before);
            *self = Self {
                conversation,
                mailbox,
                nth,
                files,
                n_before,
                from,
                n_admitted,
                ..Self::default()
            };
            self.conversation.messages.extend(messages);
        }
        self.conversation.messages.extend(messages);
        if let Some(summary) = summary
            && let Err(error) = self.conversation.apply(summary)
        {
            // The summary of a user-defined memory can be invalid. All messages are still there
            // without it.
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
        self.n_output_bytes = 0;
        self.is_passed = false;
    }

    /// Appends the reply of the model.
    pub(super) fn say(&mut self, message: &AssistantMessage) {
        self.tries.clear();
        // Providers refuse a message without text.
        if !message.says_nothing() {
            self.conversation.messages.push(message.clone().into());
        }
    }

    /// Stores the calls that the model asks for.
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

    /// Stores a reply that is not an answer outside of the conversation, with what the model is
    /// told about it.
    pub(super) fn try_again(&mut self, reply: &AssistantMessage, told: Message) {
        self.n_tries += 1;
        if !reply.says_nothing() {
            self.tries.push(reply.clone().into());
        }
        self.tries.push(told);
    }

    /// Halves the part of the conversation that the model sees. Returns whether that was possible.
    pub(super) fn show_less(&mut self) -> bool {
        let (from, n_messages) = (self.shown_from.unwrap_or(0), self.conversation.messages.len());
        let middle = from + (n_messages - from.min(n_messages)) / 2;
        let groups = self.conversation.groups();
        let starts = groups.iter().map(|group| group.start).filter(|start| *start > from);
        let next = starts.clone().find(|start| *start >= middle).or_else(|| starts.max());
        self.shown_from = next.or(self.shown_from);
        next.is_some()
    }

    /// The key of the worker of the next call. Questions are named after the key, so it differs
    /// between the runs of a conversation: a late click on an old question must not answer a new
    /// one.
    pub(super) fn next_key(&mut self, tool: &str) -> String {
        self.n_called += 1;
        let key = format!("tool_{tool}_{}_{}", self.turns, self.n_called);
        match self.nth {
            None | Some(0) => key,
            Some(nth) => format!("{key}_of_{nth}"),
        }
    }

    pub(super) fn end(
        self,
        end: AgentEnd,
        agent: &str,
        children: Vec<ChildSummary>,
    ) -> AgentOutcome {
        let Self { conversation, usage, files, .. } = self;
        let turns = self.turns + self.n_turns_of_others;
        let agent = self.answered_by.unwrap_or_else(|| agent.to_owned());
        AgentOutcome { end, agent, conversation, usage, turns, files, children }
    }
}
