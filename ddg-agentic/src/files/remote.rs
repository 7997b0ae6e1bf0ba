//! Files at a provider: what a client of one has to offer.

mod error;
#[cfg(feature = "providers")]
mod openai;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

pub use error::RemoteError;
#[cfg(feature = "providers")]
pub use openai::OpenAiFiles;

use super::FilePurpose;

/// What a method of [`RemoteFiles`] gives.
pub type RemoteFuture<'a, T> = BoxFuture<'a, Result<T, RemoteError>>;

/// The content of a remote file, piece by piece.
pub type RemoteContent = BoxStream<'static, Result<Bytes, RemoteError>>;

/// A client for files at a provider, given to a manager with
/// [`remote`](super::FileManagerBuilder::remote).
///
/// With the feature `providers` there is one for the Files API of OpenAI, `OpenAiFiles`.
pub trait RemoteFiles: Send + Sync + 'static {
    /// What errors and logs call it.
    fn name(&self) -> &str;

    /// The purposes that the provider knows; others are refused before they are sent.
    fn purposes(&self) -> &[&'static str] {
        &["assistants", "assistants_output"]
    }

    /// Stores a file at the provider.
    ///
    /// # Errors
    /// The provider refuses it, or cannot be reached.
    fn upload(&self, upload: FileUpload) -> RemoteFuture<'_, RemoteFile>;

    /// What the provider knows of a file.
    ///
    /// # Errors
    /// There is no such file, or the provider cannot be reached.
    fn retrieve<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteFile>;

    /// The content of a file.
    ///
    /// # Errors
    /// There is no such file, the provider does not give it, or cannot be reached.
    fn content<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteContent>;

    /// All files at the provider.
    ///
    /// # Errors
    /// The provider cannot be reached.
    fn list(&self) -> RemoteFuture<'_, Vec<RemoteFile>>;

    /// Removes a file from the provider.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`] if there is none, [`RemoteError::Unsupported`] if files cannot be
    /// removed there: a manager then only forgets them.
    fn delete<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, ()>;

    /// Whether [`temporary_url`](Self::temporary_url) gives any. `false` unless overridden.
    fn has_temporary_urls(&self) -> bool {
        false
    }

    /// An address from which anybody can read the file until `expiry` has passed.
    ///
    /// # Errors
    /// The provider gives none, as unless this is overridden.
    fn temporary_url<'a>(&'a self, id: &'a str, expiry: Duration) -> RemoteFuture<'a, String> {
        let _ = (id, expiry);
        Box::pin(async { Err(RemoteError::Unsupported { what: "give temporary URLs" }) })
    }
}

/// What is to be stored at a provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileUpload {
    /// The name of the file.
    pub filename: String,
    /// As `text/plain`.
    pub media_type: String,
    /// What it is for.
    pub purpose: FilePurpose,
    /// How many bytes it has.
    pub len: u64,
    /// The bytes.
    pub content: UploadContent,
}

/// The bytes of an upload. They can be read again if it has to be tried again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UploadContent {
    /// In memory.
    Bytes(Bytes),
    /// In a file on this machine.
    Path(PathBuf),
}

/// What a provider knows of a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteFile {
    /// What the provider calls it.
    pub id: String,
    /// The name that was asked for.
    pub filename: String,
    /// Its size.
    pub bytes: u64,
    /// What it is for.
    pub purpose: FilePurpose,
    /// When it was stored.
    pub created: SystemTime,
}

impl FileUpload {
    /// An upload of bytes from memory.
    pub fn new(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let (filename, bytes) = (filename.into(), bytes.into());
        Self {
            media_type: super::media_type::of_filename(&filename).to_owned(),
            filename,
            purpose: FilePurpose::Assistants,
            len: bytes.len() as u64,
            content: UploadContent::Bytes(bytes),
        }
    }

    /// Sets what the file is for.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<FilePurpose>) -> Self {
        self.purpose = purpose.into();
        self
    }
}

impl RemoteFile {
    /// A file of this id, name and size, made now for assistants.
    pub fn new(id: impl Into<String>, filename: impl Into<String>, bytes: u64) -> Self {
        Self {
            id: id.into(),
            filename: filename.into(),
            bytes,
            purpose: FilePurpose::Assistants,
            created: SystemTime::now(),
        }
    }

    /// Sets what the file is for.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<FilePurpose>) -> Self {
        self.purpose = purpose.into();
        self
    }

    /// Sets when it was stored.
    #[must_use]
    pub fn created(mut self, created: SystemTime) -> Self {
        self.created = created;
        self
    }
}

impl<T: RemoteFiles + ?Sized> RemoteFiles for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn purposes(&self) -> &[&'static str] {
        (**self).purposes()
    }

    fn upload(&self, upload: FileUpload) -> RemoteFuture<'_, RemoteFile> {
        (**self).upload(upload)
    }

    fn retrieve<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteFile> {
        (**self).retrieve(id)
    }

    fn content<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteContent> {
        (**self).content(id)
    }

    fn list(&self) -> RemoteFuture<'_, Vec<RemoteFile>> {
        (**self).list()
    }

    fn delete<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, ()> {
        (**self).delete(id)
    }

    fn has_temporary_urls(&self) -> bool {
        (**self).has_temporary_urls()
    }

    fn temporary_url<'a>(&'a self, id: &'a str, expiry: Duration) -> RemoteFuture<'a, String> {
        (**self).temporary_url(id, expiry)
    }
}
