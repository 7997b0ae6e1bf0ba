//! Calls of conversations and their items.

use serde_json::Value as Json;

use super::Tenant;
use super::responses::{item_of, item_page};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Conversation, Deleted, Item, Metadata, Page};
use crate::assistants::params::{ConversationParams, InputItem, Paging, ThreadParams, input_items};
use crate::assistants::rule::{ItemRow, Kind};

impl Tenant {
    /// Creates a conversation.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn create_conversation(
        &self,
        params: ConversationParams,
    ) -> Result<Conversation, AssistantsError> {
        let ConversationParams { items, metadata } = params;
        let thread = ThreadParams { metadata, ..ThreadParams::default() };
        let (thread, _) = self.new_thread("conv", thread).await?;
        let items = self.kinds(&items, &thread.id, None, thread.created_at)?;
        let items: Vec<_> = items.into_iter().map(ItemRow::visible).collect();
        self.inner.store.insert_thread(&self.name, &thread, &items).await?;
        Ok(thread.into())
    }

    /// A conversation, or a thread as a conversation.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn conversation(&self, id: &str) -> Result<Conversation, AssistantsError> {
        let found = self.inner.store.thread(&self.name, id).await?;
        found.map(Conversation::from).ok_or_else(|| AssistantsError::not_found("conversation", id))
    }

    /// Replaces the metadata of a conversation. Without any, nothing changes.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn update_conversation(
        &self,
        id: &str,
        metadata: Option<Metadata>,
    ) -> Result<Conversation, AssistantsError> {
        let Some(metadata) = metadata else { return self.conversation(id).await };
        let found = self.inner.store.set_thread_metadata(&self.name, id, metadata).await?;
        found.map(Conversation::from).ok_or_else(|| AssistantsError::not_found("conversation", id))
    }

    /// Deletes a conversation with its items, responses and events.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a response or run of the conversation is active.
    pub async fn delete_conversation(&self, id: &str) -> Result<Deleted, AssistantsError> {
        self.conversation(id).await?;
        self.delete_with_runs(id).await?;
        Ok(Deleted::new(id, "conversation.deleted"))
    }

    /// Reads a request that adds items to a conversation.
    ///
    /// # Errors
    /// If a parameter is wrong.
    pub fn read_items(body: Json) -> Result<Vec<InputItem>, AssistantsError> {
        input_items(body)
    }

    /// Adds items to a conversation; gives them as a page.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a response or run of the conversation is active.
    pub async fn create_items(
        &self,
        conversation: &str,
        items: &[InputItem],
    ) -> Result<Page<Item>, AssistantsError> {
        let kinds = self.kinds(items, conversation, None, self.inner.now())?;
        let rows: Vec<_> = kinds.iter().cloned().map(ItemRow::visible).collect();
        let added = self.inner.store.add_items(&self.name, conversation, &rows).await?;
        added.ok_or_else(|| AssistantsError::not_found("conversation", conversation))?;
        let found = kinds.into_iter().map(|kind| (kind.id().to_owned(), kind)).collect();
        Ok(item_page(found, false))
    }

    /// Lists the items of a conversation.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn list_items(
        &self,
        conversation: &str,
        paging: &Paging,
    ) -> Result<Page<Item>, AssistantsError> {
        self.conversation(conversation).await?;
        let (found, has_more) = self.inner.store.item_page(conversation, paging).await?;
        Ok(item_page(found, has_more))
    }

    /// An item of a conversation.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn item(&self, conversation: &str, id: &str) -> Result<Item, AssistantsError> {
        self.conversation(conversation).await?;
        let found: Option<Kind> = self.inner.store.item(conversation, id).await?;
        found.map(item_of).ok_or_else(|| AssistantsError::not_found("item", id))
    }

    /// Deletes an item of a conversation; gives the conversation.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a response or run of the conversation is active.
    pub async fn delete_item(
        &self,
        conversation: &str,
        id: &str,
    ) -> Result<Conversation, AssistantsError> {
        let found = self.conversation(conversation).await?;
        match self.inner.store.delete_item(&self.name, conversation, id, false).await? {
            true => Ok(found),
            false => Err(AssistantsError::not_found("item", id)),
        }
    }
}
