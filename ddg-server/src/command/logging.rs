//! Logs of the command, on standard error.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The form of the lines of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins to write logs. `filter` has the form of `RUST_LOG`.
pub(super) fn begin(format: LogFormat, filter: &str) -> Result<(), String> {
    let parsed = EnvFilter::try_new(filter).map_err(|error| {
        format!("--log {filter:?}: {error}; write a level such as info, or ddg_server=debug,warn")
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    let begun = match format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    begun.map_err(|error| format!("logs cannot be written: {error}"))
}
