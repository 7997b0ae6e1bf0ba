//! The models of runs: which model a tenant's request leads to.

use std::sync::{Arc, Mutex, PoisonError};

use ddg_agentic::{ChatModel, assistants};

use crate::keys::Keys;
use crate::tenant::Tenant;
use crate::upstream::{OFFLINE, Upstream};

/// Maximum number of models that are kept, with the connections to their providers.
const MOST_KEPT: usize = 64;

/// Resolves models: the settings of a key before those of the server.
pub(crate) struct Models {
    keys: Option<Keys>,
    server: Upstream,
    /// Models that were used last, the newest last.
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    upstream: Upstream,
    name: String,
    model: Arc<dyn ChatModel>,
}

/// A key is not in the list any more.
const GONE: &str = "the key that owns this run is not a key of the server any more; put it back into \
                    the list of keys, or start the run with another key";

impl Models {
    pub(crate) fn new(keys: Option<Keys>, server: Upstream) -> Self {
        Self { keys, server, kept: Mutex::default() }
    }

    /// The name that `/models` lists for a tenant.
    pub(crate) fn configured(&self, tenant: &Tenant) -> Option<String> {
        let own = self.upstream(tenant.as_str()).ok().and_then(|upstream| upstream.model);
        own.or_else(|| self.server.model.clone())
    }

    /// The name of the model of a tenant that asks for `model`. A server without a network has one
    /// model, except for keys with an upstream of their own.
    fn name_for(&self, tenant: &str, model: &str) -> String {
        let is_offline = self.server.model.as_deref() == Some(OFFLINE);
        let own = self.keys.as_ref().and_then(|keys| keys.upstream(tenant));
        let has_own_url = own.is_some_and(|own| own.base_url.is_some());
        if is_offline && !has_own_url { OFFLINE.to_owned() } else { model.to_owned() }
    }

    /// The settings of a tenant, read anew each time, because the keys may have been reloaded.
    fn upstream(&self, tenant: &str) -> Result<Upstream, String> {
        let own = match &self.keys {
            None => Upstream::default(),
            Some(keys) => keys.upstream(tenant).ok_or_else(|| GONE.to_owned())?,
        };
        Ok(own.over(&self.server))
    }
}

impl assistants::Models for Models {
    fn model(&self, tenant: &str, model: &str) -> Result<Arc<dyn ChatModel>, String> {
        let upstream = self.upstream(tenant)?;
        let name = upstream.model.clone().unwrap_or_else(|| self.name_for(tenant, model));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|kept| kept.upstream == upstream && kept.name == name);
        let found = match found {
            Some(place) => kept.remove(place),
            None => Kept { model: upstream.chat_model(&name), upstream, name },
        };
        let model = Arc::clone(&found.model);
        if kept.len() == MOST_KEPT {
            kept.remove(0);
        }
        kept.push(found);
        Ok(model)
    }
}
