//! Calls of messages.

use super::Tenant;
use crate::assistants::AssistantsError;
use crate::assistants::id::new_id;
use crate::assistants::object::{Deleted, Message, MessageStatus, Metadata, Page};
use crate::assistants::params::{MessageParams, Paging};
use crate::assistants::rule::{ItemRow, Kind};

impl Tenant {
    /// Adds a message to a thread.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a run of the thread is active.
    pub async fn create_message(
        &self,
        thread: &str,
        params: MessageParams,
    ) -> Result<Message, AssistantsError> {
        self.check_files(std::slice::from_ref(&params))?;
        let message = message_of(params, thread, None, self.inner.now());
        let item = ItemRow::visible(Kind::Message(message.clone()));
        let added = self.inner.store.add_items(&self.name, thread, &[item]).await?;
        added.ok_or_else(|| AssistantsError::not_found("thread", thread))?;
        Ok(message)
    }

    /// A message of a thread.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn message(&self, thread: &str, id: &str) -> Result<Message, AssistantsError> {
        self.thread(thread).await?;
        match self.inner.store.item(thread, id).await? {
            Some(Kind::Message(message)) => Ok(message),
            Some(Kind::Call { .. }) | None => Err(AssistantsError::not_found("message", id)),
        }
    }

    /// Lists the messages of a thread, or of one run in it.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn list_messages(
        &self,
        thread: &str,
        run: Option<&str>,
        paging: &Paging,
    ) -> Result<Page<Message>, AssistantsError> {
        self.thread(thread).await?;
        self.inner.store.message_page(thread, run, paging).await
    }

    /// Replaces the metadata of a message. Without any, nothing changes.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn update_message(
        &self,
        thread: &str,
        id: &str,
        metadata: Option<Metadata>,
    ) -> Result<Message, AssistantsError> {
        let Some(metadata) = metadata else { return self.message(thread, id).await };
        self.thread(thread).await?;
        let found = self.inner.store.set_message_metadata(thread, id, metadata).await?;
        found.ok_or_else(|| AssistantsError::not_found("message", id))
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a run of the thread is active.
    pub async fn delete_message(&self, thread: &str, id: &str) -> Result<Deleted, AssistantsError> {
        self.thread(thread).await?;
        match self.inner.store.delete_item(&self.name, thread, id, true).await? {
            true => Ok(Deleted::new(id, "thread.message.deleted")),
            false => Err(AssistantsError::not_found("message", id)),
        }
    }
}

/// A message of a client.
pub(super) fn message_of(
    params: MessageParams,
    thread: &str,
    run: Option<&str>,
    now: i64,
) -> Message {
    let MessageParams { role, content, attachments, metadata } = params;
    Message {
        id: new_id("msg"),
        object: "thread.message".to_owned(),
        created_at: now,
        thread_id: thread.to_owned(),
        status: MessageStatus::Completed,
        incomplete_details: None,
        completed_at: Some(now),
        incomplete_at: None,
        role,
        content,
        assistant_id: None,
        run_id: run.map(str::to_owned),
        attachments,
        metadata,
    }
}
