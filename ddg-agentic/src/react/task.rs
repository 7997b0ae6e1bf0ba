//! What an agent is given to do.

use ddg_core::snapshot::Snapshot;
use ddg_core::{Value, WorkerError};
use serde::{Deserialize, Serialize};

use super::state::News;
use crate::memory::Conversation;
use crate::message::Message;

/// What an agent is given to do: what a person says, after what has been said before. With nothing
/// new to say, `Task::default().after(conversation)`, it goes on where a run has ended without an
/// answer.
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
    /// What has been said before.
    pub conversation: Conversation,
    /// What is said now.
    pub messages: Vec<Message>,
    /// Where the run finds what is said to it while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mailbox: Option<String>,
    /// Which run of its conversation it is: the version that the conversation had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nth: Option<u64>,
}

impl Task {
    /// One message, a text say.
    pub fn new(message: impl Into<Message>) -> Self {
        Self { messages: vec![message.into()], ..Self::default() }
    }

    /// Several messages.
    pub(crate) fn saying(messages: Vec<Message>) -> Self {
        Self { messages, ..Self::default() }
    }

    /// Sets what has been said before.
    #[must_use]
    pub fn after(mut self, conversation: Conversation) -> Self {
        self.conversation = conversation;
        self
    }

    /// Sets where the run finds what is said to it while it goes on.
    pub(crate) fn heard_from(mut self, mailbox: &str) -> Self {
        self.mailbox = Some(mailbox.to_owned());
        self
    }

    /// Sets which run of its conversation it is.
    pub(crate) fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// The task of the agent's run that `snapshot` is of.
    pub(crate) fn of_run(snapshot: &Snapshot) -> Option<Self> {
        snapshot.output("begin")?.get::<News>().ok()?.task
    }

    /// What the argument of a run stands for.
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
