//! What a transition of a run changes, as data: rows and events that are written together.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::assistants::id::Ids;
use crate::assistants::object::{Item, Message, RunStep};

/// The time and the source of ids of a transition.
pub(in crate::assistants) struct Moment<'a> {
    /// Seconds since 1970.
    pub(in crate::assistants) now: i64,
    pub(in crate::assistants) ids: &'a mut (dyn Ids + Send),
}

/// What a transition changes besides the state of the run.
#[derive(Debug, Default)]
pub(in crate::assistants) struct Changes {
    /// The events in order.
    pub(in crate::assistants) events: Vec<Recorded>,
    /// New or changed messages and items of the thread.
    pub(in crate::assistants) items: Vec<ItemRow>,
    /// New or changed steps.
    pub(in crate::assistants) steps: Vec<RunStep>,
    /// Whether the items of the run become part of its conversation.
    pub(in crate::assistants) publish: bool,
}

/// An event with its number.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::assistants) struct Recorded {
    pub(in crate::assistants) number: u64,
    pub(in crate::assistants) name: &'static str,
    pub(in crate::assistants) data: Json,
}

/// A row of a thread.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::assistants) struct ItemRow {
    pub(in crate::assistants) kind: Kind,
    /// Whether it is visible in the thread, and not only in its response.
    pub(in crate::assistants) visible: bool,
    /// Whether a client sent it.
    pub(in crate::assistants) input: bool,
}

/// A message or another item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::assistants) enum Kind {
    /// A message, which threads show, too.
    Message(Message),
    /// A call or its output, with the number of the model's reply.
    Call {
        /// The item.
        item: Item,
        /// The number of the reply, by which calls belong together.
        turn: u32,
    },
}

impl Kind {
    pub(in crate::assistants) fn id(&self) -> &str {
        match self {
            Self::Message(message) => &message.id,
            Self::Call { item, .. } => item.id(),
        }
    }

    /// Whether threads show it.
    pub(in crate::assistants) fn is_message(&self) -> bool {
        matches!(self, Self::Message(_))
    }
}

impl ItemRow {
    pub(in crate::assistants) fn visible(kind: Kind) -> Self {
        Self { kind, visible: true, input: false }
    }
}

#[cfg(test)]
pub(in crate::assistants) mod tests {
    use super::*;
    use crate::assistants::object::{ContentPart, MessageStatus, Metadata, Role};

    pub(in crate::assistants) fn message(role: Role, text: &str) -> Message {
        Message {
            id: format!("msg_{text}"),
            object: "thread.message".to_owned(),
            created_at: 0,
            thread_id: "thread_1".to_owned(),
            status: MessageStatus::Completed,
            incomplete_details: None,
            completed_at: None,
            incomplete_at: None,
            role,
            content: vec![ContentPart::text(text)],
            assistant_id: None,
            run_id: None,
            attachments: Vec::new(),
            metadata: Metadata::new(),
        }
    }

    /// Ids that count.
    #[derive(Default)]
    pub(in crate::assistants) struct Counted(u32);

    impl Ids for Counted {
        fn next(&mut self, prefix: &'static str) -> String {
            self.0 += 1;
            format!("{prefix}_{}", self.0)
        }
    }
}
