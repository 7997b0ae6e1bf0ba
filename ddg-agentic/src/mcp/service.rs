//! Services: a toolbox as an MCP server.

mod asked;
mod block;
mod call;
mod changes;
mod handler;
mod offered;
mod paused;
mod template;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use call::Output;
use ddg_core::WorkerError;
use handler::Handler;
use indexmap::IndexMap;
pub use offered::McpHints;
use offered::{
    Completes, Completion, OfferedPrompt, OfferedResource, OfferedTemplate, Reads, Writes,
};
use rmcp::ServiceExt;
use rmcp::model::Reference;
use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio_pipes;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use schemars::JsonSchema;
use template::Template;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::McpError;
use super::completion::McpTyped;
use super::prompt::McpPrompt;
use super::resource::{McpData, McpResource};
use crate::message::Message;
use crate::schema::schema_of;
use crate::tool::Toolbox;

/// The tools of a [`Toolbox`], including automata, as an MCP server for any client.
///
/// Each call is a run of an automa with one worker, that of the toolbox for the tool. So arguments
/// are checked, the options of the toolbox apply, callbacks of the process see the call, and the
/// run is dropped when the client cancels the call or disconnects. Errors are returned to the
/// client's model. A call that needs the answer or approval of a person, directly or in an agent
/// that is a tool, asks the person at the client (*elicitation*); it fails if the client cannot
/// ask. Events `progress` of the run are told to a client that wants to know: a number, an object
/// with `progress`, `total` and `message`, or words. If the toolbox has sources
/// ([`ToolSource`](crate::tool::ToolSource)), clients are told when their tools change.
///
/// ```
/// use ddg_agentic::{Toolbox, tool};
/// use ddg_agentic::mcp::{McpEndpoint, McpService};
/// use ddg_agentic::tool::Tool;
///
/// /// Adds two numbers.
/// #[tool]
/// async fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tools = Toolbox::builder().with(add::tool()).build()?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// tokio::spawn(McpService::new("sums", tools).serve_http(listener));
///
/// let client = McpEndpoint::http(format!("http://{address}/mcp")).connect().await?;
/// assert_eq!(client.tools().await?[0].spec().description, "Adds two numbers.");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct McpService {
    name: String,
    version: String,
    instructions: Option<String>,
    tools: Toolbox,
    /// The output schemas of tools.
    outputs: BTreeMap<String, Arc<Output>>,
    hints: BTreeMap<String, McpHints>,
    resources: IndexMap<String, OfferedResource>,
    templates: IndexMap<String, OfferedTemplate>,
    prompts: IndexMap<String, OfferedPrompt>,
    /// What completes the arguments of prompts and templates.
    completions: Vec<Completion>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl McpService {
    /// The path of the server over HTTP.
    pub const PATH: &str = "/mcp";

    /// Creates a service that offers `tools` under a name that clients show to people.
    pub fn new(name: impl Into<String>, tools: Toolbox) -> Self {
        Self {
            name: name.into(),
            version: "0.1.0".to_owned(),
            instructions: None,
            tools,
            outputs: BTreeMap::new(),
            hints: BTreeMap::new(),
            resources: IndexMap::new(),
            templates: IndexMap::new(),
            prompts: IndexMap::new(),
            completions: Vec::new(),
            hosts: Vec::new(),
            origins: Vec::new(),
        }
    }

    /// Sets the version for clients (`0.1.0` by default).
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets instructions on how to use the tools, for the model of the client.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Tells clients that the tool gives a `T`: its results then have structured content by the
    /// schema of `T`, beside their text. A type whose schema is not that of an object is the field
    /// `result` of one. Without, results that are JSON objects have structured content, without a
    /// schema.
    #[must_use]
    pub fn output<T: JsonSchema>(mut self, tool: impl Into<String>) -> Self {
        self.outputs.insert(tool.into(), Arc::new(Output::new(schema_of::<T>())));
        self
    }

    /// Tells clients what the tool does.
    #[must_use]
    pub fn hints(mut self, tool: impl Into<String>, hints: McpHints) -> Self {
        self.hints.insert(tool.into(), hints);
        self
    }

    /// Offers a resource, which `read` gives whenever a client reads it.
    ///
    /// ```
    /// use ddg_agentic::Toolbox;
    /// use ddg_agentic::mcp::{McpData, McpResource, McpService};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let menu = McpResource::new("shop://menu", "menu").description("What there is today.");
    /// let service = McpService::new("shop", Toolbox::builder().build()?)
    ///     .resource(menu, async || Ok(McpData::Text("tea, coffee".to_owned())));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resource<Fut>(
        mut self,
        resource: McpResource,
        read: impl Fn() -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<McpData, WorkerError>> + Send + 'static,
    {
        let read: Reads = Arc::new(move || Box::pin(read()));
        self.resources.insert(resource.uri.clone(), OfferedResource { resource, read });
        self
    }

    /// Offers a prompt, whose messages `write` makes of the arguments that a client gives.
    ///
    /// ```
    /// use ddg_agentic::{Message, Toolbox};
    /// use ddg_agentic::mcp::{McpPrompt, McpService};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let greet = McpPrompt::new("greet").description("Greets somebody.").argument("name", true);
    /// let service = McpService::new("shop", Toolbox::builder().build()?)
    ///     .prompt(greet, async |given| {
    ///         Ok(vec![Message::user(format!("Greet {} in one line.", given["name"]))])
    ///     });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn prompt<Fut>(
        mut self,
        prompt: McpPrompt,
        write: impl Fn(BTreeMap<String, String>) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<Vec<Message>, WorkerError>> + Send + 'static,
    {
        let write: Writes = Arc::new(move |given| Box::pin(write(given)));
        self.prompts.insert(prompt.name.clone(), OfferedPrompt { prompt, write });
        self
    }

    /// Offers resources whose address has parameters in braces, such as `shop://items/{id}`. `read`
    /// gets what a client has put there. A value has no `/`.
    ///
    /// ```
    /// use ddg_agentic::Toolbox;
    /// use ddg_agentic::mcp::{McpData, McpResource, McpService};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = McpService::new("shop", Toolbox::builder().build()?)
    ///     .resource_template(McpResource::new("shop://items/{id}", "item"), async |given| {
    ///         Ok(McpData::Text(format!("item {}", given["id"])))
    ///     })
    ///     .complete_resource("shop://items/{id}", "id", async |asked| {
    ///         let ids = ["tea", "toast", "coffee"].map(str::to_owned);
    ///         Ok(ids.into_iter().filter(|id| id.starts_with(&asked.typed)).collect())
    ///     });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resource_template<Fut>(
        mut self,
        template: McpResource,
        read: impl Fn(BTreeMap<String, String>) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<McpData, WorkerError>> + Send + 'static,
    {
        let offered = OfferedTemplate {
            address: Template::new(&template.uri),
            read: Arc::new(move |given| Box::pin(read(given))),
            resource: template,
        };
        self.templates.insert(offered.resource.uri.clone(), offered);
        self
    }

    /// Completes an argument of a prompt, for people who fill it in at the client: `complete` gives
    /// values, the best first. A client gets the first 100.
    #[must_use]
    pub fn complete_prompt<Fut>(
        self,
        prompt: impl Into<String>,
        argument: impl Into<String>,
        complete: impl Fn(McpTyped) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<Vec<String>, WorkerError>> + Send + 'static,
    {
        let complete: Completes = Arc::new(move |typed| Box::pin(complete(typed)));
        self.completed(Reference::for_prompt(prompt), argument.into(), complete)
    }

    /// Completes a parameter of a [template](Self::resource_template), named by its address, as
    /// [`complete_prompt`](Self::complete_prompt) does.
    #[must_use]
    pub fn complete_resource<Fut>(
        self,
        template: impl Into<String>,
        parameter: impl Into<String>,
        complete: impl Fn(McpTyped) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<Vec<String>, WorkerError>> + Send + 'static,
    {
        let complete: Completes = Arc::new(move |typed| Box::pin(complete(typed)));
        self.completed(Reference::for_resource(template), parameter.into(), complete)
    }

    fn completed(mut self, of: Reference, argument: String, complete: Completes) -> Self {
        self.completions.push(Completion { of, argument, complete });
        self
    }

    /// Allows clients to reach the server over HTTP under this host, such as `tools.example.com`.
    /// Without any, only clients on the same machine can, so that web pages in a browser cannot.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Allows pages of this origin, such as `https://app.example.com:443`, to reach the server over
    /// HTTP. By default no page can.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Serves the client that has started this process, over stdin and stdout, until it closes
    /// stdin. Nothing else may be printed to stdout meanwhile.
    ///
    /// # Errors
    /// If the handshake of the client fails.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection and drops all running calls.
    pub async fn serve_stdio(self) -> Result<(), McpError> {
        let failed = |message: String| McpError::Serve { service: self.name.clone(), message };
        let running = match Handler::new(&self).serve(stdio_pipes()).await {
            Ok(running) => running,
            // The client closed the connection before the handshake, which is not an error of the
            // server.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(failed(error.to_string())),
        };
        running.waiting().await.map(|_| ()).map_err(|error| failed(error.to_string()))
    }

    /// Serves any number of clients over streamable HTTP at [`PATH`](Self::PATH), until the future
    /// is dropped. There is no authentication: put [`router`](Self::router) behind a server that
    /// has one.
    ///
    /// # Errors
    /// If the listener fails.
    ///
    /// # Cancel safety
    /// Dropping the future closes all connections and drops all running calls.
    pub async fn serve_http(self, listener: TcpListener) -> Result<(), McpError> {
        let stop = CancellationToken::new();
        let router = self.route(stop.clone());
        let _stop = stop.drop_guard();
        axum::serve(listener, router)
            .await
            .map_err(|error| McpError::Serve { service: self.name, message: error.to_string() })
    }

    /// The server as part of a program that already serves HTTP: a router of axum 0.8 with one
    /// route, [`PATH`](Self::PATH).
    pub fn router(self) -> Router {
        self.route(CancellationToken::new())
    }

    fn route(&self, stop: CancellationToken) -> Router {
        let mut config = StreamableHttpServerConfig::default()
            .with_cancellation_token(stop)
            .with_allowed_origins(&self.origins)
            .enforce_origin_validation();
        config.allowed_hosts.extend_from_slice(&self.hosts);
        let handler = Handler::new(self);
        let sessions = Arc::new(LocalSessionManager::default());
        let service =
            StreamableHttpService::new(move || Ok(handler.for_client()), sessions, config);
        Router::new().route_service(Self::PATH, service)
    }
}

impl fmt::Debug for McpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpService({:?}, {:?})", self.name, self.tools)
    }
}
