//! The manager: which id is which file, and what is in it.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::folder::{Folder, blocking, failed, pieces};
use super::index::Index;
use super::limits::Limits;
use super::registry::{Entry, Phase, Place, Registry};
use super::retrieval::Flights;
use super::{File, FileError, FileManagerBuilder, RemoteFile, RemoteFiles};

/// The content of a file, piece by piece.
pub type FileStream = BoxStream<'static, Result<Bytes, FileError>>;

/// Knows which id is which file, for all tools and agents that share it; cheap to clone.
///
/// Everything can be called from any number of tasks and threads at once, and each call takes effect at
/// one moment. A file is seen only while it is whole: not before all of it has been written,
/// and not once its removal has begun.
///
/// ```
/// use ddg_agentic::files::FileManager;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = FileManager::new();
/// let notes = files.create_from_bytes("tea at four", "notes.txt").await?;
/// let answer = format!("The plan is in <file>{}</file>.", notes.id());
///
/// let found = files.sniff_text(&answer);
/// assert_eq!(found[0].filename(), "notes.txt");
/// assert_eq!(files.read(found[0].id()).await?, b"tea at four");
/// files.close().await?;
/// # Ok(())
/// # }
/// ```
///
/// It needs a tokio runtime. [Close](Self::close) it when nothing uses its files any more: dropped
/// without, it removes its temporary folder, if it has made one, and logs a warning.
#[derive(Clone)]
pub struct FileManager(pub(super) Arc<Shared>);

/// What the clones of a manager share.
pub(super) struct Shared {
    /// Never held across I/O or an `await`.
    registry: Mutex<Registry>,
    /// Locked before the registry where both are.
    pub(super) flights: Mutex<Flights>,
    changes: watch::Sender<()>,
    pub(super) folder: Folder,
    pub(super) remote: Option<Arc<dyn RemoteFiles>>,
    pub(super) prune_on_close: bool,
    /// What other processes know.
    pub(super) index: Option<Index>,
    /// Held while the index and the registry are changed together.
    pub(super) indexing: AsyncMutex<()>,
    /// Held by the call that closes.
    pub(super) closing: AsyncMutex<()>,
    /// Made by an agent for itself, and closed with it.
    private: bool,
}

impl FileManager {
    /// A manager with a temporary folder, made on first use, without limits and remote files.
    pub fn new() -> Self {
        Self(Arc::new(Shared::new(Folder::temporary(), Limits::default(), None, true)))
    }

    /// A manager to be set up.
    pub fn builder() -> FileManagerBuilder {
        FileManagerBuilder::default()
    }

    /// A manager of an agent that was given none: it is closed with the agent.
    pub(crate) fn private() -> Self {
        let mut shared = Shared::new(Folder::temporary(), Limits::default(), None, true);
        shared.private = true;
        Self(Arc::new(shared))
    }

    pub(crate) fn is_private(&self) -> bool {
        self.0.private
    }

    pub(super) fn with(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The file of this id.
    ///
    /// It waits for nothing, and reads no disk.
    ///
    /// # Errors
    /// No file has the id; its removal has begun; the manager is closed.
    pub fn look_up(&self, id: &str) -> Result<File, FileError> {
        self.0.lock().find(id).map(|entry| entry.file.clone())
    }

    /// The file of this id; `None` if there is none, or its removal has begun, which is logged as a
    /// warning.
    pub fn try_look_up(&self, id: &str) -> Option<File> {
        match self.look_up(id) {
            Ok(file) => Some(file),
            Err(FileError::Removing { id }) => {
                tracing::warn!(%id, "a file was looked up that is being removed");
                None
            }
            Err(_) => None,
        }
    }

    /// All files, in the order in which they were made; none if the manager is closed.
    pub fn list(&self) -> Vec<File> {
        self.0.lock().files().cloned().collect()
    }

    /// What is at the provider, whether or not it is known here. Registers nothing.
    ///
    /// # Errors
    /// There is no client for remote files, or the provider cannot be reached.
    pub async fn list_remote(&self) -> Result<Vec<RemoteFile>, FileError> {
        self.0.check_not_closed()?;
        let remote = self.0.remote("list remote files")?;
        let failed = |source| FileError::Remote { action: "list remote files".into(), source };
        remote.list().await.map_err(failed)
    }

    /// The whole content of a file.
    ///
    /// # Errors
    /// No file has the id; its removal has begun; the manager is closed; it cannot be read.
    pub async fn read(&self, id: &str) -> Result<Vec<u8>, FileError> {
        let entry = self.0.entry(id)?;
        match &entry.place {
            Place::Remote => {
                let mut content = self.0.content(&entry).await?;
                let mut bytes = Vec::new();
                while let Some(piece) = content.next().await {
                    bytes.extend_from_slice(&piece?);
                }
                Ok(bytes)
            }
            Place::Folder(_) | Place::Path(_) => {
                let (shared, place) = (Arc::clone(&self.0), entry.place.clone());
                let opened = blocking("read a file", move || {
                    let Some((mut file, path)) = shared.open(&place)? else { return Ok(None) };
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).map_err(failed("read", &path))?;
                    Ok(Some(bytes))
                });
                opened.await?.ok_or_else(|| self.0.gone(&entry))
            }
        }
    }

