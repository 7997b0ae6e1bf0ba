//! Clients: connections to MCP servers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ddg_core::{Context, WorkerError};
use rmcp::model::{
    ArgumentInfo, ClientRequest, ListToolsRequest, Prompt, Reference, Resource, ResourceTemplate,
    Tool as Offered,
};

use super::completion::McpCompletion;
use super::connection::Connection;
use super::exchange::NoAnswer;
use super::lists::List;
use super::prompt::{McpPrompt, PROMPTS};
use super::resource::{McpContents, McpResource, McpSubscription, RESOURCES, TEMPLATES};
use super::resource_tools::McpResourceTool;
use super::tool::names;
use super::{McpError, McpTool};
use crate::message::Message;

/// The tools of a server.
const TOOLS: List = List {
    method: "tools/list",
    field: "tools",
    request: |page| ClientRequest::ListToolsRequest(ListToolsRequest::with_param(page)),
};

/// A connected MCP server, created by `connect` of [`McpEndpoint`](super::McpEndpoint).
///
/// The connection lasts until the client, its clones and its tools are dropped. If the server is a
/// program, its stdin is then closed. A program that has not ended after 3 seconds is told to
/// terminate; after another 3 seconds it is killed, with everything that it has started.
/// A server that has ended meanwhile is started, or connected to, again by the next request, up to
/// 5 times a minute, with a growing pause; the request during which it ended fails, because the
/// server may have acted on it. [`close`](Self::close) does this at
/// once, and waits for the end.
#[derive(Clone)]
pub struct McpClient(Arc<Connection>);

