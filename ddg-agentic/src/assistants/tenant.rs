//! A tenant: its own objects, with a method for each call of the API.

mod assistants;
mod conversations;
mod messages;
mod responses;
mod runs;
mod threads;

use std::fmt;
use std::sync::Arc;

use super::AssistantsError;
use super::builder::Inner;
use super::handle::RunView;
use super::object::AssistantTool;
use super::params::MessageParams;
use super::rule::Surface;
use super::store::RunRow;
use crate::files::FileManager;

/// The objects of one tenant. A clone is the same.
///
/// Objects of other tenants do not exist for it.
///
/// # Errors
/// Every method fails with [`AssistantsError::NotFound`] if an object does not exist, with
/// [`AssistantsError::BadRequest`] if a parameter is wrong, and if the store fails.
///
/// # Cancel safety
/// If a future is dropped before it is done, the call has either taken effect as a whole or not at
/// all. A run that was created continues.
#[derive(Clone)]
pub struct Tenant {
    inner: Arc<Inner>,
    name: Arc<str>,
}

impl Tenant {
    pub(super) fn new(inner: Arc<Inner>, name: Arc<str>) -> Self {
        Self { inner, name }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The run `id`, to read its events, wait for its end, submit outputs and cancel it.
    pub fn run(&self, id: &str) -> RunView {
        RunView::new(self.clone(), id)
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// The file manager, if there is one.
    fn files(&self) -> Option<FileManager> {
        self.inner.files.as_ref().and_then(|files| files(&self.name))
    }

    /// A run of this tenant, also a response.
    pub(super) async fn run_row(&self, id: &str) -> Result<RunRow, AssistantsError> {
        let row = self.inner.store.run(id).await?;
        let row = row.filter(|row| row.tenant == *self.name);
        row.ok_or_else(|| AssistantsError::not_found("run", id))
    }

    /// A run of a thread of this tenant.
    async fn run_of(&self, thread: &str, id: &str) -> Result<RunRow, AssistantsError> {
        let row = self.run_row(id).await?;
        if row.state.thread != thread || row.settings.surface != Surface::Thread {
            return Err(AssistantsError::not_found("run", id));
        }
        Ok(row)
    }

    /// Checks that the server has the tools that are named.
    async fn check_tools(&self, tools: &[AssistantTool]) -> Result<(), AssistantsError> {
        let there = self.inner.tools.now().await;
        for (n, tool) in tools.iter().enumerate() {
            if let AssistantTool::Server(name) = tool
                && !there.contains(name)
            {
                let known: Vec<_> = there.names().map(|name| format!("'{name}'")).collect();
                let known = match known.as_slice() {
                    [] => "it has no tools of its own".to_owned(),
                    known => format!("it has {}", known.join(", ")),
                };
                let message = format!("The server has no tool '{name}': {known}.");
                return Err(AssistantsError::bad_param(format!("tools[{n}].type"), message));
            }
        }
        Ok(())
    }

    /// Checks that the files that messages name are this tenant's.
    fn check_files(&self, messages: &[MessageParams]) -> Result<(), AssistantsError> {
        let mut named = messages.iter().flat_map(MessageParams::files).peekable();
        if named.peek().is_none() {
            return Ok(());
        }
        let files = self.files();
        for (param, id) in named {
            self.check_file(files.as_ref(), param, id)?;
        }
        Ok(())
    }

    fn check_file(
        &self,
        files: Option<&FileManager>,
        param: &str,
        id: &str,
    ) -> Result<(), AssistantsError> {
        match files.and_then(|files| files.try_look_up(id)) {
            Some(_) => Ok(()),
            None => {
                Err(AssistantsError::bad_param(param, format!("No file found with id '{id}'.")))
            }
        }
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({:?})", self.name)
    }
}
