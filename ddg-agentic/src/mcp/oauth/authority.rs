//! The authority of a program at a server: its tokens, and how it gets them.

use std::sync::{Arc, Mutex as Lock, PoisonError};

use reqwest::Url;
use rmcp::transport::auth::{
    AuthError, AuthorizationCallback, AuthorizationManager, AuthorizationMetadata,
    ClientCredentialsConfig, OAuthClientConfig, WWWAuthenticateParams,
};
use tokio::sync::Mutex;

use super::super::McpError;
use super::super::live::causes;
use super::super::shown::{Secrets, silent};
use super::tokens::Kept;
use super::{Grant, McpOAuth};
use crate::tls::choose_crypto;

/// The authority of a program at a server. Shared by all requests.
pub(in crate::mcp) struct Authority {
    server: String,
    oauth: McpOAuth,
    /// The address of the server, without what may be secret.
    base: Url,
    kept: Kept,
    /// The state machine of the library, once there are tokens. One request at a time refreshes.
    manager: Mutex<Option<AuthorizationManager>>,
    /// Held while a person is asked.
    asking: Mutex<()>,
    /// What the server has answered when it wanted authorisation.
    challenge: Lock<Option<String>>,
}

impl Authority {
    pub(in crate::mcp) fn new(server: &str, oauth: McpOAuth, url: &Url, secrets: Secrets) -> Self {
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        // An error means that it has none.
        let _none = (base.set_username(""), base.set_password(None));
        secrets.add(oauth.client_secret.clone());
        let kept = Kept {
            server: base.to_string(),
            store: Arc::clone(&oauth.store),
            secrets,
            client_secret: Arc::new(Lock::new(oauth.client_secret.clone())),
        };
        Self {
            server: server.to_owned(),
            oauth,
            base,
            kept,
            manager: Mutex::default(),
            asking: Mutex::default(),
            challenge: Lock::default(),
        }
    }

    /// The token for a request, refreshed if it has expired; `None` if there is none.
    pub(in crate::mcp) async fn token(&self) -> Result<Option<String>, AuthError> {
        let mut manager = self.manager.lock().await;
        if manager.is_none() {
            *manager = self.of_kept().await?;
        }
        let Some(known) = &*manager else { return Ok(None) };
        let _lock = match self.kept.tokens().await? {
            Some(tokens) if tokens.expires_soon() => Some(self.kept.lock().await?),
            _ => None,
        };
        match (known.get_access_token().await, &self.oauth.grant) {
            (Err(AuthError::AuthorizationRequired), Grant::Client) => {
                *manager = Some(self.exchanged().await?);
                Ok(self.access_token().await?)
            }
            (Err(AuthError::AuthorizationRequired), Grant::Person { .. }) => Ok(None),
            (token, _) => token.map(Some),
        }
    }

    /// Another token in place of `sent`, which the server has refused; `None` if there is none.
    pub(in crate::mcp) async fn renewed(
        &self,
        sent: Option<&str>,
    ) -> Result<Option<String>, AuthError> {
        let mut manager = self.manager.lock().await;
        let is_other = |token: &String| sent.is_some_and(|sent| sent != token);
        // Another request, or another process, has renewed it meanwhile.
        if let Some(token) = self.access_token().await?.filter(is_other) {
            return Ok(Some(token));
        }
        let _lock = self.kept.lock().await?;
        if let Some(token) = self.access_token().await?.filter(is_other) {
            return Ok(Some(token));
        }
        if matches!(self.oauth.grant, Grant::Client) {
            *manager = Some(self.exchanged().await?);
            return self.access_token().await;
        }
        let (Some(_), Some(manager)) = (sent, &*manager) else { return Ok(None) };
        match manager.refresh_token().await {
            Ok(_) => self.access_token().await,
            Err(AuthError::AuthorizationRequired | AuthError::TokenRefreshRejected(_)) => {
                // Another process may have been the first to use the refresh token.
                Ok(self.access_token().await?.filter(is_other))
            }
            Err(error) => Err(error),
        }
    }

