//! Log messages and progress of servers.
#![expect(deprecated, reason = "servers log by the protocol until a later revision removes it")]

use std::fmt;

use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::shown::Secrets;

/// The severity of a log message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum McpLogLevel {
    /// Details for developers.
    Debug,
    /// What happens.
    Info,
    /// What happens and matters.
    Notice,
    /// What may become a problem.
    Warning,
    /// What failed.
    Error,
    /// What failed and needs somebody.
    Critical,
}

/// A log message of a server. The secrets that the server was given are removed from it, and it is
/// cut at 4 KiB.
///
/// It is logged with `tracing`, and emitted as the event `log` of the worker that calls a tool of
/// the server, if it is the only one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpLog {
    /// The name of the server.
    pub server: String,
    /// The severity.
    pub level: McpLogLevel,
    /// The part of the server that logs, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The message: the text, or the JSON of what was logged.
    pub message: String,
}

/// The progress of a tool call, as the server tells it. It is emitted as the event `progress` of
/// the worker that makes the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpProgress {
    /// How much is done.
    pub progress: f64,
    /// How much there is, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// What is done now, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl McpLogLevel {
    pub(super) fn of(level: LoggingLevel) -> Self {
        match level {
            LoggingLevel::Debug => Self::Debug,
            LoggingLevel::Info => Self::Info,
            LoggingLevel::Notice => Self::Notice,
            LoggingLevel::Warning => Self::Warning,
            LoggingLevel::Error => Self::Error,
            _ => Self::Critical,
        }
    }

    pub(super) fn for_server(self) -> LoggingLevel {
        match self {
            Self::Debug => LoggingLevel::Debug,
            Self::Info => LoggingLevel::Info,
            Self::Notice => LoggingLevel::Notice,
            Self::Warning => LoggingLevel::Warning,
            Self::Error => LoggingLevel::Error,
            Self::Critical => LoggingLevel::Critical,
        }
    }
}

impl McpLog {
    pub(super) fn new(
        server: &str,
        secrets: &Secrets,
        params: &LoggingMessageNotificationParam,
    ) -> Self {
        let message = match &params.data {
            Json::String(text) => text.clone(),
            data => data.to_string(),
        };
        Self {
            server: server.to_owned(),
            level: McpLogLevel::of(params.level),
            logger: params.logger.clone().map(|logger| secrets.shown(logger)),
            message: secrets.shown(message),
        }
    }

    /// Logs the message of the server in the log of this program.
    pub(super) fn trace(&self) {
        let Self { server, level, logger, message } = self;
        let logger = logger.as_deref();
        match level {
            McpLogLevel::Debug => tracing::debug!(server, logger, "{message}"),
            McpLogLevel::Info | McpLogLevel::Notice => tracing::info!(server, logger, "{message}"),
            McpLogLevel::Warning => tracing::warn!(server, logger, "{message}"),
            McpLogLevel::Error | McpLogLevel::Critical => {
                tracing::error!(server, logger, "{message}");
            }
        }
    }
}

impl McpProgress {
    pub(super) fn new(secrets: &Secrets, params: &ProgressNotificationParam) -> Self {
        let ProgressNotificationParam { progress, total, message, .. } = params;
        let message = message.clone().map(|message| secrets.shown(message));
        Self { progress: *progress, total: *total, message }
    }
}

impl fmt::Display for McpProgress {
    /// Writes `3 of 10: reading`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.progress)?;
        if let Some(total) = self.total {
            write!(f, " of {total}")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}
