//! What is known of a file.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::FilePurpose;
use super::id::is_local;

/// A file of a [`FileManager`](super::FileManager): its id and what is known of it. Cheap to clone.
///
/// It stays as it is, also when the file is removed. The content is read with
/// [`FileManager::read`](super::FileManager::read), by the id.
#[derive(Clone)]
pub struct File(Arc<Record>);

/// What is known of a file.
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

    /// The id: `file-local-` and a UUID, or what the provider of a remote file calls it.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The name that was asked for, without folders. It is not the name on disk.
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The size in bytes.
    pub fn len(&self) -> u64 {
        self.0.bytes
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As `text/plain`.
    pub fn media_type(&self) -> &str {
        &self.0.media_type
    }

    /// What it is for.
    pub fn purpose(&self) -> &FilePurpose {
        &self.0.purpose
    }

    /// When it was made.
    pub fn created(&self) -> SystemTime {
        self.0.created
    }

    /// What its maker has noted.
    pub fn metadata(&self) -> &Map<String, Json> {
        &self.0.metadata
    }

    /// Whether it is on this machine; a remote file is at a provider.
    pub fn is_local(&self) -> bool {
        is_local(self.id())
    }
}

/// Two are the same if all that is known of them is.
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