    /// Remembers how the server wants authorisation: the header of its answer.
    pub(in crate::mcp) fn challenged(&self, header: &str) {
        let mut challenge = self.challenge.lock().unwrap_or_else(PoisonError::into_inner);
        *challenge = Some(header.to_owned());
    }

    /// Gets new tokens: asks the person, or the authorisation server.
    ///
    /// # Errors
    /// [`McpError::Unauthorised`].
    pub(in crate::mcp) async fn authorise(&self) -> Result<(), McpError> {
        let before = self.access_token().await.map_err(|error| self.failed(&error))?;
        let _one_at_a_time = self.asking.lock().await;
        let now = self.access_token().await.map_err(|error| self.failed(&error))?;
        if now.is_some() && now != before {
            return Ok(());
        }
        let manager = match &self.oauth.grant {
            Grant::Client => silent(self.exchanged()).await.map_err(|error| self.failed(&error))?,
            Grant::Person { redirect_uri, .. } => self.agreed(redirect_uri).await?,
        };
        *self.manager.lock().await = Some(manager);
        Ok(())
    }

    /// Lets the person agree.
    async fn agreed(&self, redirect_uri: &str) -> Result<AuthorizationManager, McpError> {
        let failed = |error| self.failed(&error);
        let Grant::Person { ask, .. } = &self.oauth.grant else {
            return Err(self.refused("nobody can be asked".to_owned()));
        };
        let (mut manager, metadata) = silent(self.discovered()).await.map_err(failed)?;
        let scopes = self.scopes(&manager).await.map_err(failed)?;
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let introduced = self.introduce(&mut manager, &metadata, redirect_uri, &scopes);
        silent(introduced).await.map_err(failed)?;
        let url = silent(manager.get_authorization_url(&scopes)).await.map_err(failed)?;
        let visited = ask(url)
            .await
            .map_err(|error| self.refused(format!("the person could not be asked: {error}")))?;
        if let Some(why) = refusal(&visited) {
            return Err(self.refused(format!("the person did not agree: {why}")));
        }
        let AuthorizationCallback { code, csrf_token, issuer, .. } =
            AuthorizationCallback::from_redirect_url(&visited).map_err(failed)?;
        self.kept.secrets.add([code.clone()]);
        let issuer = issuer.as_deref();
        let exchanged = manager.exchange_code_for_token_with_issuer(&code, &csrf_token, issuer);
        silent(exchanged).await.map_err(failed)?;
        Ok(manager)
    }

    /// Tells the authorisation server which program this is: by its id, by the address of its
    /// document, or by a registration.
    async fn introduce(
        &self,
        manager: &mut AuthorizationManager,
        metadata: &AuthorizationMetadata,
        redirect_uri: &str,
        scopes: &[&str],
    ) -> Result<(), AuthError> {
        let reads_documents = metadata
            .additional_fields
            .get("client_id_metadata_document_supported")
            .is_some_and(|supported| supported == true);
        let document = self.oauth.client_metadata_url.as_ref().filter(|_| reads_documents);
        let (id, secret) = match (&self.oauth.client_id, document) {
            (Some(id), _) => (id, self.oauth.client_secret.clone()),
            (None, Some(url)) => (url, None),
            (None, None) => {
                let name = &self.oauth.client_name;
                let client = manager.register_client(name, redirect_uri, scopes).await?;
                self.uses_secret(client.client_secret);
                return Ok(());
            }
        };
        self.uses_secret(secret.clone());
        let client = OAuthClientConfig::new(id, redirect_uri);
        manager.configure_client(match secret {
            Some(secret) => client.with_client_secret(secret),
            None => client,
        })
    }

