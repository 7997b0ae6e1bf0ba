//! Limits of a manager.

use super::{FileError, FileLimit};

/// Limits of a manager; `None` means no limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) file_bytes: Option<u64>,
    pub(super) total_bytes: Option<u64>,
    pub(super) files: Option<u64>,
}

impl Limits {
    /// Checks a file of `bytes`, if there are `files` of `total_bytes` with it.
    pub(super) fn check(&self, bytes: u64, total_bytes: u64, files: u64) -> Result<(), FileError> {
        let within = |limit, allowed: Option<u64>, found| match allowed {
            Some(allowed) if found > allowed => Err(FileError::Limit { limit, allowed, found }),
            _ => Ok(()),
        };
        within(FileLimit::FileBytes, self.file_bytes, bytes)?;
        within(FileLimit::Files, self.files, files)?;
        within(FileLimit::TotalBytes, self.total_bytes, total_bytes)
    }
}
