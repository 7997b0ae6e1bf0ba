//! The registry of ids and files: a pure data structure, without I/O, clock or lock.
//!
//! **Invariant.** An entry is in the registry only while its file is complete: it is added after
//! all has been written, and marked before anything is removed. Running creations are only counted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustc_hash::{FxHashMap, FxHashSet};

use super::limits::Limits;
use super::{File, FileError};

/// The files of a manager, in the order of their creation.
#[derive(Debug, Default)]
pub(super) struct Registry {
    entries: BTreeMap<u64, Entry>,
    by_id: FxHashMap<String, u64>,
    next: u64,
    phase: Phase,
    limits: Limits,
    /// Number of bytes of registered files.
    bytes: u64,
    /// Number of files that are being created, and of their bytes so far.
    reserved_files: u64,
    reserved_bytes: u64,
    n_removals: usize,
}

/// The phase of a manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Open,
    /// New files are refused.
    Closing,
    /// Everything is refused.
    Closed,
}

/// A registered file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) file: File,
    pub(super) place: Place,
    /// Whether the manager has created the file, so that pruning removes it.
    pub(super) owned: bool,
    removing: bool,
}

/// The place of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the manager's folder, under this name.
    Folder(String),
    /// Elsewhere on this machine, and not owned by the manager.
    Path(PathBuf),
    Remote,
}

/// What happens to an entry after an attempt to remove its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    Gone,
    /// The entry stays registered.
    Kept,
}

impl Entry {
    pub(super) fn new(file: File, place: Place, owned: bool) -> Self {
        Self { file, place, owned, removing: false }
    }
}

impl Registry {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Refuses new files from now on.
    pub(super) fn begin_close(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
        }
    }

    /// Removes all entries.
    pub(super) fn close(&mut self) {
        *self = Self { phase: Phase::Closed, ..Self::default() };
    }

    /// Whether there are running creations or retrievals.
    pub(super) fn is_making(&self) -> bool {
        self.reserved_files > 0
    }

    /// Whether there are running removals.
    pub(super) fn is_removing(&self) -> bool {
        self.n_removals > 0
    }

    // Creations. A retrieval counts as one.

    /// Whether new files are accepted.
    pub(super) fn admit(&self) -> Result<(), FileError> {
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Closing | Phase::Closed => Err(FileError::Closed),
        }
    }

    /// Begins a creation.
    pub(super) fn reserve_file(&mut self) -> Result<(), FileError> {
        self.admit()?;
        let files = self.entries.len() as u64 + self.reserved_files + 1;
        self.limits.check(0, self.bytes + self.reserved_bytes, files)?;
        self.reserved_files += 1;
        Ok(())
    }

    /// Reserves `more` bytes for a creation that has reserved `held` bytes.
    pub(super) fn reserve_bytes(&mut self, held: u64, more: u64) -> Result<(), FileError> {
        let total = self.bytes.saturating_add(self.reserved_bytes).saturating_add(more);
        self.limits.check(held.saturating_add(more), total, 0)?;
        self.reserved_bytes += more;
        Ok(())
    }

    /// Ends a creation that has reserved `held` bytes, without a file.
    pub(super) fn release(&mut self, held: u64) {
        self.reserved_files -= 1;
        self.reserved_bytes -= held;
    }

    /// Ends a creation that has reserved `held` bytes, with a file.
    pub(super) fn commit(&mut self, held: u64, entry: Entry) -> Result<(), FileError> {
        self.insert(entry)?;
        self.release(held);
        Ok(())
    }

    fn insert(&mut self, entry: Entry) -> Result<(), FileError> {
        let id = entry.file.id().to_owned();
        if self.by_id.contains_key(&id) {
            return Err(FileError::Registered { id });
        }
        self.bytes = self.bytes.saturating_add(entry.file.len());
        self.by_id.insert(id, self.next);
        self.entries.insert(self.next, entry);
        self.next += 1;
        Ok(())
    }

    /// Makes the registry equal to an index: removes entries that are not in it, and adds new ones.
    /// Running removals are not affected.
    pub(super) fn replace(&mut self, entries: Vec<Entry>) {
        let there: FxHashSet<&str> = entries.iter().map(|entry| entry.file.id()).collect();
        let is_gone =
            |(_, entry): &(&u64, &Entry)| !entry.removing && !there.contains(entry.file.id());
        let gone: Vec<_> = self.entries.iter().filter(is_gone).map(|(seq, _)| *seq).collect();
        for seq in gone {
            self.forget(seq);
        }
        for entry in entries {
            // An entry that exists stays as it is.
            let _ = self.insert(entry);
        }
    }

    fn forget(&mut self, seq: u64) {
        if let Some(entry) = self.entries.remove(&seq) {
            self.by_id.remove(entry.file.id());
            self.bytes = self.bytes.saturating_sub(entry.file.len());
        }
    }

    // Look-ups.

    /// Whether there is an entry for `id`, complete or being removed.
    pub(super) fn is_registered(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The entry for `id`, if it is complete.
    pub(super) fn find(&self, id: &str) -> Result<&Entry, FileError> {
        if self.phase == Phase::Closed {
            return Err(FileError::Closed);
        }
        match self.by_id.get(id).and_then(|seq| self.entries.get(seq)) {
            None => Err(FileError::NotFound { id: id.to_owned() }),
            Some(Entry { removing: true, .. }) => Err(FileError::Removing { id: id.to_owned() }),
            Some(entry) => Ok(entry),
        }
    }

    /// All complete files, in the order of their creation.
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.entries.values().filter(|entry| !entry.removing).map(|entry| &entry.file)
    }

    // Removals.

    /// The numbers of all owned files, oldest first, including those that are being removed.
    pub(super) fn owned(&self) -> Vec<u64> {
        let owned = self.entries.iter().filter(|(_, entry)| entry.owned);
        owned.map(|(seq, _)| *seq).collect()
    }

    /// Begins a removal by id.
    pub(super) fn begin_removal(&mut self, id: &str) -> Result<(u64, Entry), FileError> {
        self.find(id)?;
        let seq = self.by_id[id];
        let entry = self.entries.get_mut(&seq).expect("it has just been found");
        entry.removing = true;
        self.n_removals += 1;
        Ok((seq, entry.clone()))
    }

    /// Begins a removal by number; `None` if the file is gone or is being removed.
    pub(super) fn try_begin_removal(&mut self, seq: u64) -> Option<Entry> {
        let entry = self.entries.get_mut(&seq).filter(|entry| !entry.removing)?;
        entry.removing = true;
        self.n_removals += 1;
        Some(entry.clone())
    }

    /// Whether the entry exists and is being removed.
    pub(super) fn is_being_removed(&self, seq: u64) -> bool {
        self.entries.get(&seq).is_some_and(|entry| entry.removing)
    }

    /// Ends a removal.
    pub(super) fn end_removal(&mut self, seq: u64, removed: Removed) {
        self.n_removals -= 1;
        match removed {
            Removed::Gone => self.forget(seq),
            Removed::Kept => {
                if let Some(entry) = self.entries.get_mut(&seq) {
                    entry.removing = false;
                }
            }
        }
    }
}
