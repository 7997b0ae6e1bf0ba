//! The file manager: resolves ids to files and reads them.

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
use crate::message::Document;

/// The content of a file, piece by piece.
pub type FileStream = BoxStream<'static, Result<Bytes, FileError>>;

/// Resolves ids to files, for all tools and agents that share it. Cheap to clone.
///
/// All methods can be called from any number of tasks and threads, and each call takes effect at
/// one moment. A file is visible only while it is complete: from when all of it has been written
/// until its removal begins.
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
/// It needs a tokio runtime. [Close](Self::close) it when its files are not used any more. If it is
/// dropped without being closed, it removes its temporary folder, if there is one, and logs a
/// warning.
#[derive(Clone)]
pub struct FileManager(pub(super) Arc<Shared>);

/// The state that the clones of a manager share.
pub(super) struct Shared {
    /// Never held during I/O or across an `await`.
    registry: Mutex<Registry>,
    /// If both are locked, this is locked before the registry.
    pub(super) flights: Mutex<Flights>,
    changes: watch::Sender<()>,
    pub(super) folder: Folder,
    pub(super) remote: Option<Arc<dyn RemoteFiles>>,
    pub(super) prune_on_close: bool,
    /// The index that other processes can see.
    pub(super) index: Option<Index>,
    /// Held while index and registry are changed together.
    pub(super) indexing: AsyncMutex<()>,
    /// Held by the call that closes.
    pub(super) closing: AsyncMutex<()>,
    /// Whether an agent has created the manager for itself, and closes it.
    private: bool,
}

impl FileManager {
    /// Creates a manager with a temporary folder, which is created on first use, without limits or
    /// remote files.
    pub fn new() -> Self {
        Self(Arc::new(Shared::new(Folder::temporary(), Limits::default(), None, true)))
    }

    /// Creates a builder.
    pub fn builder() -> FileManagerBuilder {
        FileManagerBuilder::default()
    }

    /// Creates a manager for an agent that was given none. It is closed with the agent.
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

    /// Resolves an id without waiting or reading the disk.
    ///
    /// # Errors
    /// If no file has the id, the file is being removed, or the manager is closed.
    pub fn look_up(&self, id: &str) -> Result<File, FileError> {
        self.0.lock().find(id).map(|entry| entry.file.clone())
    }

    /// Resolves an id; `None` if no file has it or the file is being removed, which is logged as a
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

    /// All files in the order of their creation; none if the manager is closed.
    pub fn list(&self) -> Vec<File> {
        self.0.lock().files().cloned().collect()
    }

    /// Lists the files at the provider, whether or not they are registered here. Registers nothing.
    ///
    /// # Errors
    /// If there is no client for remote files, or the provider cannot be reached.
    pub async fn list_remote(&self) -> Result<Vec<RemoteFile>, FileError> {
        self.0.check_not_closed()?;
        let remote = self.0.remote("list remote files")?;
        let failed = |source| FileError::Remote { action: "list remote files".into(), source };
        remote.list().await.map_err(failed)
    }

    /// Reads the whole content of a file.
    ///
    /// # Errors
    /// If no file has the id, the file is being removed, the manager is closed, or the content
    /// cannot be read.
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

    /// A file as a document for a message: the content of a file on this machine, or the id of a
    /// file at a provider, which only models of that provider can read.
    ///
    /// ```
    /// use ddg_agentic::Message;
    /// use ddg_agentic::files::FileManager;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let files = FileManager::new();
    /// let file = files.create_from_bytes("tea, coffee", "menu.txt").await?;
    /// let menu = files.document(file.id()).await?;
    /// assert_eq!(menu.to_string(), "document menu.txt: text/plain, 11 bytes");
    /// let question = Message::user_with_document("What is there?", menu);
    /// # files.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn document(&self, id: &str) -> Result<Document, FileError> {
        let file = self.look_up(id)?;
        let document = match file.is_local() {
            true => Document::bytes(file.media_type(), self.read(id).await?),
            false => Document::file_id(file.media_type(), id),
        };
        Ok(document.name(file.filename()))
    }

    /// Reads the content of a file, piece by piece.
    ///
    /// # Errors
    /// As [`read`](Self::read), also in the middle of the stream.
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

    /// Registers files that other processes have added to the index, and forgets those that they
    /// have removed. Does nothing without an index.
    ///
    /// # Errors
    /// If the manager is closed, or the index cannot be read.
    pub async fn refresh(&self) -> Result<(), FileError> {
        self.0.check_not_closed()?;
        let Some(index) = &self.0.index else { return Ok(()) };
        let _indexing = self.0.indexing.lock().await;
        let entries = index.load().await?;
        self.0.lock().replace(entries);
        Ok(())
    }

    /// The path of a file on this machine, for programs that take paths. Do not write to it. The
    /// file is gone when it is removed.
    ///
    /// # Errors
    /// If no file has the id, the file is being removed, the manager is closed, or the file is
    /// remote.
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

    /// Wakes those that wait for a change.
    pub(super) fn changed(&self) {
        self.changes.send_replace(());
    }

    /// Waits until `is_so` holds for the registry.
    pub(super) async fn until(&self, is_so: impl Fn(&Registry) -> bool) {
        // Subscribes before checking, so that no change is missed.
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

    /// Opens a file of this machine; `None` if it does not exist. Blocks.
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

    /// The reason why a registered file does not exist: it was removed meanwhile, or by somebody
    /// else.
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
