//! The drop guard of a creation.

use std::sync::Arc;

use super::folder::{Part, blocking};
use super::manager::Shared;
use super::registry::Entry;
use super::{File, FileError};

/// Drop guard of a creation: releases its reservation if it ends without a file.
///
/// It moves with the work, also to blocking threads, so that closing waits for work whose caller is
/// gone.
#[derive(Debug)]
pub(super) struct Slot {
    shared: Arc<Shared>,
    held: u64,
    committed: bool,
}

impl Slot {
    /// Begins a creation of `bytes`, as far as the size is known.
    ///
    /// # Errors
    /// If the manager is closed, or a limit would be exceeded.
    pub(super) fn begin(shared: &Arc<Shared>, bytes: u64) -> Result<Self, FileError> {
        shared.lock().reserve_file()?;
        let mut slot = Self { shared: Arc::clone(shared), held: 0, committed: false };
        slot.grow(bytes)?;
        Ok(slot)
    }

    /// Reserves `more` bytes.
    ///
    /// # Errors
    /// If a limit would be exceeded.
    pub(super) fn grow(&mut self, more: u64) -> Result<(), FileError> {
        self.shared.lock().reserve_bytes(self.held, more)?;
        self.held += more;
        Ok(())
    }

    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Registers the file, which makes it visible, and keeps its `part`.
    ///
    /// # Errors
    /// If a file with this id is already registered, or the index failed. The part is removed then.
    pub(super) async fn register(
        self,
        entry: Entry,
        part: Option<Part>,
    ) -> Result<File, FileError> {
        if self.shared.index.is_none() {
            return self.commit(entry, part);
        }
        // A task of its own, so that index and registry agree even if the caller is dropped.
        let task = tokio::spawn(self.index_and_commit(entry, part));
        task.await.unwrap_or(Err(FileError::Shutdown { action: "note a file" }))
    }

    async fn index_and_commit(
        self,
        entry: Entry,
        mut part: Option<Part>,
    ) -> Result<File, FileError> {
        let shared = Arc::clone(&self.shared);
        let Some(index) = &shared.index else { return self.commit(entry, part) };
        if let Some(written) = part {
            part = Some(blocking("write a file", move || written.sync().map(|()| written)).await?);
        }
        let _indexing = shared.indexing.lock().await;
        let is_new = !shared.lock().is_registered(entry.file.id());
        if is_new {
            index.add(&entry).await?;
        }
        self.commit(entry, part)
    }

    fn commit(mut self, entry: Entry, part: Option<Part>) -> Result<File, FileError> {
        let file = entry.file.clone();
        self.shared.commit(self.held, entry)?;
        self.committed = true;
        // There is no `await` after the file has become visible, so the task cannot be dropped in
        // between.
        if let Some(part) = part {
            part.keep();
        }
        Ok(file)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.committed {
            self.shared.lock().release(self.held);
        }
        self.shared.changed();
    }
}
