//! Closes a manager.

use std::sync::Arc;

use super::folder::blocking;
use super::registry::Phase;
use super::{FileError, FileManager, PruneReport};

impl FileManager {
    /// Closes the manager, in this order:
    ///
    /// 1. New files are refused with [`FileError::Closed`].
    /// 2. Creations, retrievals and removals that are running are waited for.
    /// 3. Files are [pruned](Self::prune), unless
    ///    [`prune_on_close`](super::FileManagerBuilder::prune_on_close) says no.
    /// 4. The temporary folder is removed.
    /// 5. From here on every call is refused.
    ///
    /// It can be called any number of times, also concurrently. All calls wait until the manager is
    /// closed, and the one that closed it returns what was pruned.
    ///
    /// # Errors
    /// If the temporary folder could not be removed. The manager is closed nevertheless.
    ///
    /// # Cancel safety
    /// If the future is dropped, the manager refuses new files, and the next call finishes the
    /// work.
    pub async fn close(&self) -> Result<PruneReport, FileError> {
        let shared = &self.0;
        shared.lock().begin_close();
        let _closing = shared.closing.lock().await;
        if shared.lock().phase() == Phase::Closed {
            return Ok(PruneReport::default());
        }
        shared.until(|registry| !registry.is_making()).await;
        let report = match shared.prune_on_close {
            true => shared.prune().await,
            false => PruneReport::default(),
        };
        shared.until(|registry| !registry.is_removing()).await;
        let folder = Arc::clone(shared);
        let removed =
            blocking("remove the temporary folder", move || folder.folder.remove_temporary()).await;
        if let Some(index) = &shared.index {
            index.close().await;
        }
        shared.lock().close();
        removed.map(|()| report)
    }
}
