//! Objects as clients see them, field by field.

mod assistant;
mod conversation;
mod item;
mod message;
mod page;
mod response;
mod run;
mod step;
mod thread;

use std::collections::BTreeMap;

pub use assistant::{Assistant, AssistantTool, FunctionSpec};
pub use conversation::Conversation;
pub use item::{Item, ItemContent, ItemStatus};
pub use message::{
    Attachment, ContentPart, FileRef, ImageUrl, IncompleteDetails, Message, MessageStatus, Role,
    TextContent,
};
pub use page::{Deleted, Page};
pub use response::{Response, ResponseStatus, ResponseUsage};
pub use run::{
    LastError, RequiredAction, Run, RunStatus, SubmitToolOutputs, TruncationStrategy, Usage,
};
pub use step::{FunctionCall, RunStep, StepCall, StepDetails, StepStatus};
pub use thread::Thread;

/// Up to 16 pairs of text that a client attaches to an object.
pub type Metadata = BTreeMap<String, String>;
