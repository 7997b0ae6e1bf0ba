//! A creation that is under way, as a guard.

use std::sync::Arc;

use super::folder::Part;
use super::manager::Shared;
use super::registry::Entry;
use super::{File, FileError};

/// Drop guard of a creation: what was reserved for it is free again when it ends without a file.
///
/// It goes wherever the work goes, also to threads that may block, so that closing waits for work whose
/// caller is gone.
#[derive(Debug)]
pub(super) struct Slot {
    shared: Arc<Shared>,
    held: u64,
    committed: bool,
}

impl Slot {
    /// Begins a creation of `bytes`, as far as is known.
    ///
    /// # Errors
    /// The manager is closed, or it would be too much.
    pub(super) fn begin(shared: &Arc<Shared>, bytes: u64) -> Result<Self, FileError> {
        shared.lock().reserve_file()?;
        let mut slot = Self { shared: Arc::clone(shared), held: 0, committed: false };
        slot.grow(bytes)?;
        Ok(slot)
    }

    /// Reserves `more` bytes.
    ///
    /// # Errors
    /// It would be too much.
    pub(super) fn grow(&mut self, more: u64) -> Result<(), FileError> {
        self.shared.lock().reserve_bytes(self.held, more)?;
        self.held += more;
        Ok(())
    }

    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Registers the file: from here on everybody sees it.
    ///
    /// # Errors
    /// A file of that id is registered already.
    pub(super) async fn register(mut self, entry: Entry) -> Result<File, FileError> {
        let file = entry.file.clone();
        self.shared.lock().commit(self.held, entry)?;
        self.committed = true;
        Ok(file)
    }

    /// Registers a file of ours, which is kept then.
    ///
    /// # Errors
    /// A file of that id is registered already; the part is removed.
    pub(super) async fn register_part(self, entry: Entry, part: Part) -> Result<File, FileError> {
        let file = self.register(entry).await?;
        part.keep();
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
