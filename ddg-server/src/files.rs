//! The file managers: one for each tenant.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ddg_agentic::files::{FileError, FileManager};
use futures::future::join_all;
use tokio::sync::Mutex as AsyncMutex;

/// All file managers of a server.
pub(crate) struct Files {
    /// Has a folder for each tenant.
    folder: PathBuf,
    max_file_bytes: u64,
    open: Mutex<BTreeMap<String, FileManager>>,
    /// Held while a manager is opened, so that there is one for each tenant.
    opening: AsyncMutex<()>,
}

impl Files {
    pub(crate) fn new(folder: PathBuf, max_file_bytes: u64) -> Self {
        Self { folder, max_file_bytes, open: Mutex::default(), opening: AsyncMutex::default() }
    }

    /// Opens the managers of all tenants that have files, whose runs may continue before the first
    /// request comes.
    ///
    /// # Errors
    /// If the folder cannot be read, or a manager cannot be opened.
    pub(crate) async fn open_all(&self) -> Result<(), FileError> {
        let failed = |source| self.failed("read", source);
        let mut tenants = match tokio::fs::read_dir(&self.folder).await {
            Ok(tenants) => tenants,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        while let Some(tenant) = tenants.next_entry().await.map_err(failed)? {
            if tenant.file_type().await.is_ok_and(|found| found.is_dir())
                && let Some(tenant) = tenant.file_name().to_str()
            {
                self.of(tenant).await?;
            }
        }
        Ok(())
    }

    /// The file manager of a tenant, which is opened if it is not open.
    ///
    /// # Errors
    /// If its folder or its index cannot be opened.
    pub(crate) async fn of(&self, tenant: &str) -> Result<FileManager, FileError> {
        if let Some(manager) = self.opened(tenant) {
            return Ok(manager);
        }
        let _opening = self.opening.lock().await;
        if let Some(manager) = self.opened(tenant) {
            return Ok(manager);
        }
        let folder = self.folder.join(tenant);
        let made = tokio::fs::create_dir_all(&folder).await;
        made.map_err(|source| self.failed("create", source))?;
        let builder = FileManager::builder().max_file_bytes(self.max_file_bytes);
        let builder = builder.index(folder.join("index.sqlite")).save_dir(folder.join("content"));
        let manager = builder.build().await?;
        self.lock().insert(tenant.to_owned(), manager.clone());
        Ok(manager)
    }

    /// The file manager of a tenant, if it is open.
    pub(crate) fn opened(&self, tenant: &str) -> Option<FileManager> {
        self.lock().get(tenant).cloned()
    }

    /// Closes all managers.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.lock());
        for closed in join_all(open.values().map(FileManager::close)).await {
            if let Err(error) = closed {
                tracing::warn!(%error, "the files of a tenant were not closed");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, FileManager>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> FileError {
        FileError::Io { action, path: self.folder.clone(), source: Arc::new(source) }
    }
}
