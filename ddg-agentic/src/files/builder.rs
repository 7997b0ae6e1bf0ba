//! The builder of file managers.

use std::path::PathBuf;
use std::sync::Arc;

use super::folder::Folder;
use super::index::Index;
use super::limits::Limits;
use super::manager::Shared;
use super::{FileError, FileManager, RemoteFiles};

/// The builder of a file manager, created by [`FileManager::builder`].
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
    /// Sets the folder of the files, which is created if it does not exist. The default is a
    /// temporary folder, which is created on first use and removed when the manager is closed.
    #[must_use]
    pub fn save_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.save_dir = Some(folder.into());
        self
    }

    /// Keeps an index of the files in an SQLite database, which is created if it does not exist,
    /// and may be the file in which runs and conversations are kept.
    ///
    /// Other processes with the same index and the same [`save_dir`](Self::save_dir) resolve the
    /// same ids. Because they may use the files, closing then does not prune unless
    /// [`prune_on_close`](Self::prune_on_close) is set.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn index(mut self, path: impl Into<PathBuf>) -> Self {
        self.index = Some(path.into());
        self
    }

    /// Sets whether [closing](FileManager::close) [prunes](FileManager::prune). The default is yes
    /// without an index, and no with one.
    #[must_use]
    pub fn prune_on_close(mut self, prune: bool) -> Self {
        self.prune_on_close = Some(prune);
        self
    }

    /// Sets a client for remote files. New files are then remote by default.
    #[must_use]
    pub fn remote(mut self, client: impl RemoteFiles) -> Self {
        self.remote = Some(Arc::new(client));
        self
    }

    /// Sets the maximum number of bytes of a file.
    #[must_use]
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.limits.file_bytes = Some(bytes);
        self
    }

    /// Sets the maximum number of bytes of all files together. Files that are being created count.
    #[must_use]
    pub fn max_total_bytes(mut self, bytes: u64) -> Self {
        self.limits.total_bytes = Some(bytes);
        self
    }

    /// Sets the maximum number of files. Files that are being created count.
    #[must_use]
    pub fn max_files(mut self, files: u64) -> Self {
        self.limits.files = Some(files);
        self
    }

    /// Builds the manager.
    ///
    /// # Errors
    /// If the folder cannot be created or is not a folder, and if the index cannot be opened or
    /// read.
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
