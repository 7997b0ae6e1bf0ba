//! Where models are asked: the settings of a key, and those of the server.

use std::sync::Arc;

use ddg_agentic::ChatModel;
use ddg_agentic::model::OfflineModel;
use ddg_agentic::provider::{ApiKey, OpenAi};

/// The name of the model that needs no network.
pub(crate) const OFFLINE: &str = "offline";

/// Settings of an upstream; what is missing is that of the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Upstream {
    pub(crate) base_url: Option<String>,
    pub(crate) api_key: Option<ApiKey>,
    /// The model of all runs, whatever a request says.
    pub(crate) model: Option<String>,
}

impl Upstream {
    /// Checks the URL. The error does not contain it: it may have a password.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &self.base_url {
            Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) => {
                Err("`base_url` is no URL; write one that begins with http:// or https://".into())
            }
            _ => Ok(()),
        }
    }

    /// The settings of `self`, and those of `server` where `self` has none. A key of the server is
    /// sent only to the server's own URL.
    pub(crate) fn over(self, server: &Self) -> Self {
        let is_own_url = self.base_url.is_some();
        Self {
            base_url: self.base_url.or_else(|| server.base_url.clone()),
            api_key: self.api_key.or_else(|| server.api_key.clone().filter(|_| !is_own_url)),
            model: self.model,
        }
    }

    /// The model `name` of the upstream.
    pub(crate) fn chat_model(&self, name: &str) -> Arc<dyn ChatModel> {
        if name == OFFLINE {
            return Arc::new(OfflineModel::new());
        }
        let mut model = OpenAi::new(name);
        if let Some(url) = &self.base_url {
            model = model.base_url(url);
        }
        if let Some(key) = &self.api_key {
            model = model.api_key(key.clone());
        }
        Arc::new(model)
    }
}
