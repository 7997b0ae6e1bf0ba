//! Tokens, and where they are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use ddg_core::WorkerError;
use futures::future::BoxFuture;
use rmcp::transport::auth::{AuthError, CredentialStore, StoredCredentials};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::super::shown::Secrets;

/// The tokens of a program for a server, with the client to which they belong. They are secret:
/// write them where only this program can read them, encrypted if possible. `Debug` does not show
/// them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct McpTokens {
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// In seconds after `received_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    received_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

/// A place where a program keeps the tokens of servers: a keychain, an encrypted file, a database.
///
/// Processes can share a place. Each uses what the others have refreshed.
///
/// ```
/// use std::path::PathBuf;
///
/// use ddg_agentic::mcp::{McpTokenStore, McpTokens};
/// use ddg_core::WorkerError;
/// use futures::future::BoxFuture;
///
/// /// Keeps the tokens of one server in a file that only its owner can read.
/// struct InFile(PathBuf);
///
/// impl McpTokenStore for InFile {
///     fn load(&self, _: &str) -> BoxFuture<'_, Result<Option<McpTokens>, WorkerError>> {
///         Box::pin(async {
///             match tokio::fs::read(&self.0).await {
///                 Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
///                 Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
///                 Err(error) => Err(error.into()),
///             }
///         })
///     }
///
///     fn save(&self, _: &str, tokens: McpTokens) -> BoxFuture<'_, Result<(), WorkerError>> {
///         Box::pin(async move { Ok(tokio::fs::write(&self.0, serde_json::to_vec(&tokens)?).await?) })
///     }
///
///     fn remove(&self, _: &str) -> BoxFuture<'_, Result<(), WorkerError>> {
///         Box::pin(async { Ok(tokio::fs::remove_file(&self.0).await?) })
///     }
///
///     /// Locks a file beside it, which also a process that dies releases.
///     fn lock(&self, _: &str) -> BoxFuture<'_, Result<Box<dyn Send>, WorkerError>> {
///         let path = self.0.with_extension("lock");
///         Box::pin(async {
///             let locked = tokio::task::spawn_blocking(|| {
///                 let file = std::fs::File::create(path)?;
///                 file.lock().map(|()| file)
///             });
///             Ok(Box::new(locked.await??) as Box<dyn Send>)
///         })
///     }
/// }
/// ```
pub trait McpTokenStore: Send + Sync + 'static {
    /// The tokens for the server at the address `server`; `None` if there are none.
    ///
    /// # Errors
    /// If the place cannot be read.
    fn load(&self, server: &str) -> BoxFuture<'_, Result<Option<McpTokens>, WorkerError>>;

    /// Keeps the tokens, in place of those before.
    ///
    /// # Errors
    /// If the place cannot be written. The request that needed the tokens fails then.
    fn save(&self, server: &str, tokens: McpTokens) -> BoxFuture<'_, Result<(), WorkerError>>;

    /// Removes the tokens, because another authorisation server is in charge now.
    ///
    /// # Errors
    /// If the place cannot be written.
    fn remove(&self, server: &str) -> BoxFuture<'_, Result<(), WorkerError>>;

    /// Keeps others from refreshing the tokens for the server until the value is dropped, and waits
    /// while another one does. The default keeps nobody: two processes may then refresh at the same
    /// time, and a server that accepts a refresh token once refuses the second, which uses what the
    /// first has got.
    ///
    /// # Errors
    /// If the place cannot be locked. The request that needed the tokens fails then.
    fn lock(&self, server: &str) -> BoxFuture<'_, Result<Box<dyn Send>, WorkerError>> {
        let _nothing = server;
        Box::pin(async { Ok(Box::new(()) as Box<dyn Send>) })
    }
}

/// Tokens in memory.
#[derive(Default)]
pub(super) struct MemoryTokens {
    tokens: Mutex<BTreeMap<String, McpTokens>>,
    refreshing: Arc<tokio::sync::Mutex<()>>,
}

/// The tokens of one server, as the library of the protocol wants to find them.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) server: String,
    pub(super) store: Arc<dyn McpTokenStore>,
    /// What is removed from errors and logs.
    pub(super) secrets: Secrets,
    /// The secret of the client that is authorised now.
    pub(super) client_secret: Arc<Mutex<Option<String>>>,
}

