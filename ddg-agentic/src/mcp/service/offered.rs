//! What a service offers beside its tools, and what it says about these.

use std::collections::BTreeMap;
use std::sync::Arc;

use ddg_core::WorkerError;
use futures::future::BoxFuture;
use rmcp::model::Reference;

use super::template::Template;
use crate::mcp::completion::McpTyped;
use crate::mcp::prompt::McpPrompt;
use crate::mcp::resource::{McpData, McpResource};
use crate::message::Message;

/// What a tool does, as hints for clients (*annotations*): whether they ask their person before a
/// call, for example. What is not said is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct McpHints {
    pub(super) title: Option<String>,
    pub(super) read_only: Option<bool>,
    pub(super) destructive: Option<bool>,
    pub(super) idempotent: Option<bool>,
    pub(super) open_world: Option<bool>,
}

impl McpHints {
    /// No hints.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets whether the tool changes nothing.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = Some(read_only);
        self
    }

    /// Sets whether the tool may destroy something.
    #[must_use]
    pub fn destructive(mut self, destructive: bool) -> Self {
        self.destructive = Some(destructive);
        self
    }

    /// Sets whether a second call with the same arguments has no further effect.
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = Some(idempotent);
        self
    }

    /// Sets whether the tool reaches things outside of the program, such as the web.
    #[must_use]
    pub fn open_world(mut self, open_world: bool) -> Self {
        self.open_world = Some(open_world);
        self
    }
}

/// A resource with the function that reads it.
#[derive(Clone)]
pub(super) struct OfferedResource {
    pub(super) resource: McpResource,
    pub(super) read: Reads,
}

/// A prompt with the function that writes its messages.
#[derive(Clone)]
pub(super) struct OfferedPrompt {
    pub(super) prompt: McpPrompt,
    pub(super) write: Writes,
}

/// Resources with a template as their address, and the function that reads them.
#[derive(Clone)]
pub(super) struct OfferedTemplate {
    pub(super) resource: McpResource,
    pub(super) address: Template,
    pub(super) read: ReadsGiven,
}

/// The completion of an argument.
#[derive(Clone)]
pub(super) struct Completion {
    pub(super) of: Reference,
    pub(super) argument: String,
    pub(super) complete: Completes,
}

pub(super) type ReadsGiven = Arc<
    dyn Fn(BTreeMap<String, String>) -> BoxFuture<'static, Result<McpData, WorkerError>>
        + Send
        + Sync,
>;

pub(super) type Completes =
    Arc<dyn Fn(McpTyped) -> BoxFuture<'static, Result<Vec<String>, WorkerError>> + Send + Sync>;

pub(super) type Reads =
    Arc<dyn Fn() -> BoxFuture<'static, Result<McpData, WorkerError>> + Send + Sync>;

pub(super) type Writes = Arc<
    dyn Fn(BTreeMap<String, String>) -> BoxFuture<'static, Result<Vec<Message>, WorkerError>>
        + Send
        + Sync,
>;
