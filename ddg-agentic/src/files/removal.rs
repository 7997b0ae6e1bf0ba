//! How files are removed: one by one, or all that the manager has made.

use std::sync::Arc;

use super::folder::blocking;
use super::manager::Shared;
use super::registry::{Entry, Place, Removed};
use super::{File, FileError, FileManager, RemoteError};

/// What [`FileManager::prune`] has done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PruneReport {
    /// Removed, from the disk or the provider.
    pub deleted: Vec<File>,
    /// Somebody else had removed these before.
    pub missing: Vec<File>,
    /// Remote files that are only forgotten, as their provider cannot remove any.
    pub unregistered: Vec<File>,
    /// Could not be removed, and are registered as before.
    pub failed: Vec<PruneFailure>,
}

/// A file that could not be removed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PruneFailure {
    /// The file.
    pub file: File,
    /// Why.
    pub error: FileError,
}

/// What has become of a file that was to be removed.
enum Done {
    Deleted,
    Missing,
    Unregistered,
}

/// Drop guard of a removal: if it ends without a result, as when the runtime shuts down, the file stays
/// registered.
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
    /// Removes one file. One that the manager has made, here or at a provider, is deleted; of any other
    /// only the registration goes.
    ///
    /// # Errors
    /// No file has the id; its removal has begun; the manager is closed; or the file could not be
    /// removed, and is registered as before.
    ///
    /// # Cancel safety
    /// A removal that has begun goes on.
    pub async fn delete(&self, id: &str) -> Result<(), FileError> {
        let (seq, entry) = self.0.lock().begin_removal(id)?;
        self.0.remove(seq, entry).await.map(|_| ())
    }

    /// Removes what the manager has made, oldest first, and reports what has become of each file. What
    /// others have made stays: paths that were registered, files that were retrieved.
    ///
    /// A failure does not keep it from removing the rest. A closed manager has nothing to remove.
    ///
    /// # Cancel safety
    /// The removal that has begun goes on; the files after it stay.
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
                // Somebody else removes it, who reports it, too.
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

    /// Removes a file whose removal has been begun.
    async fn remove(self: &Arc<Self>, seq: u64, entry: Entry) -> Result<Done, FileError> {
        let removal = Removal { shared: Arc::clone(self), seq, removed: Removed::Kept };
        // In a task of its own, so that a caller who is dropped leaves no file half removed.
        let task = tokio::spawn(async move {
            let mut done = removal.shared.unmake(&entry).await;
            let shared = Arc::clone(&removal.shared);
            let _indexing = shared.indexing.lock().await;
            if let (Ok(_), Some(index)) = (&done, &shared.index)
                && let Err(error) = index.remove(entry.file.id()).await
            {
                // The next try finds the file missing, and goes on from there.
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
