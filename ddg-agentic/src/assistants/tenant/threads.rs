//! Calls of threads.

use super::Tenant;
use super::messages::message_of;
use crate::assistants::AssistantsError;
use crate::assistants::id::new_id;
use crate::assistants::object::{Deleted, Message, Metadata, Thread};
use crate::assistants::params::{ThreadCopy, ThreadParams};
use crate::assistants::rule::{ItemRow, Kind};

impl Tenant {
    /// Creates a thread, perhaps as a copy of another.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn create_thread(&self, params: ThreadParams) -> Result<Thread, AssistantsError> {
        let (thread, items) = self.new_thread("thread", params).await?;
        self.inner.store.insert_thread(&self.name, &thread, &items).await?;
        Ok(thread)
    }

    /// A thread, or a conversation as a thread.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn thread(&self, id: &str) -> Result<Thread, AssistantsError> {
        let found = self.inner.store.thread(&self.name, id).await?;
        found.ok_or_else(|| AssistantsError::not_found("thread", id))
    }

    /// Replaces the metadata of a thread. Without any, nothing changes.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn update_thread(
        &self,
        id: &str,
        metadata: Option<Metadata>,
    ) -> Result<Thread, AssistantsError> {
        let Some(metadata) = metadata else { return self.thread(id).await };
        let found = self.inner.store.set_thread_metadata(&self.name, id, metadata).await?;
        found.ok_or_else(|| AssistantsError::not_found("thread", id))
    }

    /// Deletes a thread with its messages, runs and events.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a run of the thread is active.
    pub async fn delete_thread(&self, id: &str) -> Result<Deleted, AssistantsError> {
        self.delete_with_runs(id).await?;
        Ok(Deleted::new(id, "thread.deleted"))
    }

    pub(super) async fn delete_with_runs(&self, id: &str) -> Result<(), AssistantsError> {
        let runs = self.inner.store.delete_thread(&self.name, id).await?;
        let runs = runs.ok_or_else(|| AssistantsError::not_found("thread", id))?;
        for run in runs {
            crate::assistants::sweep::delete_journal(&self.inner, &run).await?;
        }
        Ok(())
    }

    /// A thread that is not in the store yet, with its first items.
    pub(super) async fn new_thread(
        &self,
        prefix: &str,
        params: ThreadParams,
    ) -> Result<(Thread, Vec<ItemRow>), AssistantsError> {
        let ThreadParams { messages, metadata, copy } = params;
        self.check_files(&messages)?;
        let (id, now) = (new_id(prefix), self.inner.now());
        let mut first = match copy {
            Some(copy) => self.copied(copy, &id).await?,
            None => Vec::new(),
        };
        first.extend(messages.into_iter().map(|message| message_of(message, &id, None, now)));
        let items = first.into_iter().map(|message| ItemRow::visible(Kind::Message(message)));
        let object = "thread".to_owned();
        let thread = Thread { id, object, created_at: now, metadata, tool_resources: None };
        Ok((thread, items.collect()))
    }

    /// Copies of the messages of a thread, for the thread `to`.
    async fn copied(&self, copy: ThreadCopy, to: &str) -> Result<Vec<Message>, AssistantsError> {
        let ThreadCopy { thread_id, end_message_id } = copy;
        self.thread(&thread_id).await?;
        let mut messages = self.inner.store.messages(&thread_id).await?;
        if let Some(end) = end_message_id {
            let end_at = messages.iter().position(|message| message.id == end);
            let end_at = end_at.ok_or_else(|| AssistantsError::not_found("message", &end))?;
            messages.truncate(end_at + 1);
        }
        for message in &mut messages {
            message.id = new_id("msg");
            to.clone_into(&mut message.thread_id);
            message.run_id = None;
        }
        Ok(messages)
    }
}
