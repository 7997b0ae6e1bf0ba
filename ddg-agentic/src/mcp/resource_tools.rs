//! Resources of a server as tools for a model.

use std::sync::Arc;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

use super::connection::Connection;
use super::content;
use super::exchange::NoAnswer;
use super::resource::{McpContents, McpData, McpResource, RESOURCES, TEMPLATES};
use super::tool::usable;
use crate::message::n_bytes;
use crate::tool::{Tool, ToolOutput, ToolSpec};

/// A tool with which a model lists or reads the resources of a server, created by
/// [`McpClient::resource_tools`](super::McpClient::resource_tools).
#[derive(Clone)]
pub struct McpResourceTool {
    spec: ToolSpec,
    does: Does,
    connection: Arc<Connection>,
}

#[derive(Clone, Copy)]
enum Does {
    List,
    Read,
}

impl McpResourceTool {
    pub(super) fn both(connection: &Arc<Connection>) -> [Self; 2] {
        let server = &connection.settings.name;
        let list = ToolSpec::new(
            usable(&format!("{}list_resources", connection.settings.prefix)),
            format!("Lists the resources of `{server}`: their addresses, names and descriptions."),
            json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        );
        let read = ToolSpec::new(
            usable(&format!("{}read_resource", connection.settings.prefix)),
            format!("Reads a resource of `{server}` by its address."),
            json!({
                "type": "object",
                "properties": { "uri": { "type": "string", "description": "The address." } },
                "required": ["uri"],
                "additionalProperties": false,
            }),
        );
        [(list, Does::List), (read, Does::Read)].map(|(spec, does)| Self {
            spec,
            does,
            connection: Arc::clone(connection),
        })
    }

    async fn output(
        &self,
        arguments: &Json,
        cx: &Context,
    ) -> Result<ToolOutput, NoAnswer<WorkerError>> {
        match self.does {
            Does::List => {
                let listed = self.connection.list::<rmcp::model::Resource>(&RESOURCES).await?;
                let mut lines: Vec<_> =
                    listed.into_iter().map(|resource| line(&resource.into())).collect();
                // Many servers have no templates, and refuse the request.
                let templates = self.connection.list::<rmcp::model::ResourceTemplate>(&TEMPLATES);
                for template in templates.await.unwrap_or_default() {
                    lines.push(format!("template {}", line(&template.into())));
                }
                Ok(ToolOutput::text(match lines.is_empty() {
                    true => "There are no resources.".to_owned(),
                    false => lines.join("\n"),
                }))
            }
            Does::Read => {
                let uri = arguments["uri"].as_str().unwrap_or_default();
                let contents = self.connection.read_resource(uri, Some(cx)).await?;
                Ok(contents.into_iter().fold(ToolOutput::default(), with))
            }
        }
    }
}

/// Adds the content to what the model reads.
fn with(mut output: ToolOutput, contents: McpContents) -> ToolOutput {
    if !output.content.is_empty() {
        output.content.push('\n');
    }
    match contents.data {
        McpData::Text(text) => output.content += &text,
        McpData::Base64(base64) => {
            let media_type = contents.media_type.unwrap_or_default();
            let shown = if media_type.is_empty() { "binary" } else { &media_type };
            output.content += &format!("[{shown}, {} bytes]", n_bytes(&base64));
            output = content::with_bytes(output, &media_type, &base64, &contents.uri);
        }
    }
    output
}

fn line(resource: &McpResource) -> String {
    let McpResource { uri, name, description, .. } = resource;
    match description {
        Some(description) => format!("{uri} ({name}): {description}"),
        None => format!("{uri} ({name})"),
    }
}

impl Tool for McpResourceTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(
            async move { self.output(&arguments, cx).await.map_err(NoAnswer::into_worker_error) },
        )
    }
}

impl std::fmt::Debug for McpResourceTool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "McpResourceTool({:?})", self.spec.name)
    }
}