impl MemoryTokens {
    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, McpTokens>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl McpTokenStore for MemoryTokens {
    fn load(&self, server: &str) -> BoxFuture<'_, Result<Option<McpTokens>, WorkerError>> {
        let tokens = self.held().get(server).cloned();
        Box::pin(async { Ok(tokens) })
    }

    fn save(&self, server: &str, tokens: McpTokens) -> BoxFuture<'_, Result<(), WorkerError>> {
        self.held().insert(server.to_owned(), tokens);
        Box::pin(async { Ok(()) })
    }

    fn remove(&self, server: &str) -> BoxFuture<'_, Result<(), WorkerError>> {
        self.held().remove(server);
        Box::pin(async { Ok(()) })
    }

    fn lock(&self, _: &str) -> BoxFuture<'_, Result<Box<dyn Send>, WorkerError>> {
        let refreshing = Arc::clone(&self.refreshing);
        Box::pin(async { Ok(Box::new(refreshing.lock_owned().await) as Box<dyn Send>) })
    }
}

impl McpTokens {
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_deref()
    }

    pub(super) fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Whether it expires within a minute, as far as is known. The library refreshes it before.
    pub(super) fn expires_soon(&self) -> bool {
        let (Some(expires_in), Some(received_at)) = (self.expires_in, self.received_at) else {
            return false;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        now + 60 >= received_at.saturating_add(expires_in)
    }

    pub(super) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    fn secrets(&self) -> impl Iterator<Item = String> {
        let secrets = [Some(&self.access_token), self.refresh_token.as_ref()];
        secrets.into_iter().chain([self.client_secret.as_ref()]).flatten().cloned()
    }

    /// What the library has got; `None` if it is no token.
    fn of(credentials: StoredCredentials, client_secret: Option<String>) -> Option<Self> {
        let response = serde_json::to_value(credentials.token_response?).ok()?;
        let text = |name: &str| response.get(name).and_then(Json::as_str).map(str::to_owned);
        Some(Self {
            client_id: credentials.client_id,
            client_secret,
            access_token: text("access_token")?,
            refresh_token: text("refresh_token"),
            expires_in: response.get("expires_in").and_then(Json::as_u64),
            received_at: credentials.token_received_at,
            scopes: credentials.granted_scopes,
            issuer: credentials.issuer,
        })
    }

    fn into_credentials(self) -> Option<StoredCredentials> {
        let mut response = json!({ "access_token": self.access_token, "token_type": "bearer" });
        if let Some(refresh_token) = self.refresh_token {
            response["refresh_token"] = refresh_token.into();
        }
        if let Some(expires_in) = self.expires_in {
            response["expires_in"] = expires_in.into();
        }
        let response = serde_json::from_value(response).ok()?;
        let stored =
            StoredCredentials::new(self.client_id, Some(response), self.scopes, self.received_at);
        Some(stored.with_issuer(self.issuer))
    }
}

impl Kept {
    pub(super) async fn tokens(&self) -> Result<Option<McpTokens>, AuthError> {
        let tokens = self.store.load(&self.server).await.map_err(failed)?;
        self.secrets.add(tokens.iter().flat_map(McpTokens::secrets));
        Ok(tokens)
    }

    /// Keeps other processes from refreshing the tokens.
    pub(super) async fn lock(&self) -> Result<Box<dyn Send>, AuthError> {
        self.store.lock(&self.server).await.map_err(failed)
    }
}

#[async_trait]
impl CredentialStore for Kept {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        Ok(self.tokens().await?.and_then(McpTokens::into_credentials))
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let secret = self.client_secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(tokens) = McpTokens::of(credentials, secret) else { return self.clear().await };
        self.secrets.add(tokens.secrets());
        self.store.save(&self.server, tokens).await.map_err(failed)
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.store.remove(&self.server).await.map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the function of a `map_err`")]
fn failed(error: WorkerError) -> AuthError {
    AuthError::CredentialStoreError(error.to_string())
}

impl fmt::Debug for McpTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpTokens")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
