//! What went wrong, in our words, without the key.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use rig_core::ProviderResponseError;
use rig_core::error::ProviderError;
use rig_core::http_client::Error as HttpError;
use serde_json::Value as Json;

use super::super::key::ApiKey;
use super::super::retry_after::retry_after;
use super::super::settings::Settings;
use super::client::Stalled;
use crate::model::ModelError;

/// What providers call errors that pass, where they give no status.
const PASSES: [&str; 10] = [
    "api_error",
    "internal_server_error",
    "overloaded_error",
    "rate_limit_error",
    "rate_limit_exceeded",
    "server_error",
    "timeout_error",
    "INTERNAL",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
];

/// How much of a body that is no JSON is told, in characters.
const MOST_TOLD: usize = 300;

/// What goes wrong with one model.
#[derive(Clone)]
pub(super) struct Failures {
    model: String,
    key: Option<ApiKey>,
    connect_timeout: Duration,
    pub(super) reply_timeout: Duration,
}

impl Failures {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            model: settings.model.clone(),
            key: settings.api_key.clone(),
            connect_timeout: settings.connect_timeout,
            reply_timeout: settings.reply_timeout,
        }
    }

    pub(super) fn timed_out(&self, after: Duration) -> ModelError {
        ModelError::TimedOut { model: self.model.clone(), after }
    }

    /// What goes wrong with a reply that is no stream, of which nothing can have broken off.
    pub(super) fn of_whole(&self, error: &ProviderError) -> ModelError {
        match error {
            ProviderError::Truncated => self.malformed("there is no message in it"),
            error => self.of(error),
        }
    }

    pub(super) fn of(&self, error: &ProviderError) -> ModelError {
        if let Some(response) = error.provider_response() {
            return self.of_response(response, error.is_retryable());
        }
        match error {
            ProviderError::Http(error) => self.of_http(error),
            ProviderError::Truncated => {
                self.connection("the stream of its reply broke off before the end")
            }
            ProviderError::Request(error) => self.setup(&error.to_string()),
            ProviderError::UnsupportedOption(option) => self.setup(&option.to_string()),
            ProviderError::Url(error) => self.setup(&error.to_string()),
            ProviderError::Json(error) => self.malformed(&error.to_string()),
            ProviderError::Response(what) => self.malformed(what),
            ProviderError::Provider(what) => self.failed(what, false),
            other => self.failed(&other.to_string(), other.is_retryable()),
        }
    }

    /// The provider has answered with an error, though perhaps with the status of a reply.
    fn of_response(&self, response: &ProviderResponseError, retryable: bool) -> ModelError {
        let message = told(&response.body);
        let status = response.status.filter(|status| !status.is_success());
        let Some(status) = status.map(|status| status.as_u16()).or_else(|| code(&response.body))
        else {
            let passes = response.machine_code().is_some_and(|code| PASSES.contains(&&*code));
            return self.failed(&message, retryable || passes);
        };
        let header = response.headers.as_ref().and_then(|headers| headers.get("retry-after"));
        let header = header.and_then(|header| header.to_str().ok());
        ModelError::Status {
            model: self.model.clone(),
            status,
            message: self.clean(&message),
            retry_after: header.and_then(|header| retry_after(header, SystemTime::now())),
        }
    }

    /// The provider has not answered, or not to the end.
    fn of_http(&self, error: &HttpError) -> ModelError {
        match error {
            HttpError::Instance(error) => {
                if let Some(Stalled { after }) = error.downcast_ref() {
                    return self.timed_out(*after);
                }
                match error.downcast_ref::<reqwest::Error>() {
                    Some(error) if error.is_timeout() => self.timed_out(self.connect_timeout),
                    Some(error) if error.is_builder() => self.setup(&chain(error)),
                    _ => self.connection(&chain(&**error)),
                }
            }
            HttpError::StreamEnded => self.connection("the connection closed"),
            HttpError::InvalidContentType(found) => {
                let found = found.to_str().unwrap_or("unknown");
                self.malformed(&format!("it is {found}; is the address that of the API?"))
            }
            HttpError::InvalidStatusCodeWithDetails { status, body, .. } => ModelError::Status {
                model: self.model.clone(),
                status: status.as_u16(),
                message: self.clean(&told(body)),
                retry_after: None,
            },
            other => self.setup(&other.to_string()),
        }
    }

    fn connection(&self, message: &str) -> ModelError {
        ModelError::Connection { model: self.model.clone(), message: self.clean(message) }
    }

    fn malformed(&self, message: &str) -> ModelError {
        ModelError::Malformed { model: self.model.clone(), message: self.clean(message) }
    }

    fn failed(&self, message: &str, retryable: bool) -> ModelError {
        let (model, message) = (self.model.clone(), self.clean(message));
        ModelError::Failed { model, message, retryable }
    }

    fn setup(&self, message: &str) -> ModelError {
        let message = format!("model `{}`: it cannot be asked this: {message}", self.model);
        ModelError::Setup { message: self.clean(&message) }
    }

    fn clean(&self, message: &str) -> String {
        self.key.as_ref().map_or_else(|| message.to_owned(), |key| key.cut_from(message))
    }
}

/// What the body of an error says: its message, if it is in a form that providers use.
pub(crate) fn told(body: &str) -> String {
    let json: Json = serde_json::from_str(body).unwrap_or_default();
    let json = json.get(0).unwrap_or(&json);
    let places = [json.pointer("/error/message"), json.get("message"), json.get("error")];
    if let Some(message) = places.into_iter().flatten().find_map(Json::as_str) {
        return message.to_owned();
    }
    let body = body.trim();
    match body.char_indices().nth(MOST_TOLD) {
        _ if body.is_empty() => "nothing more".to_owned(),
        Some((end, _)) => format!("{}…", &body[..end]),
        None => body.to_owned(),
    }
}

/// The HTTP status in the body of an error, where it has one as its code.
fn code(body: &str) -> Option<u16> {
    let json: Json = serde_json::from_str(body).ok()?;
    let code = json.pointer("/error/code")?.as_u64().filter(|code| (400..600).contains(code))?;
    u16::try_from(code).ok()
}

/// An error and what is behind it, each told once.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !told.contains(&more) {
            told = format!("{told}: {more}");
        }
        source = error.source();
    }
    told
}