impl McpClient {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(connection))
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }

    /// The name of the server, as set or found by [`McpEndpoint`](super::McpEndpoint).
    pub fn name(&self) -> &str {
        &self.0.settings.name
    }

    /// The server's instructions on how to use its tools, for the system prompt of an agent.
    pub fn instructions(&self) -> Option<String> {
        self.0.instructions()
    }

    /// Lists the tools that the server offers now. They stay as they are: to follow the changes of
    /// a server, make the client a [source](crate::tool::ToolSource) of a toolbox
    /// (`Toolbox::builder().source(client)`).
    ///
    /// Names that models cannot use are changed: characters other than letters, digits, `_` and `-`
    /// become `_`, names longer than 64 characters are cut, and a number is added if two names
    /// would be the same. A tool that is not as the protocol wants it, without a schema for
    /// example, is left out with a warning in the log.
    ///
    /// # Errors
    /// If the connection has ended, or the server does not answer as it should.
    pub async fn tools(&self) -> Result<Vec<McpTool>, McpError> {
        self.0.listener.will_list();
        self.list().await
    }

    pub(super) async fn list(&self) -> Result<Vec<McpTool>, McpError> {
        let offered = self.0.list::<Offered>(&TOOLS).await?;
        let offered: Vec<_> =
            offered.into_iter().filter(|tool| self.is_wanted(&tool.name)).collect();
        let names = names(&self.0.settings.prefix, offered.iter().map(|tool| &*tool.name));
        let tools = names.into_iter().zip(offered);
        Ok(tools.map(|(name, tool)| McpTool::new(name, tool, Arc::clone(&self.0))).collect())
    }

    fn is_wanted(&self, tool: &str) -> bool {
        let settings = &self.0.settings;
        let is_among = |names: &[String]| names.iter().any(|name| name == tool);
        settings.only.as_deref().is_none_or(is_among) && !is_among(&settings.without)
    }

    /// Lists the resources that the server offers now.
    ///
    /// # Errors
    /// If the connection has ended, or the server does not answer as it should.
    pub async fn resources(&self) -> Result<Vec<McpResource>, McpError> {
        let listed = self.0.list::<Resource>(&RESOURCES).await?;
        Ok(listed.into_iter().map(Into::into).collect())
    }

    /// Lists the templates of resources that the server offers: addresses with parameters, by
    /// RFC 6570.
    ///
    /// # Errors
    /// If the connection has ended, or the server does not answer as it should.
    pub async fn resource_templates(&self) -> Result<Vec<McpResource>, McpError> {
        let listed = self.0.list::<ResourceTemplate>(&TEMPLATES).await?;
        Ok(listed.into_iter().map(Into::into).collect())
    }

    /// Reads the resource at `uri`, which may have several parts.
    ///
    /// # Errors
    /// If there is no such resource, the connection has ended, or the server does not answer as it
    /// should.
    pub async fn read_resource(&self, uri: &str) -> Result<Vec<McpContents>, McpError> {
        let read = self.0.read_resource(uri, None).await;
        read.map_err(|no_answer| self.0.for_program(no_answer))
    }

    /// As [`read_resource`](Self::read_resource), in the worker of `cx`: with
    /// [`may_ask_people`](super::McpEndpoint::may_ask_people) a question of the server pauses the
    /// run, and progress and log messages are events of the worker.
    ///
    /// # Errors
    /// As `read_resource`, or that the run has to pause: pass the error on with `?`.
    pub async fn read_resource_in(
        &self,
        uri: &str,
        cx: &Context,
    ) -> Result<Vec<McpContents>, WorkerError> {
        self.0.read_resource(uri, Some(cx)).await.map_err(NoAnswer::into_worker_error)
    }

    /// Subscribes to changes of the resource at `uri`.
    ///
    /// # Errors
    /// If the server has no subscriptions, or the connection has ended.
    pub async fn subscribe(&self, uri: &str) -> Result<McpSubscription, McpError> {
        self.0.subscribe(uri).await
    }

    /// Two tools with which a model lists and reads the resources of the server: `list_resources`
    /// and `read_resource`, after the [prefix](super::McpEndpoint::prefix).
    pub fn resource_tools(&self) -> [McpResourceTool; 2] {
        McpResourceTool::both(&self.0)
    }

    /// Lists the prompts that the server offers now.
    ///
    /// # Errors
    /// If the connection has ended, or the server does not answer as it should.
    pub async fn prompts(&self) -> Result<Vec<McpPrompt>, McpError> {
        let listed = self.0.list::<Prompt>(&PROMPTS).await?;
        Ok(listed.into_iter().map(Into::into).collect())
    }

    /// The messages of the prompt `name` with these arguments, for the task of an agent.
    ///
    /// # Errors
    /// If there is no such prompt, an argument is missing, the connection has ended, or the server
    /// does not answer as it should.
    pub async fn prompt<N: Into<String>, V: Into<String>>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Vec<Message>, McpError> {
        let messages = self.0.prompt(name, texts(arguments), None).await;
        messages.map_err(|no_answer| self.0.for_program(no_answer))
    }

    /// As [`prompt`](Self::prompt), in the worker of `cx`: with
    /// [`may_ask_people`](super::McpEndpoint::may_ask_people) a question of the server pauses the
    /// run, and progress and log messages are events of the worker.
    ///
    /// # Errors
    /// As `prompt`, or that the run has to pause: pass the error on with `?`.
    pub async fn prompt_in<N: Into<String>, V: Into<String>>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = (N, V)>,
        cx: &Context,
    ) -> Result<Vec<Message>, WorkerError> {
        let messages = self.0.prompt(name, texts(arguments), Some(cx)).await;
        messages.map_err(NoAnswer::into_worker_error)
    }

    /// Completes what a person has typed for an argument of a prompt. `given` are the arguments
    /// that are known already.
    ///
    /// # Errors
    /// If the server completes nothing, there is no such prompt, the connection has ended, or the
    /// server does not answer as it should.
    pub async fn complete_prompt<N: Into<String>, V: Into<String>>(
        &self,
        prompt: &str,
        argument: &str,
        typed: &str,
        given: impl IntoIterator<Item = (N, V)>,
    ) -> Result<McpCompletion, McpError> {
        let argument = ArgumentInfo::new(argument, typed);
        self.0.complete(Reference::for_prompt(prompt), argument, texts(given)).await
    }

    /// Completes what a person has typed for a parameter of a template of resources, which is named
    /// by its address, such as `shop://items/{id}`. `given` are the parameters that are known
    /// already.
    ///
    /// # Errors
    /// As [`complete_prompt`](Self::complete_prompt).
    pub async fn complete_resource<N: Into<String>, V: Into<String>>(
        &self,
        template: &str,
        parameter: &str,
        typed: &str,
        given: impl IntoIterator<Item = (N, V)>,
    ) -> Result<McpCompletion, McpError> {
        let parameter = ArgumentInfo::new(parameter, typed);
        self.0.complete(Reference::for_resource(template), parameter, texts(given)).await
    }

    /// Whether the server has announced a change of its tools since the last call of
    /// [`tools`](Self::tools). Call it again then: tools that were listed before do not change. A
    /// toolbox with the client as a [source](crate::tool::ToolSource) needs none of this.
    pub fn tools_changed(&self) -> bool {
        self.0.listener.tools_changed()
    }

    /// Waits until the server has announced a change of its tools since the last call of
    /// [`tools`](Self::tools), or was connected to again.
    ///
    /// # Cancel safety
    /// No change is missed if the future is dropped.
    pub async fn tools_change(&self) {
        self.0.listener.tools_change().await;
    }

    /// Authorises the program anew, for a server that is used by
    /// [`oauth`](super::McpEndpoint::oauth) and has answered [`McpError::Unauthorised`]. The person
    /// is asked, with all scopes that the server has wanted so far. Tools and clones of this client
    /// use the new tokens. If several ask at once, the person is asked once.
    ///
    /// # Errors
    /// If the person or the authorisation server does not agree, or the server is not used by
    /// OAuth.
    ///
    /// # Cancel safety
    /// If the future is dropped, the tokens stay as they were.
    pub async fn authorise(&self) -> Result<(), McpError> {
        match &self.0.authority {
            Some(authority) => authority.authorise().await,
            None => Err(McpError::Setup {
                server: self.name().to_owned(),
                message: "it is not used by OAuth: connect with `oauth`".to_owned(),
            }),
        }
    }

    /// Closes the connection, for all clones and tools, and waits until the server's program has
    /// ended.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed without waiting.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

fn texts<N: Into<String>, V: Into<String>>(
    arguments: impl IntoIterator<Item = (N, V)>,
) -> BTreeMap<String, String> {
    arguments.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

impl fmt::Debug for McpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpClient({:?})", self.name())
    }
}
