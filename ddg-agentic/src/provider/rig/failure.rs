//! Converts failures into errors of this crate, without the key.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use rig_core::ProviderResponseError;
use rig_core::error::ProviderError;
use rig_core::http_client::Error as HttpError;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::super::retry_after::{retry_after, retry_after_of};
use super::super::settings::{Settings, shown};
use super::bounded::TooLarge;
use super::client::Stalled;
use super::not_a_stream::NotAStream;
use crate::model::{ChatReply, ChatRequest, ExtraPairs, FinishReason, ModelError};

/// Names of transient errors of providers that send no status.
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

/// Maximum number of characters shown of a body that is not JSON.
const MOST_TOLD: usize = 300;

/// Minimum length of the value of an extra header or query parameter that is removed from messages.
/// Shorter ones can be guessed, and may be part of an unrelated message.
const SHORTEST_SECRET: usize = 5;

/// Converts the failures of one model.
#[derive(Clone)]
pub(super) struct Failures {
    model: String,
    /// The key, and the values of extra headers and query parameters: what messages must not show.
    secrets: Vec<String>,
    /// Where the address is set, and what it is.
    address: String,
    connect_timeout: Duration,
    pub(super) reply_timeout: Duration,
}

impl Failures {
    pub(super) fn new(settings: &Settings) -> Self {
        let key = settings.api_key.as_ref().map(|key| key.expose().to_owned());
        let (prefix, address) = (settings.provider.prefix(), shown(&settings.base_url));
        let mut failures = Self {
            model: settings.model.clone(),
            secrets: key.into_iter().filter(|key| !key.is_empty()).collect(),
            address: format!("check base_url or {prefix}_BASE_URL, which is {address}"),
            connect_timeout: settings.connect_timeout,
            reply_timeout: settings.reply_timeout,
        };
        failures.keep_secret([&settings.extra_headers, &settings.extra_query]);
        failures
    }

    /// Converts the failures of one request.
    pub(super) fn of_request(&self, request: &ChatRequest) -> Self {
        let mut failures = self.clone();
        failures.keep_secret([&request.extra_headers, &request.extra_query]);
        failures
    }

    /// Keeps the values out of messages.
    fn keep_secret(&mut self, extras: [&ExtraPairs; 2]) {
        let values = extras.into_iter().flat_map(|pairs| pairs.iter().map(|(_, value)| value));
        let values = values.filter(|value| value.len() >= SHORTEST_SECRET);
        self.secrets.extend(values.map(str::to_owned));
        // A secret that contains another is removed as a whole.
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    pub(super) fn timed_out(&self, after: Duration) -> ModelError {
        ModelError::TimedOut { model: self.model.clone(), after }
    }

    /// The failure of a reply that is not a stream, which cannot have broken off.
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
            ProviderError::Truncated => ModelError::BrokenOff { model: self.model.clone() },
            ProviderError::Request(error) => self.setup(&error.to_string()),
            ProviderError::UnsupportedOption(option) => self.setup(&option.to_string()),
            ProviderError::Url(error) => self.setup(&error.to_string()),
            ProviderError::Json(error) => self.malformed(&error.to_string()),
            ProviderError::Response(what) => self.malformed(what),
            ProviderError::Provider(what) => self.failed(what, false),
            other => self.failed(&other.to_string(), other.is_retryable()),
        }
    }

    /// The provider has answered with an error, possibly with the status of a success.
    fn of_response(&self, response: &ProviderResponseError, retryable: bool) -> ModelError {
        let headers = response.headers.as_ref();
        self.of_answer(Answered {
            status: response.status.filter(|status| !status.is_success()).map(|s| s.as_u16()),
            body: &response.body,
            code: response.machine_code(),
            retry_after: headers.and_then(|headers| retry_after_of(headers, SystemTime::now())),
            retryable,
        })
    }

    fn of_answer(&self, answered: Answered<'_>) -> ModelError {
        let Answered { status, body, code, retry_after, retryable } = answered;
        let message = told(body);
        let status = status.or_else(|| status_in(body));
        let retry_after = retry_after.or_else(|| retry_delay_in(body));
        let code = code.or_else(|| code_in(body));
        let is = |name: &str| code.as_deref() == Some(name);
        if OVERFLOWS.into_iter().any(is) || says_overflow(&message) {
            let (model, message) = (self.model.clone(), self.clean(&message));
            return ModelError::ContextOverflow { model, message };
        }
        match status {
            // What is used up does not come back by waiting.
            Some(status) if is("insufficient_quota") => {
                self.failed(&format!("{status} insufficient_quota: {message}"), false)
            }
            Some(status) => {
                let is_elsewhere = matches!(status, 404 | 405) && !is_json(body);
                let hint = if is_elsewhere { format!("; {}", self.address) } else { String::new() };
                ModelError::Status {
                    model: self.model.clone(),
                    status,
                    message: self.clean(&format!("{message}{hint}")),
                    retry_after,
                }
            }
            None => {
                let passes = PASSES.into_iter().any(is);
                self.failed(&message, retryable || passes)
            }
        }
    }

    /// The reply, if it has not ended with an error.
    pub(super) fn ended(&self, reply: ChatReply) -> Result<ChatReply, ModelError> {
        self.finish(reply.finish.clone())?;
        Ok(reply)
    }

    /// Why a reply has ended, if that is no error: some gateways break a reply off so.
    pub(super) fn finish(&self, finish: FinishReason) -> Result<FinishReason, ModelError> {
        match finish {
            FinishReason::Other(reason) if reason.eq_ignore_ascii_case("error") => {
                Err(self.failed("it broke off with an error", true))
            }
            finish => Ok(finish),
        }
    }

    /// The provider has not answered, or not completely.
    fn of_http(&self, error: &HttpError) -> ModelError {
        match error {
            HttpError::Instance(error) => {
                if let Some(Stalled { after }) = error.downcast_ref() {
                    return self.timed_out(*after);
                }
                if let Some(error) = error.downcast_ref::<TooLarge>() {
                    return self.malformed(&error.to_string());
                }
                if let Some(NotAStream { body, retry_after }) = error.downcast_ref() {
                    return self.of_answer(Answered {
                        retry_after: *retry_after,
                        ..Answered::new(None, body)
                    });
                }
                match error.downcast_ref::<reqwest::Error>() {
                    Some(error) if error.is_timeout() => self.timed_out(self.connect_timeout),
                    Some(error) if error.is_builder() => self.setup(&without_query(error)),
                    Some(error) if error.is_connect() => {
                        let message = without_query(error);
                        self.connection(&format!("{message}; {}", self.address))
                    }
                    Some(error) => self.connection(&without_query(error)),
                    None => self.connection(&chain(&**error)),
                }
            }
            HttpError::StreamEnded => self.connection("the connection closed"),
            HttpError::InvalidContentType(found) => {
                let found = found.to_str().unwrap_or("unknown");
                self.malformed(&format!("it is {found}; {}", self.address))
            }
            HttpError::InvalidStatusCodeWithDetails { status, body, .. } => {
                self.of_answer(Answered::new(Some(status.as_u16()), body))
            }
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
        let cut = |message: String, secret: &String| match message.contains(secret) {
            true => message.replace(secret, "…"),
            false => message,
        };
        self.secrets.iter().fold(message.to_owned(), cut)
    }
}

