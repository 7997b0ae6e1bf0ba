//! Calls of assistants.

use super::Tenant;
use crate::assistants::AssistantsError;
use crate::assistants::fields::missing;
use crate::assistants::id::new_id;
use crate::assistants::object::{Assistant, Deleted, Page};
use crate::assistants::params::{AssistantParams, Paging};
use crate::assistants::rule::MemoryRule;

impl Tenant {
    /// Creates an assistant.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn create_assistant(
        &self,
        params: AssistantParams,
    ) -> Result<Assistant, AssistantsError> {
        let model = params.model.clone().filter(|model| !model.is_empty());
        let mut assistant = Assistant {
            id: new_id("asst"),
            object: "assistant".to_owned(),
            created_at: self.inner.now(),
            name: None,
            description: None,
            model: model.ok_or_else(|| missing("model"))?,
            instructions: None,
            tools: Vec::new(),
            metadata: Default::default(),
            temperature: None,
            top_p: None,
            response_format: "auto".into(),
            reasoning_effort: None,
            tool_resources: None,
            extra_body: Default::default(),
        };
        self.check_tools(params.tools.as_deref().unwrap_or_default()).await?;
        self.apply(params, &mut assistant)?;
        self.inner.store.insert_assistant(&self.name, &assistant).await?;
        Ok(assistant)
    }

    /// An assistant.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn assistant(&self, id: &str) -> Result<Assistant, AssistantsError> {
        let found = self.inner.store.assistant(&self.name, id).await?;
        found.ok_or_else(|| AssistantsError::not_found("assistant", id))
    }

    /// Changes the fields of an assistant that are given.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn update_assistant(
        &self,
        id: &str,
        params: AssistantParams,
    ) -> Result<Assistant, AssistantsError> {
        self.check_tools(params.tools.as_deref().unwrap_or_default()).await?;
        let change = |assistant: &mut Assistant| self.apply(params, assistant);
        let changed = self.inner.store.change_assistant(&self.name, id, change).await?;
        changed.ok_or_else(|| AssistantsError::not_found("assistant", id))
    }

    /// Lists assistants.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn list_assistants(
        &self,
        paging: &Paging,
    ) -> Result<Page<Assistant>, AssistantsError> {
        self.inner.store.assistants(&self.name, paging).await
    }

    /// Deletes an assistant. Its runs continue.
    ///
    /// # Errors
    /// As [above](Tenant#errors).
    pub async fn delete_assistant(&self, id: &str) -> Result<Deleted, AssistantsError> {
        match self.inner.store.delete_assistant(&self.name, id).await? {
            true => Ok(Deleted::new(id, "assistant.deleted")),
            false => Err(AssistantsError::not_found("assistant", id)),
        }
    }

    fn apply(
        &self,
        params: AssistantParams,
        assistant: &mut Assistant,
    ) -> Result<(), AssistantsError> {
        let AssistantParams {
            model,
            name,
            description,
            instructions,
            tools,
            metadata,
            temperature,
            top_p,
            response_format,
            reasoning_effort,
            extra_body,
        } = params;
        if let Some(metadata) = &metadata {
            MemoryRule::of(metadata)?;
        }
        set(&mut assistant.model, model.filter(|model| !model.is_empty()));
        set(&mut assistant.name, name);
        set(&mut assistant.description, description);
        set(&mut assistant.instructions, instructions);
        set(&mut assistant.tools, tools);
        set(&mut assistant.metadata, metadata);
        set(&mut assistant.temperature, temperature);
        set(&mut assistant.top_p, top_p);
        set(&mut assistant.response_format, response_format);
        set(&mut assistant.reasoning_effort, reasoning_effort);
        set(&mut assistant.extra_body, extra_body);
        Ok(())
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
