//! Errors of servers that cannot start.

use ddg_agentic::assistants::AssistantsError;
use ddg_agentic::files::FileError;
use ddg_core::__report::shown_lines;

/// A server could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A setting is wrong.
    #[error("{setting}: {reason}", reason = shown_lines(.reason))]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The database cannot be opened, or an agent cannot be built.
    #[error(transparent)]
    Assistants(#[from] AssistantsError),
    /// The folder of files cannot be opened.
    #[error("the folder of files: {0}")]
    Files(#[from] FileError),
}