/// The message in the body of an error, if it has a known form.
pub(crate) fn told(body: &str) -> String {
    let json: Json = serde_json::from_str(body).unwrap_or_default();
    let json = json.get(0).unwrap_or(&json);
    let places = [
        json.pointer("/error/message"),
        json.pointer("/response/error/message"),
        json.get("message"),
        json.get("error"),
    ];
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

/// An error that a provider has answered with.
struct Answered<'a> {
    status: Option<u16>,
    body: &'a str,
    /// What the provider calls it.
    code: Option<String>,
    retry_after: Option<Duration>,
    retryable: bool,
}

impl<'a> Answered<'a> {
    fn new(status: Option<u16>, body: &'a str) -> Self {
        Self { status, body, code: None, retry_after: None, retryable: false }
    }
}

/// What providers call a conversation that is too long.
const OVERFLOWS: [&str; 3] =
    ["context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"];

/// Whether a provider says that the conversation is too long, in the words that they have for it.
fn says_overflow(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "maximum context length",
        "context length exceeded",
        "context window",
        "exceed context limit",
        "exceeds the available context size",
        "prompt is too long",
        "input is too long",
        "input token count",
        "reduce the length of the messages",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// The field `name` of the error in a body.
fn in_error(body: &str, name: &str) -> Option<Json> {
    let json: Json = serde_json::from_str(body).ok()?;
    let json = json.get(0).unwrap_or(&json);
    // A response that has failed has its error within it.
    let error = json.get("error").filter(|error| !error.is_null());
    error.or_else(|| json.pointer("/response/error"))?.get(name).cloned()
}

/// The HTTP status in the body of an error, where it has one as its code, in digits or as a text.
fn status_in(body: &str) -> Option<u16> {
    let code = in_error(body, "code")?;
    let code = code.as_u64().or_else(|| code.as_str()?.trim().parse().ok());
    u16::try_from(code.filter(|code| (400..600).contains(code))?).ok()
}

/// The time to wait in the body of an error, where Google's APIs have it: seconds, as `34.07s`.
fn retry_delay_in(body: &str) -> Option<Duration> {
    let details = in_error(body, "details")?;
    let delay = details.as_array()?.iter().find_map(|detail| detail.get("retryDelay"))?;
    retry_after(delay.as_str()?.strip_suffix('s')?, SystemTime::now())
}

/// What the body of an error calls it.
fn code_in(body: &str) -> Option<String> {
    let text = |name| in_error(body, name)?.as_str().map(str::to_owned);
    text("code").filter(|code| code.parse::<u16>().is_err()).or_else(|| text("type"))
}

fn is_json(body: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(body).is_ok()
}

/// An error and its causes, without the query of the URL, which may be secret.
fn without_query(error: &reqwest::Error) -> String {
    let told = chain(error);
    match error.url().map(reqwest::Url::as_str) {
        Some(url) => told.replace(url, &shown(url)),
        None => told,
    }
}

/// An error and its causes, each shown once.
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
