//! What a model over HTTP is set to.

use std::fmt;
use std::time::Duration;

use super::api::Provider;
use super::http::wrong_url;
use super::key::ApiKey;
use crate::model::{Capabilities, ExtraPairs, ModelError};

/// The settings of a model over HTTP.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) provider: Provider,
    /// The name of the model.
    pub(super) model: String,
    pub(super) base_url: String,
    pub(super) api_key: Option<ApiKey>,
    /// Overrides the capabilities that follow from the name.
    pub(super) capabilities: Option<Capabilities>,
    /// Maximum number of bytes of images, documents and recordings of a request.
    pub(super) max_media_bytes: usize,
    pub(super) extra_headers: ExtraPairs,
    pub(super) extra_query: ExtraPairs,
    pub(super) connect_timeout: Duration,
    /// How long a stream may be silent.
    pub(super) stall_timeout: Duration,
    /// The timeout of a whole reply.
    pub(super) reply_timeout: Duration,
    /// The timeout of a whole reply that is streamed.
    pub(super) stream_timeout: Duration,
}

impl Settings {
    pub(super) fn new(provider: Provider, model: String) -> Self {
        Self {
            provider,
            model,
            base_url: provider.base_url().to_owned(),
            api_key: None,
            capabilities: None,
            max_media_bytes: provider.max_media_bytes(),
            extra_headers: ExtraPairs::default(),
            extra_query: ExtraPairs::default(),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(2 * 60),
            reply_timeout: Duration::from_secs(10 * 60),
            stream_timeout: Duration::from_secs(60 * 60),
        }
    }

    /// Checks the settings.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let Self { provider, model, base_url, api_key, .. } = self;
        let prefix = provider.prefix();
        let wrong = |what: String| Err(ModelError::Setup { message: what });
        if model.is_empty() {
            return wrong(format!("a model of {provider:?} has no name; set {prefix}_MODEL"));
        }
        if let Some(what) = wrong_url(base_url) {
            return wrong(format!(
                "model `{model}`: its address {what}; set base_url or {prefix}_BASE_URL to one \
                 such as {}",
                provider.base_url()
            ));
        }
        match api_key {
            None if provider.needs_key(base_url) => wrong(format!(
                "model `{model}`: there is no key for {base_url}; set api_key or {prefix}_API_KEY"
            )),
            Some(key) if !key.fits_header() => wrong(format!(
                "model `{model}`: its key has characters that a key cannot have, such as line \
                 breaks; set api_key or {prefix}_API_KEY"
            )),
            _ => Ok(()),
        }
    }
}

/// A URL without user, password and query, which may be secret.
pub(super) fn shown(url: &str) -> String {
    let (address, rest) = match url.split_once(['?', '#']) {
        Some((address, _)) => (address, "?…"),
        None => (url, ""),
    };
    match address.split_once("://") {
        Some((scheme, place)) => {
            let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
            let host =
                host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("…@{host}"));
            format!("{scheme}://{host}{path}{rest}")
        }
        None => format!("{address}{rest}"),
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("provider", &self.provider)
            .field("model", &self.model)
            .field("base_url", &shown(&self.base_url))
            .field("api_key", &self.api_key)
            .field("capabilities", &self.capabilities)
            .field("max_media_bytes", &self.max_media_bytes)
            .field("extra_headers", &self.extra_headers)
            .field("extra_query", &self.extra_query)
            .field("connect_timeout", &self.connect_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("reply_timeout", &self.reply_timeout)
            .field("stream_timeout", &self.stream_timeout)
            .finish()
    }
}
