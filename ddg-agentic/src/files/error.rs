//! Errors of files.

use ddg_core::__report::{shown, shown_lines};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::RemoteError;

/// An operation on files failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The manager has no file with this id.
    #[error(
        "no file has the id `{id}`: check that the id is whole and that the file was not deleted; \
         files of another manager are not known here",
        id = shown(.id)
    )]
    NotFound {
        /// The id.
        id: String,
    },
    /// The file is being removed.
    #[error(
        "file `{id}` is being removed: it can no longer be used; make a new one",
        id = shown(.id)
    )]
    Removing {
        /// The id.
        id: String,
    },
    /// The manager is closed, or is being closed.
    #[error("the file manager is closed: it neither creates nor returns files")]
    Closed,
    /// The file is already registered.
    #[error(
        "file `{id}` is registered already: look it up, or use `get_or_retrieve`",
        id = shown(.id)
    )]
    Registered {
        /// The id.
        id: String,
    },
    /// The file would exceed a limit of the manager.
    #[error(
        "{limit} would be {found}, and at most {allowed} are allowed: \
         remove files, or raise `{}`", .limit.setting()
    )]
    Limit {
        /// The limit.
        limit: FileLimit,
        /// The maximum.
        allowed: u64,
        /// The value that exceeds it, as far as it was counted.
        found: u64,
    },
    /// The name is not valid for a file.
    #[error("a file cannot be called {filename:?}: {reason}; give a name such as \"report.txt\"")]
    Filename {
        /// The name.
        filename: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A remote file was requested, but there is no client for remote files.
    #[error(
        "{what}: the file manager has no remote client; give its builder one with `remote`",
        what = shown_lines(.what)
    )]
    NoRemote {
        /// The request.
        what: String,
    },
    /// The purpose is unknown.
    #[error(
        "purpose `{purpose}` is not known{}: use `assistants` or `assistants_output`",
        shown(&listed(.known)), purpose = shown(.purpose)
    )]
    Purpose {
        /// The purpose.
        purpose: String,
        /// The purposes that the remote side knows.
        known: Vec<String>,
    },
    /// A remote file has no path.
    #[error(
        "file `{id}` is remote and has no path on this machine: read it by its id",
        id = shown(.id)
    )]
    NotLocal {
        /// The id.
        id: String,
    },
    /// The path is not that of a file.
    #[error("{} is not a file: {reason}", shown(&path.display()), reason = shown_lines(.reason))]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// A file of the manager, or its folder, has been replaced by something else.
    #[error(
        "{} is no longer what the file manager has written: {reason}; it was left alone",
        shown(&path.display())
    )]
    Replaced {
        /// The path.
        path: PathBuf,
        /// The kind of thing that has replaced it.
        reason: &'static str,
    },
    /// The operating system reported an error.
    #[error(
        "could not {action} {}: {source}",
        shown(&path.display()), source = shown_lines(.source)
    )]
    Io {
        /// The operation, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
    /// The content could not be read to its end.
    #[error(
        "the content of `{filename}` could not be read to its end: {source}",
        filename = shown(.filename), source = shown_lines(.source)
    )]
    Content {
        /// The name of the file that was to be created.
        filename: String,
        /// The error of its stream.
        source: Arc<io::Error>,
    },
    /// The remote side failed.
    #[error("could not {action}: {source}", action = shown(.action))]
    Remote {
        /// The operation, such as "upload `tea.txt`".
        action: String,
        /// The cause.
        source: RemoteError,
    },
    /// The index of files failed.
    #[error(
        "{index}: could not {action}: {source}",
        index = shown(.index), source = shown_lines(.source)
    )]
    Index {
        /// The index.
        index: String,
        /// The operation, such as "read its files".
        action: &'static str,
        /// The cause.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The manager is configured wrongly.
    #[error("file manager: {message}", message = shown_lines(.message))]
    Setup {
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no manager to resolve the id.
    #[error(
        "file `{id}` cannot be looked up here: there is no file manager; give the toolbox one with \
         `state`, or the agent with `files`",
        id = shown(.id)
    )]
    NoManager {
        /// The id.
        id: String,
    },
    /// The runtime shut down during the operation.
    #[error("could not {action}: the runtime has shut down")]
    Shutdown {
        /// The operation.
        action: &'static str,
    },
}

/// The limits of a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileLimit {
    /// The bytes of one file.
    FileBytes,
    /// The bytes of all files.
    TotalBytes,
    /// The number of files.
    Files,
}

impl FileLimit {
    fn setting(self) -> &'static str {
        match self {
            Self::FileBytes => "max_file_bytes",
            Self::TotalBytes => "max_total_bytes",
            Self::Files => "max_files",
        }
    }
}

impl fmt::Display for FileLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FileBytes => "the bytes of the file",
            Self::TotalBytes => "the bytes of all files",
            Self::Files => "the number of files",
        })
    }
}

fn listed(purposes: &[String]) -> String {
    match purposes {
        [] => String::new(),
        purposes => format!(" to the remote side, which knows {}", purposes.join(", ")),
    }
}
