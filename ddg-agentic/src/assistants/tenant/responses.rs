//! Calls of responses.

use super::Tenant;
use super::runs::check_choice;
use crate::assistants::fields::missing;
use crate::assistants::handle::StartedResponse;
use crate::assistants::id::new_id;
use crate::assistants::object::{
    AssistantTool, Attachment, ContentPart, Deleted, FileRef, ImageUrl, Item, ItemContent,
    ItemStatus, Page, Response, Role,
};
use crate::assistants::params::{InputItem, MessageParams, Paging, ResponseParams};
use crate::assistants::rule::{
    Changes, ItemRow, Kind, RunSettings, RunState, Surface, check_calls, item_of_message,
};
use crate::assistants::store::{NewRun, NewThread, RunRow};
use crate::assistants::tenant::messages::message_of;
use crate::assistants::{AssistantsError, EventStream, drive, sweep};

impl Tenant {
    /// Creates a response. It runs in the background.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if a run of the conversation is active.
    pub async fn create_response(
        &self,
        params: ResponseParams,
    ) -> Result<StartedResponse, AssistantsError> {
        let model = params.model.clone().filter(|model| !model.is_empty());
        let model = model.or_else(|| self.inner.default_model.clone());
        let model = model.ok_or_else(|| missing("model"))?;
        let before = self.before(&params).await?;
        if params.input.is_empty() && before.is_empty() {
            return Err(missing("input"));
        }
        let (id, now) = (new_id("resp"), self.inner.now());
        let thread = params.conversation.clone().unwrap_or_else(|| id.clone());
        let new = self.kinds(&params.input, &thread, Some(&id), now)?;
        let all = [before, new.clone()].concat();
        check_calls(&all, new.len())?;

        // Clients send tools that other servers have; those are left out.
        let there = self.inner.tools.now().await;
        let known = |tool: &AssistantTool| match tool {
            AssistantTool::Function(_) => true,
            AssistantTool::Server(name) => there.contains(name),
        };
        let tools = params.tools.iter().filter(|tool| known(tool)).cloned().collect();
        let settings = RunSettings::of_response(&params, model, tools);
        check_choice(&settings)?;
        let expires_at = now.saturating_add(self.run_expiry());
        let mut state = RunState::queued(&settings, id, thread, now, expires_at);
        let mut changes = Changes::default();
        state.created(&settings, None, &mut changes);
        let items: Vec<_> =
            new.into_iter().map(|kind| ItemRow { kind, visible: false, input: true }).collect();
        let run = NewRun {
            tenant: &self.name,
            settings: &settings,
            state: &state,
            changes: &changes,
            items: &items,
            thread: match params.conversation {
                Some(_) => NewThread::Existing,
                None => NewThread::Without,
            },
        };
        let inserted = self.inner.store.insert_run(run).await.map_err(|error| match error {
            AssistantsError::Busy { .. } => {
                let message = format!(
                    "Another process is currently operating on the conversation {}: its run is active.",
                    state.thread
                );
                AssistantsError::Busy { message }
            }
            error => error,
        })?;
        inserted.ok_or_else(|| AssistantsError::not_found("conversation", &state.thread))?;
        let events = EventStream::new(&self.inner, &state.id, 0);
        drive::spawn(&self.inner, &state.id);
        Ok(StartedResponse { response: state.response(&settings), events })
    }