    /// The content of a file, piece by piece.
    ///
    /// # Errors
    /// Those of [`read`](Self::read); also in the middle of the stream.
    pub async fn read_stream(&self, id: &str) -> Result<FileStream, FileError> {
        let entry = self.0.entry(id)?;
        if entry.place == Place::Remote {
            return self.0.content(&entry).await;
        }
        let (shared, place) = (Arc::clone(&self.0), entry.place.clone());
        let opened = blocking("read a file", move || shared.open(&place)).await?;
        let (file, path) = opened.ok_or_else(|| self.0.gone(&entry))?;
        Ok(pieces(file, path).boxed())
    }

    /// Registers what other processes have put into the index since, and forgets what they have removed. Without
    /// an index there is nothing to do.
    ///
    /// # Errors
    /// The manager is closed, or the index cannot be read.
    pub async fn refresh(&self) -> Result<(), FileError> {
        self.0.check_not_closed()?;
        let Some(index) = &self.0.index else { return Ok(()) };
        let _indexing = self.0.indexing.lock().await;
        let entries = index.load().await?;
        self.0.lock().replace(entries);
        Ok(())
    }

    /// Where the file is on this machine, for programs that take paths. Do not write there; the file is
    /// gone once it is removed.
    ///
    /// # Errors
    /// No file has the id; its removal has begun; the manager is closed; the file is remote.
    pub fn path_of(&self, id: &str) -> Result<PathBuf, FileError> {
        match self.0.entry(id)?.place {
            Place::Path(path) => Ok(path),
            Place::Folder(name) => {
                let root = self.0.folder.existing().expect("a file is in it");
                Ok(root.path_of(&name))
            }
            Place::Remote => Err(FileError::NotLocal { id: id.to_owned() }),
        }
    }
}

impl Default for FileManager {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    pub(super) fn new(
        folder: Folder,
        limits: Limits,
        remote: Option<Arc<dyn RemoteFiles>>,
        prune_on_close: bool,
    ) -> Self {
        Self {
            registry: Mutex::new(Registry::new(limits)),
            flights: Mutex::default(),
            changes: watch::Sender::new(()),
            folder,
            remote,
            prune_on_close,
            index: None,
            indexing: AsyncMutex::new(()),
            closing: AsyncMutex::new(()),
            private: false,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those that wait that something has ended.
    pub(super) fn changed(&self) {
        self.changes.send_replace(());
    }

    /// Waits until the registry is as asked.
    pub(super) async fn until(&self, is_so: impl Fn(&Registry) -> bool) {
        // Subscribed before the look, so that no change is missed.
        let mut changes = self.changes.subscribe();
        while !is_so(&self.lock()) {
            let changed = changes.changed().await;
            changed.expect("the sender is part of `self`");
        }
    }

    pub(super) fn check_not_closed(&self) -> Result<(), FileError> {
        match self.lock().phase() {
            Phase::Open | Phase::Closing => Ok(()),
            Phase::Closed => Err(FileError::Closed),
        }
    }

    /// The client for remote files, which `what` needs.
    pub(super) fn remote(&self, what: &str) -> Result<&Arc<dyn RemoteFiles>, FileError> {
        self.remote.as_ref().ok_or_else(|| FileError::NoRemote { what: what.to_owned() })
    }

    fn entry(&self, id: &str) -> Result<Entry, FileError> {
        self.lock().find(id).cloned()
    }

    async fn content(&self, entry: &Entry) -> Result<FileStream, FileError> {
        let action = format!("read `{}`", entry.file.id());
        let failed = move |source| FileError::Remote { action: action.clone(), source };
        let content = self.remote("read a remote file")?.content(entry.file.id()).await;
        let content = content.map_err(&failed)?;
        Ok(content.map(move |piece| piece.map_err(&failed)).boxed())
    }

    /// Opens a file of this machine; `None` if it is gone. Blocks.
    fn open(&self, place: &Place) -> Result<Option<(std::fs::File, PathBuf)>, FileError> {
        match place {
            Place::Folder(name) => {
                let root = self.folder.existing().expect("a file is in it");
                Ok(root.open(name)?.map(|file| (file, root.path_of(name))))
            }
            Place::Path(path) => match std::fs::File::open(path) {
                Ok(file) => Ok(Some((file, path.clone()))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(failed("read", path)(error)),
            },
            Place::Remote => Ok(None),
        }
    }

    /// Why a file that was there a moment ago is gone: it was removed meanwhile, or by somebody else.
    fn gone(&self, entry: &Entry) -> FileError {
        if let Err(error) = self.entry(entry.file.id()) {
            return error;
        }
        let path = match &entry.place {
            Place::Folder(name) => {
                self.folder.existing().map(|root| root.path_of(name)).unwrap_or_default()
            }
            Place::Path(path) => path.clone(),
            Place::Remote => PathBuf::new(),
        };
        failed("read", &path)(ErrorKind::NotFound.into())
    }
}

impl fmt::Debug for FileManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = self.lock();
        f.debug_struct("FileManager")
            .field("n_files", &registry.files().count())
            .field("phase", &registry.phase())
            .field("remote", &self.remote.as_deref().map(RemoteFiles::name))
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.lock().phase() == Phase::Closed {
            return;
        }
        let was_used = self.folder.is_temporary() && self.folder.existing().is_some();
        if was_used && !self.private {
            tracing::warn!(
                "a file manager was dropped without `close`: its temporary folder is removed"
            );
        }
        if let Err(error) = self.folder.remove_temporary() {
            tracing::warn!(%error, "a temporary folder of files was left");
        }
    }
}
