//! OAuth 2.1 for servers over HTTP.

mod authority;
mod callback;
mod tokens;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

pub(super) use authority::Authority;
pub use callback::McpCallback;
use ddg_core::WorkerError;
use futures::future::BoxFuture;
use tokens::MemoryTokens;
pub use tokens::{McpTokenStore, McpTokens};

/// How a program is authorised at an MCP server over HTTP, by OAuth 2.1 as the protocol wants it:
/// the authorisation server is discovered, a client that has no id is registered, codes are
/// protected by PKCE, tokens are bound to the server and refreshed.
///
/// A server that needs no authorisation is used without. If it wants one, [`connect`] gets a token:
/// from the [store](Self::store), or by asking a person. A token that the server refuses later is
/// refreshed once, and the request is made again. If that does not help, the request fails with
/// [`McpError::Unauthorised`](super::McpError::Unauthorised), and
/// [`McpClient::authorise`](super::McpClient::authorise) asks again.
///
/// Tokens, codes and secrets are in no error, log or `Debug`.
///
/// ```no_run
/// use ddg_agentic::mcp::{McpCallback, McpEndpoint, McpOAuth};
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let callback = McpCallback::bind("127.0.0.1:8765").await?;
/// let oauth = McpOAuth::in_browser(callback, |url| println!("Open {url}"))
///     .client_name("Trip planner");
/// let trips = McpEndpoint::http("https://example.com/mcp").oauth(oauth).connect().await?;
/// # Ok(())
/// # }
/// ```
///
/// [`connect`]: super::McpEndpoint::connect
#[derive(Clone)]
pub struct McpOAuth {
    grant: Grant,
    client_name: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_metadata_url: Option<String>,
    scopes: Vec<String>,
    store: Arc<dyn McpTokenStore>,
    allows_private: bool,
}

/// Asks a person to agree at an address, and gives the address to which their browser came back.
type Ask = Arc<dyn Fn(String) -> BoxFuture<'static, Result<String, WorkerError>> + Send + Sync>;

/// The party that agrees.
#[derive(Clone)]
enum Grant {
    /// A person, in a browser that comes back to `redirect_uri`.
    Person { redirect_uri: String, ask: Ask },
    /// Nobody: the program is known to the authorisation server.
    Client,
}

impl McpOAuth {
    /// Lets a person agree (*authorisation code*). The function gets the address that the person is
    /// to open, and gives the whole address at which their browser comes back, which begins with
    /// `redirect_uri`. It may take as long as it likes.
    ///
    /// ```
    /// use ddg_agentic::mcp::McpOAuth;
    ///
    /// let oauth = McpOAuth::person("https://app.example.com/callback", async |url| {
    ///     println!("Open {url}, and paste the address to which you come:");
    ///     let mut line = String::new();
    ///     std::io::stdin().read_line(&mut line)?;
    ///     Ok(line.trim().to_owned())
    /// });
    /// ```
    pub fn person<Fut>(
        redirect_uri: impl Into<String>,
        ask: impl Fn(String) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<String, WorkerError>> + Send + 'static,
    {
        let ask: Ask = Arc::new(move |url| Box::pin(ask(url)));
        Self::new(Grant::Person { redirect_uri: redirect_uri.into(), ask })
    }

    /// Lets a person agree in a browser on this machine, which comes back to `callback`. The
    /// function opens the address, or shows it.
    pub fn in_browser(callback: McpCallback, open: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let redirect_uri = callback.uri().to_owned();
        let (callback, open) = (Arc::new(callback), Arc::new(open));
        Self::person(redirect_uri, move |url| {
            let (callback, open) = (Arc::clone(&callback), Arc::clone(&open));
            async move {
                open(&url);
                Ok(callback.after(&url).await?)
            }
        })
    }

    /// Lets the program itself be authorised (*client credentials*): no person is asked.
    pub fn client_credentials(
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self::new(Grant::Client).client(client_id).client_secret(client_secret)
    }

    fn new(grant: Grant) -> Self {
        Self {
            grant,
            client_name: env!("CARGO_PKG_NAME").to_owned(),
            client_id: None,
            client_secret: None,
            client_metadata_url: None,
            scopes: Vec::new(),
            store: Arc::new(MemoryTokens::default()),
            allows_private: false,
        }
    }

    /// Sets the name under which the program is registered, which people see when they are asked.
    #[must_use]
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = name.into();
        self
    }

    /// Sets the id of a client that was registered by hand. Without, the program registers itself
    /// when a person is asked.
    #[must_use]
    pub fn client(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Sets the secret of the client.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the `https` address of a document that describes the program (*client id metadata
    /// document*), in place of a registration where the authorisation server allows that.
    #[must_use]
    pub fn client_metadata_url(mut self, url: impl Into<String>) -> Self {
        self.client_metadata_url = Some(url.into());
        self
    }

    /// Sets the scopes to ask for. Without, they are those that the server wants.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets where tokens are kept. Defaults to the memory of this value and its clones.
    #[must_use]
    pub fn store(mut self, store: impl McpTokenStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Allows authorisation servers at private addresses (`10.0.0.0/8` and similar), as in the
    /// network of a company. Without, only a server that is at such an address itself can name one,
    /// because a server must not let this program ask others in its network.
    #[must_use]
    pub fn allow_private_addresses(mut self) -> Self {
        self.allows_private = true;
        self
    }
}

impl fmt::Debug for McpOAuth {
    /// Writes neither secrets nor tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grant = match &self.grant {
            Grant::Person { .. } => "authorization_code",
            Grant::Client => "client_credentials",
        };
        f.debug_struct("McpOAuth")
            .field("grant", &grant)
            .field("client_name", &self.client_name)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
