//! A provider of files in memory, which can be delayed and made to fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use ddg_agentic::files::{
    FileUpload, RemoteContent, RemoteError, RemoteFile, RemoteFiles, RemoteFuture, UploadContent,
};
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::Semaphore;

/// A provider of files in memory; clones share it.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    files: Mutex<BTreeMap<String, (RemoteFile, Bytes)>>,
    /// A permit for each request that may go ahead.
    gate: Semaphore,
    n_retrieved: AtomicUsize,
    n_deleted: AtomicUsize,
    n_uploaded: AtomicUsize,
    deletes: bool,
    urls: bool,
    failing: Mutex<Option<RemoteError>>,
    /// The id of each upload, if it is set.
    named: Option<&'static str>,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self::with(true, false, Semaphore::MAX_PERMITS, None)
    }

    /// One that gives uploads this id.
    pub(crate) fn naming(id: &'static str) -> Self {
        Self::with(true, false, Semaphore::MAX_PERMITS, Some(id))
    }

    pub(crate) fn without_delete() -> Self {
        Self::with(false, false, Semaphore::MAX_PERMITS, None)
    }

    pub(crate) fn with_urls() -> Self {
        Self::with(true, true, Semaphore::MAX_PERMITS, None)
    }

    /// One that answers nothing until it is let.
    pub(crate) fn held_up() -> Self {
        Self::with(true, false, 0, None)
    }

    fn with(deletes: bool, urls: bool, permits: usize, named: Option<&'static str>) -> Self {
        Self(Arc::new(Inner {
            files: Mutex::default(),
            gate: Semaphore::new(permits),
            n_retrieved: AtomicUsize::new(0),
            n_deleted: AtomicUsize::new(0),
            n_uploaded: AtomicUsize::new(0),
            deletes,
            urls,
            failing: Mutex::default(),
            named,
        }))
    }

    pub(crate) fn let_through(&self, requests: usize) {
        self.0.gate.add_permits(requests);
    }

    pub(crate) fn fail(&self, error: Option<RemoteError>) {
        *self.0.failing.lock().unwrap() = error;
    }

    pub(crate) fn put(&self, id: &str, filename: &str, content: &'static str) {
        let file = RemoteFile::new(id, filename, content.len() as u64);
        self.0.files.lock().unwrap().insert(id.to_owned(), (file, content.into()));
    }

    pub(crate) fn take(&self, id: &str) {
        self.0.files.lock().unwrap().remove(id);
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.0.files.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn n_retrieved(&self) -> usize {
        self.0.n_retrieved.load(Ordering::SeqCst)
    }

    pub(crate) fn n_deleted(&self) -> usize {
        self.0.n_deleted.load(Ordering::SeqCst)
    }

    async fn answer(&self) -> Result<(), RemoteError> {
        self.0.gate.acquire().await.unwrap().forget();
        self.0.failing.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn find(&self, id: &str) -> Result<(RemoteFile, Bytes), RemoteError> {
        let found = self.0.files.lock().unwrap().get(id).cloned();
        found.ok_or_else(|| RemoteError::NotFound { id: id.to_owned() })
    }
}

impl RemoteFiles for Provider {
    fn name(&self) -> &str {
        "provider"
    }

    fn purposes(&self) -> &[&'static str] {
        &["assistants", "assistants_output", "vision"]
    }

    fn upload(&self, upload: FileUpload) -> RemoteFuture<'_, RemoteFile> {
        async move {
            self.answer().await?;
            let content = match upload.content {
                UploadContent::Bytes(bytes) => bytes,
                UploadContent::Path(path) => std::fs::read(path).unwrap().into(),
                other => panic!("{other:?}"),
            };
            assert_eq!(content.len() as u64, upload.len);
            let n = self.0.n_uploaded.fetch_add(1, Ordering::SeqCst);
            let id = self.0.named.map_or_else(|| format!("file-up{n}"), str::to_owned);
            let file = RemoteFile::new(id, upload.filename, upload.len).purpose(upload.purpose);
            self.0.files.lock().unwrap().insert(file.id.clone(), (file.clone(), content));
            Ok(file)
        }
        .boxed()
    }

    fn retrieve<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteFile> {
        async move {
            self.0.n_retrieved.fetch_add(1, Ordering::SeqCst);
            self.answer().await?;
            Ok(self.find(id)?.0)
        }
        .boxed()
    }

    fn content<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, RemoteContent> {
        async move {
            self.answer().await?;
            let (_, bytes) = self.find(id)?;
            let pieces: Vec<_> = bytes.chunks(2).map(Bytes::copy_from_slice).map(Ok).collect();
            Ok(stream::iter(pieces).boxed())
        }
        .boxed()
    }

    fn list(&self) -> RemoteFuture<'_, Vec<RemoteFile>> {
        async move {
            self.answer().await?;
            let files = self.0.files.lock().unwrap();
            Ok(files.values().map(|(file, _)| file.clone()).collect())
        }
        .boxed()
    }

    fn delete<'a>(&'a self, id: &'a str) -> RemoteFuture<'a, ()> {
        async move {
            if !self.0.deletes {
                return Err(RemoteError::Unsupported { what: "remove files" });
            }
            self.answer().await?;
            self.0.n_deleted.fetch_add(1, Ordering::SeqCst);
            let removed = self.0.files.lock().unwrap().remove(id);
            removed.map(drop).ok_or_else(|| RemoteError::NotFound { id: id.to_owned() })
        }
        .boxed()
    }

    fn has_temporary_urls(&self) -> bool {
        self.0.urls
    }

    fn temporary_url<'a>(&'a self, id: &'a str, expiry: Duration) -> RemoteFuture<'a, String> {
        async move {
            match self.0.urls {
                true => Ok(format!("https://files.example/{id}?seconds={}", expiry.as_secs())),
                false => Err(RemoteError::Unsupported { what: "give temporary URLs" }),
            }
        }
        .boxed()
    }
}
