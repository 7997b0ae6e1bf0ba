//! Responses of OpenAI about files.

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::super::RemoteFile;
use crate::files::FilePurpose;

/// A file object. Compatible servers leave some fields out.
#[derive(Deserialize)]
pub(super) struct FileObject {
    id: String,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    created_at: u64,
    purpose: Option<String>,
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct FileList {
    pub(super) data: Vec<FileObject>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// The result of a deletion.
#[derive(Deserialize)]
pub(super) struct Deletion {
    pub(super) deleted: bool,
}

impl FileObject {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn into_file(self) -> RemoteFile {
        let created = UNIX_EPOCH.checked_add(Duration::from_secs(self.created_at));
        let purpose = self.purpose.map_or(FilePurpose::Assistants, FilePurpose::from);
        let filename = if self.filename.is_empty() { self.id.clone() } else { self.filename };
        RemoteFile::new(self.id, filename, self.bytes)
            .purpose(purpose)
            .created(created.unwrap_or(UNIX_EPOCH))
    }
}
