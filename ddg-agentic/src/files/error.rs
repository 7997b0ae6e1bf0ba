//! What goes wrong with files.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::RemoteError;

/// Why an operation on files was not done.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// No file of this manager has the id.
    #[error(
        "no file has the id `{id}`: check that the id is whole and that the file was not deleted; \
         files of another manager are not known here"
    )]
    NotFound {
        /// The id.
        id: String,
    },
    /// The removal of the file has begun.
    #[error("file `{id}` is being removed: it can no longer be used; make a new one")]
    Removing {
        /// The id.
        id: String,
    },
    /// The manager is closed, or is being closed.
    #[error("the file manager is closed: it makes and gives no files any more")]
    Closed,
    /// The file is registered already.
    #[error("file `{id}` is registered already: look it up, or use `get_or_retrieve`")]
    Registered {
        /// The id.
        id: String,
    },
    /// It would be more than the manager takes.
    #[error(
        "{limit} would be {found}, and at most {allowed} are allowed: \
         remove files, or raise `{}`", .limit.setting()
    )]
    Limit {
        /// Of what there would be too much.
        limit: FileLimit,
        /// How much is allowed.
        allowed: u64,
        /// How much there would be, as far as it was counted.
        found: u64,
    },
    /// A file cannot have this name.
    #[error("a file cannot be called {filename:?}: {reason}; give a name such as \"report.txt\"")]
    Filename {
        /// The name.
        filename: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A remote file was asked for, and there is no client for remote files.
    #[error("{what}: the file manager has no remote client; give its builder one with `remote`")]
    NoRemote {
        /// What was asked for.
        what: String,
    },
    /// Nobody knows the purpose.
    #[error(
        "purpose `{purpose}` is not known{}: use `assistants` or `assistants_output`",
        listed(.known)
    )]
    Purpose {
        /// The purpose.
        purpose: String,
        /// Those that the remote side knows.
        known: Vec<String>,
    },
    /// A remote file has no path.
    #[error("file `{id}` is remote and has no path on this machine: read it by its id")]
    NotLocal {
        /// The id.
        id: String,
    },
    /// The path names no file.
    #[error("{} is no file: {reason}", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// Somebody has put something else in the place of a file, or of the folder of files.
    #[error(
        "{} is no longer what the file manager has written: {reason}; it was left alone",
        path.display()
    )]
    Replaced {
        /// The path.
        path: PathBuf,
        /// What is there now.
        reason: &'static str,
    },
    /// The operating system failed.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// As `write`.
        action: &'static str,
        /// Of the file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: Arc<io::Error>,
    },
    /// The content that was to be stored could not be read to its end.
    #[error("the content of `{filename}` could not be read to its end: {source}")]
    Content {
        /// The name of the file that was to be made.
        filename: String,
        /// What its stream says.
        source: Arc<io::Error>,
    },
    /// The remote side failed.
    #[error("could not {action}: {source}")]
    Remote {
        /// As "upload `tea.txt`".
        action: String,
        /// Why.
        source: RemoteError,
    },
    /// The index of files failed.
    #[error("{index}: could not {action}: {source}")]
    Index {
        /// The index.
        index: String,
        /// As "read its files".
        action: &'static str,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The manager is set up wrongly.
    #[error("file manager: {message}")]
    Setup {
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no manager to look a file up in.
    #[error(
        "file `{id}` cannot be looked up here: there is no file manager; give the toolbox one with \
         `state`, or the agent with `files`"
    )]
    NoManager {
        /// The id.
        id: String,
    },
    /// The runtime shut down in the middle.
    #[error("could not {action}: the runtime has shut down")]
    Shutdown {
        /// What was under way.
        action: &'static str,
    },
}

/// What a manager bounds.
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
