//! Files, with their metadata.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::FilePurpose;
use super::id::is_local;

/// A file of a [`FileManager`](super::FileManager): its id and its metadata. Cheap to clone.
///
/// A `File` does not change, even when the file is removed.
/// [`FileManager::read`](super::FileManager::read) reads the content by the id.
#[derive(Clone)]
pub struct File(Arc<Record>);

/// The metadata of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) filename: String,
    pub(super) bytes: u64,
    pub(super) media_type: String,
    pub(super) purpose: FilePurpose,
    pub(super) created: SystemTime,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) metadata: Map<String, Json>,
}

impl File {
    pub(super) fn new(record: Record) -> Self {
        Self(Arc::new(record))
    }

    pub(super) fn record(&self) -> &Record {
        &self.0
    }

    /// The id: `file-local-` and a UUID, or the provider's id of a remote file.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The requested name, without folders. It is not the name on disk.
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The size in bytes.
    pub fn len(&self) -> u64 {
        self.0.bytes
    }

    /// Whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The media type, such as `text/plain`.
    pub fn media_type(&self) -> &str {
        &self.0.media_type
    }

    /// The purpose of the file.
    pub fn purpose(&self) -> &FilePurpose {
        &self.0.purpose
    }

    /// When the file was created.
    pub fn created(&self) -> SystemTime {
        self.0.created
    }

    /// The metadata that its creator has added.
    pub fn metadata(&self) -> &Map<String, Json> {
        &self.0.metadata
    }

    /// Whether the file is on this machine. A remote file is at a provider.
    pub fn is_local(&self) -> bool {
        is_local(self.id())
    }
}

/// Compares all metadata.
impl PartialEq for File {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("id", &self.id())
            .field("filename", &self.filename())
            .field("bytes", &self.len())
            .finish_non_exhaustive()
    }
}
