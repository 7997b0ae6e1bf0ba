//! Endpoints: MCP servers to connect to.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::log::{McpLog, McpLogLevel};
use super::offers::{Offers, OnQuestion, Questions};
use super::question::{McpAnswer, McpQuestion};
use super::{McpHttp, McpStdio};
use crate::model::ChatModel;

/// An MCP server to connect to: its transport, its name and its timeouts.
///
/// `connect` opens the connection. It can be called again when the connection has ended.
///
/// ```no_run
/// use ddg_agentic::mcp::McpEndpoint;
/// use ddg_agentic::tool::Tool;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ddg_agentic::mcp::McpError> {
/// let files = McpEndpoint::stdio("npx", ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"])
///     .name("files")
///     .prefix("files_")
///     .connect()
///     .await?;
/// let issues = McpEndpoint::http("https://example.com/mcp").bearer("secret").connect().await?;
///
/// let mut tools = files.tools().await?;
/// tools.extend(issues.tools().await?);
/// for tool in &tools {
///     println!("{}: {}", tool.spec().name, tool.spec().description);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct McpEndpoint<T> {
    pub(super) settings: Settings,
    pub(super) transport: T,
}

/// Settings that do not depend on the transport.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    /// The names of the tools that are wanted, if not all are.
    pub(super) only: Option<Vec<String>>,
    /// The names of the tools that are not wanted.
    pub(super) without: Vec<String>,
    pub(super) offers: Offers,
}

impl<T> McpEndpoint<T> {
    pub(super) fn new(name: String, transport: T) -> Self {
        let settings = Settings {
            name,
            prefix: String::new(),
            connect_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(60),
            only: None,
            without: Vec::new(),
            offers: Offers::default(),
        };
        Self { settings, transport }
    }

    /// Sets the name of the server in errors. The default is the name of the program or of the
    /// host.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Sets a prefix for the names of the server's tools. It keeps tools of two servers apart.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// Sets the timeout for starting the server and the handshake (30 seconds by default).
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of each request, including tool calls (60 seconds by default). A tool that
    /// reports progress has the time anew with each report, up to 30 times in all.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Selects the tools that are used, by the names that the server gives them. All others are
    /// left out, also those that the server adds later.
    #[must_use]
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.settings.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Leaves tools out, by the names that the server gives them.
    #[must_use]
    pub fn without<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.settings.without.extend(names.into_iter().map(Into::into));
        self
    }

    /// Lets the server ask people while it works on a tool call (*elicitation*): the run pauses, as
    /// it does for [`Context::interact_with_human`](ddg_core::Context::interact_with_human). The
    /// question is an [`McpQuestion`], and the answer an [`McpAnswer`]. Without, questions are
    /// declined.
    ///
    /// A server of the newest protocol continues with the answer where it was. One of an earlier
    /// protocol is told that the call is cancelled, and the call is made again with the answer;
    /// such a server works on one call at a time.
    #[must_use]
    pub fn may_ask_people(mut self) -> Self {
        self.settings.offers.questions = Questions::Pause;
        self
    }

    /// Lets the program answer the server's questions to people at once, for example by asking on
    /// the terminal. The call waits for it, without a time limit.
    ///
    /// ```
    /// use ddg_agentic::mcp::{McpAnswer, McpEndpoint};
    /// use serde_json::json;
    ///
    /// let server = McpEndpoint::stdio("booking", ["--stdio"]).on_question(async |question| {
    ///     println!("{} asks: {}", question.server, question.message);
    ///     McpAnswer::Accept { content: json!({ "name": "Ada" }) }
    /// });
    /// ```
    #[must_use]
    pub fn on_question<Fut>(
        mut self,
        answer: impl Fn(McpQuestion) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = McpAnswer> + Send + 'static,
    {
        let answer: OnQuestion = Arc::new(move |question| Box::pin(answer(question)));
        self.settings.offers.questions = Questions::Program(answer);
        self
    }

    /// Adds a root: a folder or another place that the server may work in, as an address and a name
    /// for people. A server asks for them; it is not kept from other places.
    #[must_use]
    pub fn root(mut self, uri: impl Into<String>, name: impl Into<String>) -> Self {
        self.settings.offers.roots.get_or_insert_default().push((uri.into(), name.into()));
        self
    }

    /// Lets the server use a model (*sampling*), with at most `most_tokens` of output for each
    /// request. The server decides what the model is asked and how often, and the program pays, so
    /// do this only with a server that you trust. Without, such requests are refused. The model
    /// calls no tools for a server.
    #[must_use]
    pub fn sampling(mut self, model: impl ChatModel, most_tokens: u64) -> Self {
        self.settings.offers.sampling = Some((Arc::new(model), most_tokens));
        self
    }

    /// Lets the server log: messages that are at least this severe are logged with `tracing`,
    /// without secrets and cut at 4 KiB. While one tool is called, they are also events `log` of
    /// its worker. Without, the log messages of the server are dropped.
    #[must_use]
    pub fn log_level(mut self, least: McpLogLevel) -> Self {
        self.settings.offers.log_level = Some(least);
        self
    }

    /// Calls a function with each log message of the server that is at least as severe as
    /// [`log_level`](Self::log_level).
    #[must_use]
    pub fn on_log(mut self, on_log: impl Fn(&McpLog) + Send + Sync + 'static) -> Self {
        self.settings.offers.on_log = Some(Arc::new(on_log));
        self
    }
}

impl McpEndpoint<McpStdio> {
    /// A program that is started as a child process, and used over its stdin and stdout.
    pub fn stdio<A: Into<std::ffi::OsString>>(
        program: impl Into<std::ffi::OsString>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let transport = McpStdio::new(program.into(), args.into_iter().map(Into::into).collect());
        Self::new(transport.program_name(), transport)
    }
}

impl McpEndpoint<McpHttp> {
    /// A server that is used over streamable HTTP at `url`.
    pub fn http(url: impl Into<String>) -> Self {
        let transport = McpHttp::new(url.into());
        Self::new(transport.host(), transport)
    }
}
