//! Assistants, threads and runs; responses and conversations: on one durable store, without HTTP.
//!
//! An [`AssistantStore`] keeps all objects. [`Assistants::open`] makes them usable: it has the
//! models, the tools of the server and the agents, and drives runs. A [`Tenant`] sees its own
//! objects only, and has a method for each call of the API. Threads and runs are the objects of the
//! Assistants API; responses and conversations are another view of the same rows. The objects
//! serialise to what the official clients read.
//!
//! ```
//! use ddg_agentic::assistants::{
//!     AssistantParams, AssistantStore, Assistants, MessageParams, RunParams, RunStatus, ThreadParams,
//! };
//! use ddg_agentic::model::ScriptedModel;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let store = AssistantStore::open(folder.path().join("ddg.sqlite")).await?;
//! let model = ScriptedModel::new().text("It is sunny.");
//! let assistants = Assistants::open(store).model(model).await?;
//!
//! let ada = assistants.tenant("ada");
//! let assistant = ada.create_assistant(AssistantParams::new("scripted")).await?;
//! let thread = ada.create_thread(ThreadParams::default()).await?;
//! ada.create_message(&thread.id, MessageParams::user("How is the weather?")).await?;
//! let started = ada.create_run(&thread.id, RunParams::new(&assistant.id)).await?;
//!
//! let run = ada.run(&started.run.id).outcome().await?;
//! assert_eq!(run.status, RunStatus::Completed);
//! let messages = ada.list_messages(&thread.id, None, &Default::default()).await?;
//! assert_eq!(messages.data[0].text(), "It is sunny.");
//! # assistants.close().await;
//! # Ok(())
//! # }
//! ```

mod builder;
mod drive;
mod error;
mod event;
mod fields;
mod handle;
mod hub;
mod id;
mod object;
mod params;
mod request;
mod rule;
mod runner;
mod store;
mod stream;
mod sweep;
mod tenant;

use std::sync::Arc;

pub use builder::{AssistantsBuilder, Models};
pub use error::AssistantsError;
pub use event::{Event, EventContent};
pub use handle::{RunView, StartedResponse, StartedRun};
pub use object::{
    Assistant, AssistantTool, Attachment, ContentPart, Conversation, Deleted, FileRef,
    FunctionCall, FunctionSpec, ImageUrl, IncompleteDetails, Item, ItemContent, ItemStatus,
    LastError, Message, MessageStatus, Metadata, Page, RequiredAction, Response, ResponseStatus,
    ResponseUsage, Role, Run, RunStatus, RunStep, StepCall, StepDetails, StepStatus,
    SubmitToolOutputs, TextContent, Thread, TruncationStrategy, Usage,
};
pub use params::{
    AssistantParams, ConversationParams, InputItem, MessageParams, Order, Paging, ResponseParams,
    RunParams, ThreadCopy, ThreadParams, ToolOutputParams, metadata_of,
};
pub use store::AssistantStore;
pub use stream::EventStream;
pub use tenant::Tenant;

use builder::Inner;

/// Assistants, threads and runs on a store. A clone is the same.
///
/// While one is open, it drives its runs in the background, and takes up runs that a process left
/// behind.
#[derive(Clone, Debug)]
pub struct Assistants(Arc<Inner>);

impl Assistants {
    /// Sets up assistants on `store`. `.await` opens them.
    pub fn open(store: AssistantStore) -> AssistantsBuilder {
        AssistantsBuilder::new(store)
    }

    /// The objects of a tenant. The name is kept with the objects, so it must not be a secret such
    /// as a key.
    pub fn tenant(&self, name: impl Into<Arc<str>>) -> Tenant {
        Tenant::new(Arc::clone(&self.0), name.into())
    }

    /// The names of the agents, which can be named as a model.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.0.agents.keys().map(String::as_str)
    }

    /// Looks once for runs to drive: it takes up those that no process drives, ends those that have
    /// expired, and deletes what is not to be kept. This happens in the background all the time.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sweep(&self) -> Result<(), AssistantsError> {
        sweep::sweep(&self.0).await
    }

    /// Stops to drive runs: lets what is under way settle and be written for at most the time that
    /// was [set](AssistantsBuilder::grace). Runs continue when the store is opened again. Streams
    /// of events end.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
