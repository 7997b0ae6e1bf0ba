//! A manager that is being set up.

use std::path::PathBuf;
use std::sync::Arc;

use super::folder::Folder;
use super::index::Index;
use super::limits::Limits;
use super::manager::Shared;
use super::{FileError, FileManager, RemoteFiles};

/// A manager that is being set up; made by [`FileManager::builder`].
///
/// ```
/// use ddg_agentic::files::{FileError, FileManager};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = FileManager::builder().max_file_bytes(1_000_000).max_files(2).build().await?;
/// files.create_from_bytes("one", "1.txt").await?;
/// files.create_from_bytes("two", "2.txt").await?;
/// let error = files.create_from_bytes("three", "3.txt").await.unwrap_err();
/// assert!(matches!(error, FileError::Limit { allowed: 2, .. }));
/// # files.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct FileManagerBuilder {
    save_dir: Option<PathBuf>,
    prune_on_close: Option<bool>,
    remote: Option<Arc<dyn RemoteFiles>>,
    limits: Limits,
    #[cfg(feature = "sqlite")]
    index: Option<PathBuf>,
}

impl FileManagerBuilder {
    /// Sets the folder in which files are kept; it is made if it is missing. Without, it is a temporary
    /// folder that is made on first use and goes when the manager is closed.
    #[must_use]
    pub fn save_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.save_dir = Some(folder.into());
        self
    }

    /// Keeps which files there are in an SQLite database, so that other processes with the same one, and the same
    /// [`save_dir`](Self::save_dir), know them by their ids. It is made if it is missing, and may be
    /// the file in which runs and conversations are kept. Closing does not prune then unless
    /// [`prune_on_close`](Self::prune_on_close) says so, since others may use the files.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn index(mut self, path: impl Into<PathBuf>) -> Self {
        self.index = Some(path.into());
        self
    }

    /// Sets whether [closing](FileManager::close) [prunes](FileManager::prune): yes unless this is set,
    /// or there is an index.
    #[must_use]
    pub fn prune_on_close(mut self, prune: bool) -> Self {
        self.prune_on_close = Some(prune);
        self
    }

    /// Sets a client for remote files. Files are made remote then, unless said otherwise.
    #[must_use]
    pub fn remote(mut self, client: impl RemoteFiles) -> Self {
        self.remote = Some(Arc::new(client));
        self
    }

    /// Sets how many bytes a file may have.
    #[must_use]
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.limits.file_bytes = Some(bytes);
        self
    }

    /// Sets how many bytes all files together may have. What is being made counts.
    #[must_use]
    pub fn max_total_bytes(mut self, bytes: u64) -> Self {
        self.limits.total_bytes = Some(bytes);
        self
    }

    /// Sets how many files there may be. What is being made counts.
    #[must_use]
    pub fn max_files(mut self, files: u64) -> Self {
        self.limits.files = Some(files);
        self
    }

    /// The manager.
    ///
    /// # Errors
    /// The folder cannot be made, or is none; the index cannot be opened or read.
    pub async fn build(self) -> Result<FileManager, FileError> {
        #[cfg(feature = "sqlite")]
        let index = match &self.index {
            None => None,
            Some(path) if self.save_dir.is_some() => Some(Index::open(path).await?),
            Some(path) => {
                let message = format!(
                    "the index `{}` needs a `save_dir`: the files of a temporary folder are gone \
                     when the manager is closed",
                    path.display()
                );
                return Err(FileError::Setup { message });
            }
        };
        #[cfg(not(feature = "sqlite"))]
        let index: Option<Index> = None;
        let Self { save_dir, prune_on_close, remote, limits, .. } = self;
        let folder = match save_dir {
            Some(path) => Folder::given(path).await?,
            None => Folder::temporary(),
        };
        let prune_on_close = prune_on_close.unwrap_or(index.is_none());
        if folder.is_temporary() && !prune_on_close {
            tracing::warn!(
                "`prune_on_close(false)` keeps nothing in a temporary folder, which goes when the \
                 manager is closed: set `save_dir`"
            );
        }
        let mut shared = Shared::new(folder, limits, remote, prune_on_close);
        if let Some(index) = &index {
            let entries = index.load().await?;
            shared.lock().replace(entries);
        }
        shared.index = index;
        Ok(FileManager::with(shared))
    }
}
