//! Tools of MCP servers.

use std::fmt;
use std::sync::Arc;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use rmcp::model::{Tool as Offered, ToolAnnotations};
use serde_json::{Map, Value as Json, json};

use super::McpError;
use super::connection::Connection;
use super::content::{output_of, text_of};
use super::exchange::NoAnswer;
use crate::schema::Validator;
use crate::tool::{Tool, ToolOutput, ToolRun, ToolSpec};

/// Maximum length of a name that models can use.
const MAX_NAME: usize = 64;

/// A tool of an MCP server, from [`McpClient::tools`](super::McpClient::tools).
///
/// Text and text resources of its result are text as they are, structured content is JSON unless a
/// text says the same, audio and files are named by kind and size. Images are shown to models that
/// can see them, and named for others. If the tool reports a
/// failure, its message is the error. Dropping a call tells the server that it is cancelled.
#[derive(Clone)]
pub struct McpTool {
    spec: ToolSpec,
    offered_as: String,
    annotations: Option<ToolAnnotations>,
    output_schema: Option<Json>,
    connection: Arc<Connection>,
}

impl McpTool {
    pub(super) fn new(name: String, offered: Offered, connection: Arc<Connection>) -> Self {
        let says = offered.description.as_deref().or(offered.title.as_deref());
        let description = match says.filter(|text| !text.trim().is_empty()) {
            Some(text) => text.to_owned(),
            None => format!("`{}` of the server `{}`.", offered.name, connection.settings.name),
        };
        let parameters = parameters((*offered.input_schema).clone());
        let spec = ToolSpec::new(name, description, parameters);
        let output_schema = offered.output_schema.map(|schema| Json::Object((*schema).clone()));
        let (offered_as, annotations) = (offered.name.into_owned(), offered.annotations);
        Self { spec, offered_as, annotations, output_schema, connection }
    }

    /// The name of the tool on the server.
    pub fn offered_as(&self) -> &str {
        &self.offered_as
    }

    /// The name of the server, as set or found by [`McpEndpoint`](super::McpEndpoint).
    pub fn server(&self) -> &str {
        &self.connection.settings.name
    }

    /// Whether the server says that the tool changes nothing. `None` if it says nothing. Do not
    /// rely on it with a server that you do not trust.
    pub fn is_read_only(&self) -> Option<bool> {
        self.annotations.as_ref()?.read_only_hint
    }

    /// Whether the server says that the tool may destroy something. `None` if it says nothing.
    pub fn is_destructive(&self) -> Option<bool> {
        self.annotations.as_ref()?.destructive_hint
    }

    /// The JSON schema of the structured content of its results, if the server tells one.
    pub fn output_schema(&self) -> Option<&Json> {
        self.output_schema.as_ref()
    }

    async fn output(
        &self,
        arguments: Json,
        cx: &Context,
    ) -> Result<ToolOutput, NoAnswer<WorkerError>> {
        let arguments = match arguments {
            Json::Object(arguments) => arguments,
            other => {
                return Err(McpError::Setup {
                    server: self.server().to_owned(),
                    message: format!(
                        "the arguments of `{}` are not an object: {other}",
                        self.spec.name
                    ),
                }
                .into());
            }
        };
        let result = self.connection.call_tool(&self.offered_as, arguments, cx).await?;
        match result.is_error {
            Some(true) => Err(McpError::ToolFailed {
                server: self.server().to_owned(),
                tool: self.offered_as.clone(),
                message: self.connection.listener.secrets().removed(text_of(&result)),
            }
            .into()),
            Some(false) | None => Ok(output_of(&result)),
        }
    }
}

impl Tool for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    /// The instructions of the server, which are the same for all of its tools.
    fn instructions(&self, _: &ToolRun) -> Option<String> {
        self.connection.instructions()
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(
            async move { self.output(arguments, cx).await.map_err(NoAnswer::into_worker_error) },
        )
    }
}

impl fmt::Debug for McpTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpTool({:?} of {:?})", self.spec.name, self.server())
    }
}

/// The parameters of a tool. A schema without a type gets `object`; an invalid one is replaced by
/// that of any object. The server checks the arguments itself.
fn parameters(mut schema: Map<String, Json>) -> Json {
    schema.entry("type").or_insert_with(|| "object".into());
    let schema = Json::Object(schema);
    match schema["type"] == "object" && Validator::new(&schema).is_ok() {
        true => schema,
        false => json!({ "type": "object" }),
    }
}

/// The names for models of the tools that a server calls `offered`: usable, and all different.
pub(super) fn names<'a>(prefix: &str, offered: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in offered {
        let name = usable(&format!("{prefix}{name}"));
        let unique = (1_usize..).map(|n| numbered(&name, n)).find(|name| !names.contains(name));
        names.extend(unique);
    }
    names
}

/// Replaces characters of `name` other than letters, digits, `_` and `-`.
pub(super) fn usable(name: &str) -> String {
    let usable = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.chars().map(usable).take(MAX_NAME).collect()
}

/// The name of the `n`-th tool with the name `name`.
fn numbered(name: &str, n: usize) -> String {
    if n == 1 {
        return name.to_owned();
    }
    let number = format!("_{n}");
    let kept = name.len().min(MAX_NAME - number.len());
    format!("{}{number}", &name[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_schema_does_not_spoil_the_others() {
        let told = |schema: Json| match schema {
            Json::Object(schema) => parameters(schema),
            _ => Json::Null,
        };
        let city = json!({ "city": { "type": "string" } });
        assert_eq!(
            told(json!({ "properties": city })),
            json!({ "type": "object", "properties": city })
        );
        let odd = json!({ "type": "object", "properties": { "city": { "pattern": "(" } } });
        for odd in [odd, json!({ "type": "string" }), json!({ "type": 7 })] {
            assert_eq!(told(odd), json!({ "type": "object" }));
        }
    }
}
