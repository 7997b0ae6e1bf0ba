//! Requests: what a client may ask for, checked.

mod assistant;
mod message;
mod paging;
mod response;
mod run;
mod settings;
mod thread;

pub use assistant::AssistantParams;
pub use message::MessageParams;
pub use paging::{Order, Paging};
pub use response::{ConversationParams, InputItem, ResponseParams};
pub use run::{RunParams, ToolOutputParams};
pub use thread::{ThreadCopy, ThreadParams};

pub(super) use response::input_items;
pub(super) use settings::named_choice;

use serde_json::Value as Json;

use super::AssistantsError;
use super::fields::Fields;
use super::object::Metadata;

/// Reads a request that only replaces metadata. `None` if the request has none.
///
/// # Errors
/// If the request has anything else, or the metadata are none.
pub fn metadata_of(body: Json) -> Result<Option<Metadata>, AssistantsError> {
    let mut fields = Fields::of(body)?;
    let metadata = fields.metadata()?;
    fields.finish()?;
    Ok(metadata)
}
