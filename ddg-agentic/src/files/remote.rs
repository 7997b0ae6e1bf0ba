//! The interface to files at a provider.

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

/// The future that a method of [`RemoteFiles`] returns.
pub type RemoteFuture<'a, T> = BoxFuture<'a, Result<T, RemoteError>>;

/// The content of a remote file, piece by piece.
pub type RemoteContent = BoxStream<'static, Result<Bytes, RemoteError>>;

/// A client for files at a provider, which [`remote`](super::FileManagerBuilder::remote) gives to a
/// manager.
///
/// With the feature `providers` there is one for the Files API of OpenAI, `OpenAiFiles`.
pub trait RemoteFiles: Send + Sync + 'static {
    /// The name of the client in errors and logs.
    fn name(&self) -> &str;

    /// The purposes that the provider knows. Others are refused before anything is sent.
    fn purposes(&self) -> &[&'static str] {
        &["assistants", "assistants_output"]
    }

    /// Uploads a file to the provider.
    ///
    /// # Errors
    /// If the provider refuses it, or cannot be reached.
    fn upload(&self, upload: FileUpload) -> RemoteFuture<'_, RemoteFile>;

    /// Retrieves the metadata of a file.
    ///
    /// # Errors
    /// If the file does not exist, or the provider cannot be reached.
    fn retrieve<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteFile>;

    /// Reads the content of a file.
    ///
    /// # Errors
    /// If the file does not exist, the provider does not give its content, or the provider cannot
    /// be reached.
    fn content<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteContent>;

    /// Lists all files at the provider.
    ///
    /// # Errors
    /// If the provider cannot be reached.
    fn list(&self) -> RemoteFuture<'_, Vec<RemoteFile>>;

    /// Deletes a file at the provider.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`] if it does not exist, and [`RemoteError::Unsupported`] if files
    /// cannot be deleted there. A manager then only forgets them.
    fn delete<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, ()>;

    /// Whether [`temporary_url`](Self::temporary_url) returns URLs. Defaults to `false`.
    fn has_temporary_urls(&self) -> bool {
        false
    }

    /// A URL from which anybody can read the file until `expiry` has passed.
    ///
    /// # Errors
    /// If the provider has no such URLs, which is the default.
    fn temporary_url<'a>(&'a self, id: &'a str, expiry: Duration) -> RemoteFuture<'a, String> {
        let _ = (id, expiry);
        Box::pin(async { Err(RemoteError::Unsupported { what: "give temporary URLs" }) })
    }
}

/// An upload to a provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileUpload {
    /// The name of the file.
    pub filename: String,
    /// The media type, such as `text/plain`.
    pub media_type: String,
    /// The purpose.
    pub purpose: FilePurpose,
    /// The number of bytes.
    pub len: u64,
    /// The bytes.
    pub content: UploadContent,
}

/// The bytes of an upload. They can be read again for a retry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UploadContent {
    /// In memory.
    Bytes(Bytes),
    /// In a file on this machine.
    Path(PathBuf),
}

/// The metadata of a file at a provider.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteFile {
    /// The provider's id.
    pub id: String,
    /// The requested name.
    pub filename: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The purpose.
    pub purpose: FilePurpose,
    /// When it was stored.
    pub created: SystemTime,
}

impl FileUpload {
    /// Creates an upload of bytes in memory.
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

    /// Sets the purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<FilePurpose>) -> Self {
        self.purpose = purpose.into();
        self
    }
}

impl RemoteFile {
    /// Creates a file with this id, name and size, the purpose `assistants`, and the current time.
    pub fn new(id: impl Into<String>, filename: impl Into<String>, bytes: u64) -> Self {
        Self {
            id: id.into(),
            filename: filename.into(),
            bytes,
            purpose: FilePurpose::Assistants,
            created: SystemTime::now(),
        }
    }

    /// Sets the purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<FilePurpose>) -> Self {
        self.purpose = purpose.into();
        self
    }

    /// Sets when the file was stored.
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
