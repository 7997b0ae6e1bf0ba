//! The task of an agent's run.

use ddg_core::snapshot::Snapshot;
use ddg_core::{Value, WorkerError};
use serde::{Deserialize, Serialize};

use super::state::News;
use crate::memory::Conversation;
use crate::message::Message;

/// The task of an agent's run: the messages of a person, after an earlier conversation. Without new
/// messages, `Task::default().after(conversation)` continues a run that ended without an answer.
///
/// ```
/// use ddg_agentic::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = ScriptedModel::new().reply(ChatReply::text("Hello Ada.")).reply(ChatReply::text("Ada."));
/// let agent = ReActAutoma::new(model).build()?;
/// let first = agent.run(args!("I am Ada.")).await?;
/// let task = Task::new("What is my name?").after(first.conversation);
/// assert_eq!(agent.run(args!(task)).await?.conversation.messages.len(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Task {
    /// The earlier conversation.
    pub conversation: Conversation,
    /// The new messages.
    pub messages: Vec<Message>,
    /// The name of the mailbox with messages to the active run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mailbox: Option<String>,
    /// The number of the run in its conversation: the version of the conversation before the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nth: Option<u64>,
    /// Index of the first message that the agent sees.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) from: usize,
    /// Number of messages about which hooks have decided, if it is not that of the earlier ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n_admitted: Option<usize>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Task {
    /// Creates a task with one message, such as a text.
    pub fn new(message: impl Into<Message>) -> Self {
        Self { messages: vec![message.into()], ..Self::default() }
    }

    /// Creates a task with several messages.
    pub(crate) fn saying(messages: Vec<Message>) -> Self {
        Self { messages, ..Self::default() }
    }

    /// Sets the earlier conversation.
    #[must_use]
    pub fn after(mut self, conversation: Conversation) -> Self {
        self.conversation = conversation;
        self
    }

    /// Sets the name of the mailbox with messages to the active run.
    pub(crate) fn heard_from(mut self, mailbox: &str) -> Self {
        self.mailbox = Some(mailbox.to_owned());
        self
    }

    /// Sets the number of the run in its conversation.
    pub(crate) fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// The task of the agent's run in `snapshot`.
    pub(crate) fn of_run(snapshot: &Snapshot) -> Option<Self> {
        snapshot.output("begin")?.get::<News>().ok()?.task
    }

    /// Reads a task from the argument of a run.
    pub(super) fn of(argument: &Value) -> Result<Self, WorkerError> {
        let task = Self::read(argument)?;
        if task.messages.is_empty() && task.conversation.messages.is_empty() {
            return Err(WorkerError::msg(
                "the task is empty: give it a message, or a conversation",
            ));
        }
        Ok(task)
    }

    fn read(argument: &Value) -> Result<Self, WorkerError> {
        if let Some(messages) = Message::several(argument) {
            return Ok(Self { messages, ..Self::default() });
        }
        argument.get().map_err(|_| {
            WorkerError::msg(format!(
                "a task is a text, a `Message`, a list of messages or a `Task`; found `{}`",
                argument.type_name()
            ))
        })
    }
}