    /// The scopes to ask for. They are those of the program and of the server's challenge; without
    /// scopes of the program, what the server suggests. Scopes that were granted before are asked
    /// for again.
    async fn scopes(&self, manager: &AuthorizationManager) -> Result<Vec<String>, AuthError> {
        let challenge = self.challenge();
        let wanted =
            challenge.and_then(|header| WWWAuthenticateParams::parse(&header, &self.base).scope);
        let mut scopes = match self.oauth.scopes.as_slice() {
            [] => manager.select_scopes(wanted.as_deref(), &[]),
            scopes => {
                let wanted = wanted.iter().flat_map(|wanted| wanted.split_whitespace());
                scopes.iter().cloned().chain(wanted.map(str::to_owned)).collect()
            }
        };
        let before = self.kept.tokens().await?;
        scopes.extend(before.iter().flat_map(|tokens| tokens.scopes().iter().cloned()));
        let mut seen = std::collections::BTreeSet::new();
        scopes.retain(|scope| seen.insert(scope.clone()));
        Ok(scopes)
    }

    /// The state machine for the tokens that are kept; `None` if there are none.
    async fn of_kept(&self) -> Result<Option<AuthorizationManager>, AuthError> {
        let Some(tokens) = self.kept.tokens().await? else { return Ok(None) };
        if let Grant::Client = self.oauth.grant {
            let (mut manager, _) = self.discovered().await?;
            manager.configure_client_credentials(&self.credentials())?;
            return Ok(Some(manager));
        }
        let mut manager = self.fresh().await?;
        if !manager.initialize_from_store().await? {
            return Ok(None);
        }
        let secret = tokens.client_secret().map(str::to_owned);
        self.uses_secret(secret.clone());
        if let Some(secret) = secret {
            let client = OAuthClientConfig::new(tokens.client_id(), self.base.to_string());
            manager.configure_client(client.with_client_secret(secret))?;
        }
        Ok(Some(manager))
    }

    /// Gets a token for the program itself.
    async fn exchanged(&self) -> Result<AuthorizationManager, AuthError> {
        let (mut manager, _) = self.discovered().await?;
        let credentials = self.credentials();
        manager.validate_client_credentials_metadata(&credentials)?;
        manager.configure_client_credentials(&credentials)?;
        manager.exchange_client_credentials(&credentials).await?;
        Ok(manager)
    }

    fn credentials(&self) -> ClientCredentialsConfig {
        ClientCredentialsConfig::ClientSecret {
            client_id: self.oauth.client_id.clone().unwrap_or_default(),
            client_secret: self.oauth.client_secret.clone().unwrap_or_default(),
            scopes: self.oauth.scopes.clone(),
            resource: Some(self.base.to_string()),
        }
    }

    /// Finds the authorisation server.
    async fn discovered(&self) -> Result<(AuthorizationManager, AuthorizationMetadata), AuthError> {
        let mut manager = self.fresh().await?;
        let challenge = self.challenge();
        let found = manager.resolve_metadata_from_challenge(challenge.as_deref()).await?;
        manager.set_metadata(found.metadata.clone());
        Ok((manager, found.metadata))
    }

    async fn fresh(&self) -> Result<AuthorizationManager, AuthError> {
        choose_crypto();
        let base = self.base.clone();
        let mut manager = match self.oauth.allows_private {
            true => AuthorizationManager::new_allowing_private_addresses(base).await?,
            false => AuthorizationManager::new(base).await?,
        };
        manager.set_credential_store(self.kept.clone());
        Ok(manager)
    }

    fn challenge(&self) -> Option<String> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the secret with which the client is known.
    fn uses_secret(&self, secret: Option<String>) {
        self.kept.secrets.add(secret.clone());
        *self.kept.client_secret.lock().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    async fn access_token(&self) -> Result<Option<String>, AuthError> {
        Ok(self.kept.tokens().await?.map(|tokens| tokens.access_token().to_owned()))
    }

    fn failed(&self, error: &AuthError) -> McpError {
        self.refused(causes(error))
    }

    fn refused(&self, message: String) -> McpError {
        let message = self.kept.secrets.shown(message);
        McpError::Unauthorised { server: self.server.clone(), message }
    }
}

/// Why the person, or the authorisation server, did not agree.
fn refusal(visited: &str) -> Option<String> {
    let visited = Url::parse(visited).ok()?;
    let value = |name: &str| {
        visited.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let error = value("error")?;
    Some(match value("error_description") {
        Some(description) => format!("{error}: {description}"),
        None => error,
    })
}
