//! Settings from the environment.

use std::env::{self, VarError};

use super::api::Provider;
use super::key::ApiKey;
use super::settings::Settings;
use crate::model::ModelError;

/// Reads the settings from the environment variables of `provider`.
pub(super) fn settings(provider: Provider) -> Result<Settings, ModelError> {
    let name = |what: &str| format!("{}_{what}", provider.prefix());
    let Some(model) = variable(&name("MODEL"))? else {
        let message = format!("{} is not set; it names the model to ask", name("MODEL"));
        return Err(ModelError::Setup { message });
    };
    let mut settings = Settings::new(provider, model);
    if let Some(base_url) = variable(&name("BASE_URL"))? {
        settings.base_url = base_url;
    }
    settings.api_key = variable(&name("API_KEY"))?.map(ApiKey::from);
    Ok(settings)
}

pub(crate) fn variable(name: &str) -> Result<Option<String>, ModelError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(ModelError::Setup { message: format!("{name} is not UTF-8") })
        }
    }
}