    /// Waits until a response has ended.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn response_outcome(&self, id: &str) -> Result<Response, AssistantsError> {
        let row = self.run_row(id).await?;
        if row.settings.surface != Surface::Response {
            return Err(AssistantsError::not_found("response", id));
        }
        let row = drive::settled(&self.inner, id).await?;
        Ok(row.state.response(&row.settings))
    }

    /// A response.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn response(&self, id: &str) -> Result<Response, AssistantsError> {
        let row = self.response_row(id).await?;
        Ok(row.state.response(&row.settings))
    }

    /// The events of a response with a sequence number greater than `after`, or all of them.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn response_events(
        &self,
        id: &str,
        after: Option<u64>,
    ) -> Result<EventStream, AssistantsError> {
        self.response_row(id).await?;
        let from = after.map_or(0, |after| after.saturating_add(1));
        Ok(EventStream::new(&self.inner, id, from))
    }

    /// Cancels a response.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if the response has ended.
    pub async fn cancel_response(&self, id: &str) -> Result<Response, AssistantsError> {
        self.response_row(id).await?;
        drive::cancel(&self.inner, id).await?;
        // Unlike a run, a response is only cancelled or not.
        let row = drive::settled(&self.inner, id).await?;
        Ok(row.state.response(&row.settings))
    }

    /// Deletes a response. What its conversation shows of it stays there.
    ///
    /// # Errors
    /// As [above](Tenant#errors), and if the response has not ended.
    pub async fn delete_response(&self, id: &str) -> Result<Deleted, AssistantsError> {
        let row = self.response_row(id).await?;
        if !row.state.status.is_terminal() {
            let message = format!("Response {id} has not ended: cancel it before it is deleted.");
            return Err(AssistantsError::bad(message));
        }
        sweep::delete_run(&self.inner, id).await?;
        Ok(Deleted::new(id, "response.deleted"))
    }

    /// Lists the items that were sent with a response.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn list_input_items(
        &self,
        id: &str,
        paging: &Paging,
    ) -> Result<Page<Item>, AssistantsError> {
        self.response_row(id).await?;
        let (found, has_more) = self.inner.store.input_page(id, paging).await?;
        Ok(item_page(found, has_more))
    }

    /// A response that clients can read: one that is not kept is gone when it has ended.
    async fn response_row(&self, id: &str) -> Result<RunRow, AssistantsError> {
        let not_found = || AssistantsError::not_found("response", id);
        let row = self.run_row(id).await.map_err(|error| match error {
            AssistantsError::NotFound { .. } => not_found(),
            error => error,
        })?;
        let Some(own) = &row.settings.response else { return Err(not_found()) };
        if !own.store && row.state.status.is_terminal() {
            return Err(not_found());
        }
        Ok(row)
    }

    /// The items of the conversation before a request.
    async fn before(&self, params: &ResponseParams) -> Result<Vec<Kind>, AssistantsError> {
        if let Some(previous) = &params.previous_response_id {
            let row = self.response_row(previous).await.map_err(|error| match error {
                AssistantsError::NotFound { id, .. } => {
                    AssistantsError::not_found("previous response", &id)
                }
                error => error,
            })?;
            if !row.state.status.is_terminal() {
                let message = format!("Response {previous} has not ended.");
                return Err(AssistantsError::bad_param("previous_response_id", message));
            }
            return self.inner.store.items_up_to(previous).await;
        }
        match &params.conversation {
            Some(conversation) => {
                self.conversation(conversation).await?;
                self.inner.store.items(conversation).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// The rows of new items.
    pub(super) fn kinds(
        &self,
        input: &[InputItem],
        thread: &str,
        run: Option<&str>,
        now: i64,
    ) -> Result<Vec<Kind>, AssistantsError> {
        let status = ItemStatus::Completed;
        let kind = |item: &InputItem| {
            let item = match item.clone() {
                InputItem::Message { role, content } => {
                    return self.message_kind(role, content, thread, run, now);
                }
                InputItem::FunctionCall { call_id, name, arguments } => {
                    Item::FunctionCall { id: new_id("fc"), call_id, name, arguments, status }
                }
                InputItem::FunctionCallOutput { call_id, output } => {
                    Item::FunctionCallOutput { id: new_id("fco"), call_id, output, status }
                }
            };
            Ok(Kind::Call { item, turn: 0 })
        };
        input.iter().map(kind).collect()
    }

    fn message_kind(
        &self,
        role: Role,
        content: Vec<ItemContent>,
        thread: &str,
        run: Option<&str>,
        now: i64,
    ) -> Result<Kind, AssistantsError> {
        let mut message = MessageParams {
            role,
            content: Vec::new(),
            attachments: Vec::new(),
            metadata: Default::default(),
        };
        for part in content {
            match part {
                ItemContent::InputText { text } | ItemContent::OutputText { text, .. } => {
                    message.content.push(ContentPart::text(text));
                }
                ItemContent::InputImage { image_url: Some(url), detail, .. } => {
                    let image_url = ImageUrl { url, detail };
                    message.content.push(ContentPart::ImageUrl { image_url });
                }
                ItemContent::InputImage { file_id, detail, .. } => {
                    let image_file = FileRef { file_id: file_id.unwrap_or_default(), detail };
                    message.content.push(ContentPart::ImageFile { image_file });
                }
                ItemContent::InputFile { file_id, .. } => {
                    let file_id = file_id.unwrap_or_default();
                    message.attachments.push(Attachment { file_id, tools: Vec::new() });
                }
            }
        }
        let files = self.files();
        for (_, id) in message.files() {
            self.check_file(files.as_ref(), "input", id)?;
        }
        Ok(Kind::Message(message_of(message, thread, run, now)))
    }
}

/// A page of items.
pub(super) fn item_page(found: Vec<(String, Kind)>, has_more: bool) -> Page<Item> {
    Page::new(found.into_iter().map(|(id, kind)| (id, item_of(kind))).collect(), has_more)
}

/// An item as clients see it.
pub(super) fn item_of(kind: Kind) -> Item {
    match kind {
        Kind::Message(message) => item_of_message(&message),
        Kind::Call { item, .. } => item,
    }
}
