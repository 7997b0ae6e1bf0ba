//! Handles requests of a client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ddg_core::WorkerError;
use futures::future::BoxFuture;
use rmcp::model::{
    ArgumentInfo, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams,
    CompleteResult, CompletionInfo, ContentBlock, ErrorData, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    Prompt, PromptArgument, PromptMessage, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, Reference, Resource, ResourceContents, ResourceTemplate, Role,
    ServerCapabilities, ServerConfig, SubscriptionFilter, Tool as Offered, ToolAnnotations,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value as Json;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::call::{Output, call};
use super::changes::Changes;
use super::offered::{Completion, McpHints, OfferedPrompt, OfferedResource};
use super::paused::Waiting;
use super::{McpService, block};
use crate::mcp::completion::{McpCompletion, McpTyped};
use crate::mcp::resource::{McpData, McpResource};
use crate::message::Message;
use crate::tool::{ToolSpec, Toolbox};

/// What a resource gives.
type Reading = BoxFuture<'static, Result<McpData, WorkerError>>;

/// Handles the requests of one client.
#[derive(Clone)]
pub(super) struct Handler {
    config: ServerConfig,
    service: Arc<McpService>,
    waiting: Waiting,
    changes: Changes,
    /// Held while changes are announced unasked, as clients of earlier protocols expect.
    telling: Arc<Mutex<Option<DropGuard>>>,
}

impl Handler {
    pub(super) fn new(service: &McpService) -> Self {
        let mut capabilities = ServerCapabilities::builder().enable_tools().build();
        if service.tools.has_sources()
            && let Some(tools) = &mut capabilities.tools
        {
            tools.list_changed = Some(true);
        }
        if !service.completions.is_empty() {
            capabilities.completions = Some(Default::default());
        }
        if !service.resources.is_empty() || !service.templates.is_empty() {
            capabilities.resources = Some(Default::default());
        }
        if !service.prompts.is_empty() {
            capabilities.prompts = Some(Default::default());
        }
        let this = Implementation::new(&service.name, &service.version);
        let mut config = ServerConfig::new(capabilities).with_server_info(this);
        config.instructions.clone_from(&service.instructions);
        Self {
            config,
            service: Arc::new(service.clone()),
            waiting: Waiting::default(),
            changes: Changes::default(),
            telling: Arc::default(),
        }
    }

    /// The handler for another client.
    pub(super) fn for_client(&self) -> Self {
        Self { telling: Arc::default(), ..self.clone() }
    }

    pub(super) fn name(&self) -> &str {
        &self.service.name
    }

    pub(super) fn tools(&self) -> &Toolbox {
        &self.service.tools
    }

    pub(super) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// The resource at `uri`, which is being read.
    fn reading(&self, uri: &str) -> Option<(&McpResource, Reading)> {
        if let Some(OfferedResource { resource, read }) = self.service.resources.get(uri) {
            return Some((resource, read()));
        }
        self.service.templates.values().find_map(|offered| {
            let given = offered.address.read(uri)?;
            Some((&offered.resource, (offered.read)(given)))
        })
    }

    pub(super) fn output(&self, tool: &str) -> Option<&Output> {
        self.service.outputs.get(tool).map(|output| &**output)
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.config.clone()
    }

    async fn on_initialized(&self, client: NotificationContext<RoleServer>) {
        if !self.tools().has_sources() {
            return;
        }
        let (end, this, peer) = (CancellationToken::new(), self.clone(), client.peer);
        let ended = end.clone();
        // Dropped with the last handler of the client, which the task must not keep.
        *self.telling.lock().unwrap_or_else(PoisonError::into_inner) = Some(end.drop_guard());
        let Self { service, changes, .. } = this;
        tokio::spawn(async move {
            let told = changes.tell(&service.tools, || peer.notify_tool_list_changed());
            ended.run_until_cancelled(told).await;
        });
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let tools = SubscriptionFilter::builder().tools_list_changed().build();
        self.tools().has_sources().then_some(tools)
    }

    async fn listen(&self, client: SubscriptionContext) -> Result<(), ErrorData> {
        let told = self.changes.tell(self.tools(), || client.sink().notify_tool_list_changed());
        tokio::select! {
            () = told => {}
            () = client.cancelled() => {}
        }
        Ok(())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let specs = self.changes.now(self.tools()).await.specs();
        let offered = specs.iter().map(|spec| {
            let mut tool = offered(spec);
            if let Some(Json::Object(schema)) = self.output(&spec.name).map(|output| &output.schema)
            {
                tool.output_schema = Some(Arc::new(schema.clone()));
            }
            tool.annotations = self.service.hints.get(&spec.name).map(annotations);
            tool
        });
        Ok(ListToolsResult::with_all_items(offered.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let result = tokio::select! {
            result = call(self, request, &context) => result,
            () = context.ct.cancelled() => Err("the call was cancelled".to_owned()),
        };
        Ok(result.unwrap_or_else(|why| CallToolResult::error(vec![ContentBlock::text(why)]).into()))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = self.service.resources.values().map(|offered| {
            let McpResource { uri, name, description, media_type, size } = &offered.resource;
            let mut resource = Resource::new(uri, name);
            resource.description.clone_from(description);
            resource.mime_type.clone_from(media_type);
            resource.size = *size;
            resource
        });
        Ok(ListResourcesResult::with_all_items(resources.collect()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let Some((resource, read)) = self.reading(&uri) else {
            return Err(ErrorData::resource_not_found(
                format!("there is no resource `{uri}`"),
                None,
            ));
        };
        let data = read.await.map_err(|error| {
            ErrorData::internal_error(format!("`{uri}` cannot be read: {error}"), None)
        })?;
        let mut contents = match data {
            McpData::Text(text) => ResourceContents::text(text, uri),
            McpData::Base64(base64) => ResourceContents::blob(base64, uri),
        };
        if let Some(media_type) = &resource.media_type {
            contents = contents.with_mime_type(media_type);
        }
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = self.service.templates.values().map(|offered| {
            let McpResource { uri, name, description, media_type, .. } = &offered.resource;
            let mut template = ResourceTemplate::new(uri, name);
            template.description.clone_from(description);
            template.mime_type.clone_from(media_type);
            template
        });
        Ok(ListResourceTemplatesResult::with_all_items(templates.collect()))
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let ArgumentInfo { name, value, .. } = request.argument;
        let is_it = |it: &&Completion| is_same(&it.of, &request.r#ref) && it.argument == name;
        // A client may ask for any argument; one without values has none.
        let Some(completion) = self.service.completions.iter().find(is_it) else {
            return Ok(CompleteResult::default());
        };
        let given = request.context.and_then(|context| context.arguments).unwrap_or_default();
        let given = given.into_iter().collect();
        let typed = McpTyped { argument: name, typed: value, given };
        let values = (completion.complete)(typed).await.map_err(|error| {
            ErrorData::internal_error(format!("nothing can be completed: {error}"), None)
        })?;
        let McpCompletion { values, total, has_more } = McpCompletion::of(values);
        let completion = CompletionInfo::with_pagination(values, total, has_more);
        Ok(CompleteResult::new(completion.map_err(|why| ErrorData::internal_error(why, None))?))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = self.service.prompts.values().map(|OfferedPrompt { prompt, .. }| {
            let arguments = prompt.arguments.iter().map(|argument| {
                let mut offered =
                    PromptArgument::new(&argument.name).with_required(argument.required);
                offered.description.clone_from(&argument.description);
                offered
            });
            let arguments = Some(arguments.collect()).filter(|all: &Vec<_>| !all.is_empty());
            Prompt::new(&*prompt.name, prompt.description.as_deref(), arguments)
        });
        Ok(ListPromptsResult::with_all_items(prompts.collect()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let name = request.name;
        let Some(OfferedPrompt { prompt, write }) = self.service.prompts.get(&name) else {
            return Err(ErrorData::invalid_params(format!("there is no prompt `{name}`"), None));
        };
        let given = request.arguments.unwrap_or_default().into_iter();
        let given: BTreeMap<_, _> = given
            .map(|(name, value)| match value {
                Json::String(text) => (name, text),
                other => (name, other.to_string()),
            })
            .collect();
        let missing = prompt.arguments.iter().find(|a| a.required && !given.contains_key(&a.name));
        if let Some(missing) = missing {
            let why = format!("the prompt `{name}` needs the argument `{}`", missing.name);
            return Err(ErrorData::invalid_params(why, None));
        }
        let messages = write(given).await.map_err(|error| {
            ErrorData::internal_error(format!("the prompt `{name}` failed: {error}"), None)
        })?;
        let messages = messages.iter().flat_map(prompt_messages).collect();
        let mut result = GetPromptResult::new(messages);
        result.description.clone_from(&prompt.description);
        Ok(result.into())
    }
}

fn is_same(one: &Reference, other: &Reference) -> bool {
    match (one, other) {
        (Reference::Prompt(one), Reference::Prompt(other)) => one.name == other.name,
        (Reference::Resource(one), Reference::Resource(other)) => one.uri == other.uri,
        _ => false,
    }
}

fn offered(spec: &ToolSpec) -> Offered {
    // A toolbox refuses parameters that are not an object, so this never falls back.
    let schema = spec.parameters.as_object().cloned().unwrap_or_default();
    Offered::new(spec.name.clone(), spec.description.clone(), Arc::new(schema))
}

fn annotations(hints: &McpHints) -> ToolAnnotations {
    let McpHints { title, read_only, destructive, idempotent, open_world } = hints.clone();
    ToolAnnotations::from_raw(title, read_only, destructive, idempotent, open_world)
}

/// A message as messages of a prompt, which have one part each.
fn prompt_messages(message: &Message) -> Vec<PromptMessage> {
    match message {
        Message::User { content } => {
            content.iter().map(|it| PromptMessage::new(Role::User, block::of_part(it))).collect()
        }
        Message::Assistant(message) => {
            vec![PromptMessage::new(Role::Assistant, ContentBlock::text(&message.text))]
        }
        other => vec![PromptMessage::new(Role::User, ContentBlock::text(other.text()))],
    }
}
