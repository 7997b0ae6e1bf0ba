//! Removal of files: one by one, or all that the manager has created.

use std::sync::Arc;

use super::folder::blocking;
use super::manager::Shared;
use super::registry::{Entry, Place, Removed};
use super::{File, FileError, FileManager, RemoteError};

/// The report of [`FileManager::prune`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PruneReport {
    /// Files that were removed from the disk or the provider.
    pub deleted: Vec<File>,
    /// Files that somebody else had removed before.
    pub missing: Vec<File>,
    /// Remote files that are only unregistered, because their provider cannot delete files.
    pub unregistered: Vec<File>,
    /// Files that could not be removed and are still registered.
    pub failed: Vec<PruneFailure>,
}

/// A file that could not be removed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PruneFailure {
    /// The file.
    pub file: File,
    /// The cause.
    pub error: FileError,
}

/// The result of a removal.
enum Done {
    Deleted,
    Missing,
    Unregistered,
}

/// Drop guard of a removal: if it ends without a result, as when the runtime shuts down, the file
/// stays registered.
struct Removal {
    shared: Arc<Shared>,
    seq: u64,
    removed: Removed,
}

impl Removal {
    fn end(mut self, removed: Removed) {
        self.removed = removed;
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        self.shared.lock().end_removal(self.seq, self.removed);
        self.shared.changed();
    }
}

impl FileManager {
    /// Removes a file. A file that the manager has created, here or at a provider, is deleted; any
    /// other is only unregistered.
    ///
    /// # Errors
    /// If no file has the id, the file is being removed, the manager is closed, or the file could
    /// not be deleted and is still registered.
    ///
    /// # Cancel safety
    /// A removal that has begun continues if the future is dropped.
    pub async fn delete(&self, id: &str) -> Result<(), FileError> {
        let (seq, entry) = self.0.lock().begin_removal(id)?;
        self.0.remove(seq, entry).await.map(|_| ())
    }

    /// Deletes the files that the manager has created, oldest first, and reports what happened to
    /// each. Other files stay: registered paths, and retrieved files.
    ///
    /// It continues after a failure. A closed manager has nothing to delete.
    ///
    /// # Cancel safety
    /// If the future is dropped, the current removal continues, and the files after it stay.
    pub async fn prune(&self) -> PruneReport {
        self.0.prune().await
    }
}

impl Shared {
    pub(super) async fn prune(self: &Arc<Self>) -> PruneReport {
        let mut report = PruneReport::default();
        let owned = self.lock().owned();
        for seq in owned {
            let begun = self.lock().try_begin_removal(seq);
            let Some(entry) = begun else {
                // Another call is removing it, and reports it as well.
                self.until(|registry| !registry.is_being_removed(seq)).await;
                continue;
            };
            let file = entry.file.clone();
            match self.remove(seq, entry).await {
                Ok(Done::Deleted) => report.deleted.push(file),
                Ok(Done::Missing) => report.missing.push(file),
                Ok(Done::Unregistered) => report.unregistered.push(file),
                Err(error) => report.failed.push(PruneFailure { file, error }),
            }
        }
        report
    }

    /// Removes a file after its removal has begun.
    async fn remove(self: &Arc<Self>, seq: u64, entry: Entry) -> Result<Done, FileError> {
        let removal = Removal { shared: Arc::clone(self), seq, removed: Removed::Kept };
        // A task of its own, so that a dropped caller does not leave a file half removed.
        let task = tokio::spawn(async move {
            let mut done = removal.shared.unmake(&entry).await;
            let shared = Arc::clone(&removal.shared);
            let _indexing = shared.indexing.lock().await;
            if let (Ok(_), Some(index)) = (&done, &shared.index)
                && let Err(error) = index.remove(entry.file.id()).await
            {
                // The next attempt finds the file missing, and continues from there.
                done = Err(error);
            }
            removal.end(if done.is_ok() { Removed::Gone } else { Removed::Kept });
            done
        });
        task.await.unwrap_or(Err(FileError::Shutdown { action: "remove a file" }))
    }

    async fn unmake(self: &Arc<Self>, entry: &Entry) -> Result<Done, FileError> {
        if !entry.owned {
            return Ok(Done::Unregistered);
        }
        match &entry.place {
            Place::Path(_) => Ok(Done::Unregistered),
            Place::Folder(name) => {
                let (shared, name) = (Arc::clone(self), name.clone());
                blocking("remove a file", move || match shared.folder.existing() {
                    Some(root) if root.remove(&name)? => Ok(Done::Deleted),
                    _ => Ok(Done::Missing),
                })
                .await
            }
            Place::Remote => {
                let id = entry.file.id();
                match self.remote("remove a remote file")?.delete(id).await {
                    Ok(()) => Ok(Done::Deleted),
                    Err(RemoteError::NotFound { .. }) => Ok(Done::Missing),
                    Err(RemoteError::Unsupported { .. }) => Ok(Done::Unregistered),
                    Err(source) => {
                        Err(FileError::Remote { action: format!("remove `{id}`"), source })
                    }
                }
            }
        }
    }
}
