//! Handles requests of a client.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool as Offered,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value as Json;

use super::McpService;
use super::call::call;
use crate::message::ToolCall;
use crate::tool::{ToolSpec, Toolbox};

/// Handles the requests of one client.
#[derive(Clone)]
pub(super) struct Handler {
    config: ServerConfig,
    tools: Toolbox,
}

impl Handler {
    pub(super) fn new(service: &McpService) -> Self {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let this = Implementation::new(&service.name, &service.version);
        let mut config = ServerConfig::new(capabilities).with_server_info(this);
        config.instructions.clone_from(&service.instructions);
        Self { config, tools: service.tools.clone() }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.config.clone()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.specs().iter().map(offered).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Json::Object(request.arguments.unwrap_or_default());
        let call_of_it = ToolCall::new(context.id.to_string(), request.name, arguments);
        let service = &self.config.server_info.name;
        let result = tokio::select! {
            result = call(service, &self.tools, call_of_it) => result,
            () = context.ct.cancelled() => Err("the call was cancelled".to_owned()),
        };
        Ok(match result {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]).into(),
            Err(why) => CallToolResult::error(vec![ContentBlock::text(why)]).into(),
        })
    }
}

fn offered(spec: &ToolSpec) -> Offered {
    // A toolbox refuses parameters that are not an object, so this never falls back.
    let schema = spec.parameters.as_object().cloned().unwrap_or_default();
    Offered::new(spec.name.clone(), spec.description.clone(), Arc::new(schema))
}
