//! Creations of files.

use std::future::IntoFuture;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};

use super::file::Record;
use super::filename::filename;
use super::folder::{Part, blocking, failed};
use super::id::{is_remote, new_local};
use super::manager::Shared;
use super::media_type;
use super::registry::{Entry, Place};
use super::slot::Slot;
use super::{
    File, FileError, FileManager, FilePurpose, FileUpload, RemoteError, RemoteFile, UploadContent,
};

/// Number of bytes of a stream that are collected for one write.
const PIECE: usize = 64 * 1024;

/// A file that is being created: set options, and await it. Created by
/// [`FileManager::create_from_bytes`] and similar methods.
///
/// ```
/// use ddg_agentic::files::FileManager;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = FileManager::new();
/// let chart = files
///     .create_from_bytes("<svg/>", "chart.svg")
///     .local()
///     .purpose("assistants_output")
///     .metadata("made_by", "plot")
///     .await?;
/// assert_eq!(chart.media_type(), "image/svg+xml");
/// assert_eq!(chart.metadata()["made_by"], "plot");
/// # files.close().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// If the future is dropped before it is done, there is neither a file on this machine nor a
/// registration; a provider may have stored the upload.
#[must_use = "no file is created until this is awaited"]
pub struct Creation {
    manager: FileManager,
    source: Source,
    filename: String,
    kind: Option<Kind>,
    purpose: FilePurpose,
    media_type: Option<String>,
    metadata: Map<String, Json>,
}

/// The source of the content.
enum Source {
    Bytes(Bytes),
    Path(PathBuf),
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Local,
    Remote,
}

/// What is known of the file before it is created.
struct Draft {
    filename: String,
    media_type: String,
    purpose: FilePurpose,
    metadata: Map<String, Json>,
}

/// A file that is being written. Closing waits for the slot, so the file is dropped before the
/// slot, on whichever thread this is dropped.
struct Writing {
    part: Part,
    slot: Slot,
}

impl FileManager {
    /// Creates a file from bytes. Only the last component of `filename` is used.
    pub fn create_from_bytes(
        &self,
        bytes: impl Into<Bytes>,
        filename: impl Into<String>,
    ) -> Creation {
        self.create(Source::Bytes(bytes.into()), filename.into())
    }

    /// Creates a file from a stream of bytes. Only the last component of `filename` is used.
    pub fn create_from_stream<B: Into<Bytes> + 'static>(
        &self,
        stream: impl Stream<Item = io::Result<B>> + Send + 'static,
        filename: impl Into<String>,
    ) -> Creation {
        let stream = stream.map_ok(Into::into).boxed();
        self.create(Source::Stream(stream), filename.into())
    }

    /// Registers an existing file, which still belongs to the user: it is read in place, or
    /// uploaded from there to the provider, and never removed.
    pub fn create_from_path(&self, path: impl AsRef<Path>) -> Creation {
        let path = path.as_ref().to_owned();
        let filename = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.create(Source::Path(path), filename)
    }

    fn create(&self, source: Source, filename: String) -> Creation {
        Creation {
            manager: self.clone(),
            source,
            filename,
            kind: None,
            purpose: FilePurpose::default(),
            media_type: None,
            metadata: Map::new(),
        }
    }
}

impl Creation {
    /// Keeps the file on this machine, even if the manager has a client for remote files.
    pub fn local(mut self) -> Self {
        self.kind = Some(Kind::Local);
        self
    }

    /// Stores the file at the provider. It is an error if the manager has no client for remote
    /// files.
    pub fn remote(mut self) -> Self {
        self.kind = Some(Kind::Remote);
        self
    }

    /// Sets the purpose of the file ([`FilePurpose::Assistants`] by default).
    pub fn purpose(mut self, purpose: impl Into<FilePurpose>) -> Self {
        self.purpose = purpose.into();
        self
    }

    /// Sets the media type. The default follows from the extension of the name.
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Adds metadata to the file.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    async fn make(self) -> Result<File, FileError> {
        let Self { manager, source, filename: asked, kind, purpose, media_type, metadata } = self;
        let shared = &manager.0;
        // Checked before everything else, because nothing else matters when the manager is closed.
        shared.lock().admit()?;
        let kind = shared.kind(kind, &asked)?;
        shared.check_purpose(&purpose)?;
        // For a path only the name is checked here; whether it is a folder is found out when it is
        // opened.
        let filename = match &source {
            Source::Path(_) => asked,
            Source::Bytes(_) | Source::Stream(_) => filename(&asked)?,
        };
        let media_type =
            media_type.unwrap_or_else(|| media_type::of_filename(&filename).to_owned());
        let draft = Draft { filename, media_type, purpose, metadata };
        match (kind, source) {
            (Kind::Local, Source::Bytes(bytes)) => {
                let id = new_local();
                let slot = Slot::begin(shared, bytes.len() as u64)?;
                let writing = shared.write(slot, id.clone(), bytes).await?;
                shared.keep(writing, draft, id).await
            }
            (Kind::Local, Source::Stream(stream)) => {
                let id = new_local();
                let slot = Slot::begin(shared, 0)?;
                let writing = shared.spool(slot, id.clone(), stream, &draft.filename).await?;
                shared.keep(writing, draft, id).await
            }
            (Kind::Local, Source::Path(path)) => {
                let (path, bytes) = existing(path).await?;
                let slot = Slot::begin(shared, bytes)?;
                let file = draft.file(new_local(), bytes);
                slot.register(Entry::new(file, Place::Path(path), false), None).await
            }
            (Kind::Remote, Source::Bytes(bytes)) => {
                let slot = Slot::begin(shared, bytes.len() as u64)?;
                shared.upload(slot, draft, UploadContent::Bytes(bytes)).await
            }
            (Kind::Remote, Source::Stream(stream)) => {
                let slot = Slot::begin(shared, 0)?;
                let Writing { part, slot } =
                    shared.spool(slot, new_local(), stream, &draft.filename).await?;
                let content = UploadContent::Path(part.path().to_owned());
                let upload = pin!(shared.upload(slot, draft, content));
                // The copy is removed when this ends, in any case, and before the slot is free.
                let _copy = part;
                upload.await
            }
            (Kind::Remote, Source::Path(path)) => {
                let (path, bytes) = existing(path).await?;
                let slot = Slot::begin(shared, bytes)?;
                shared.upload(slot, draft, UploadContent::Path(path)).await
            }
        }
    }
}

impl IntoFuture for Creation {
    type Output = Result<File, FileError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl Draft {
    fn file(self, id: String, bytes: u64) -> File {
        let Self { filename, media_type, purpose, metadata } = self;
        let created = SystemTime::now();
        File::new(Record { id, filename, bytes, media_type, purpose, created, metadata })
    }
}

impl Shared {
    /// Chooses between a local and a remote file.
    fn kind(&self, asked: Option<Kind>, filename: &str) -> Result<Kind, FileError> {
        match (asked, &self.remote) {
            (Some(Kind::Remote), None) => {
                Err(FileError::NoRemote { what: format!("make `{filename}` remote") })
            }
            (Some(kind), _) => Ok(kind),
            (None, Some(_)) => Ok(Kind::Remote),
            (None, None) => Ok(Kind::Local),
        }
    }

    fn check_purpose(&self, purpose: &FilePurpose) -> Result<(), FileError> {
        let FilePurpose::Other(purpose) = purpose else { return Ok(()) };
        let known = self.remote.as_ref().map(|remote| remote.purposes()).unwrap_or_default();
        if known.contains(&purpose.as_str()) {
            return Ok(());
        }
        let known = known.iter().map(|purpose| (*purpose).to_owned()).collect();
        Err(FileError::Purpose { purpose: purpose.clone(), known })
    }

    /// Writes a file of the manager at once.
    async fn write(&self, slot: Slot, name: String, bytes: Bytes) -> Result<Writing, FileError> {
        let root = self.folder.root().await?;
        // The slot moves with the work, so that closing waits for the thread that writes.
        blocking("write a file", move || {
            let mut part = root.create(&name)?;
            part.write(&bytes)?;
            Ok(Writing { part, slot })
        })
        .await
    }

    /// Writes a file of the manager as its bytes arrive.
    async fn spool(
        &self,
        slot: Slot,
        name: String,
        mut stream: BoxStream<'static, io::Result<Bytes>>,
        filename: &str,
    ) -> Result<Writing, FileError> {
        let root = self.folder.root().await?;
        let begin = move || Ok(Writing { part: root.create(&name)?, slot });
        let mut writing = blocking("write a file", begin).await?;
        let mut collected = Vec::new();
        loop {
            let piece = stream.next().await.transpose().map_err(|error| FileError::Content {
                filename: filename.to_owned(),
                source: Arc::new(error),
            })?;
            let ended = piece.is_none();
            if let Some(piece) = piece {
                writing.slot.grow(piece.len() as u64)?;
                collected.extend_from_slice(&piece);
            }
            if collected.len() >= PIECE || ended {
                let bytes = std::mem::take(&mut collected);
                writing = blocking("write a file", move || {
                    writing.part.write(&bytes)?;
                    Ok(writing)
                })
                .await?;
            }
            if ended {
                return Ok(writing);
            }
        }
    }

    /// Registers a file that has been written.
    async fn keep(
        &self,
        Writing { part, slot }: Writing,
        draft: Draft,
        id: String,
    ) -> Result<File, FileError> {
        let file = draft.file(id.clone(), slot.held());
        slot.register(Entry::new(file, Place::Folder(id), true), Some(part)).await
    }

    /// Uploads a file to the provider, and registers it.
    async fn upload(
        &self,
        slot: Slot,
        draft: Draft,
        content: UploadContent,
    ) -> Result<File, FileError> {
        let action = format!("upload `{}`", draft.filename);
        let failed = |source| FileError::Remote { action: action.clone(), source };
        let remote = self.remote(&action)?;
        let upload = FileUpload {
            filename: draft.filename.clone(),
            media_type: draft.media_type.clone(),
            purpose: draft.purpose.clone(),
            len: slot.held(),
            content,
        };
        let RemoteFile { id, .. } = remote.upload(upload).await.map_err(failed)?;
        if !is_remote(&id) {
            // The id is not one that text could contain, so the file is removed again if possible.
            if let Err(error) = remote.delete(&id).await {
                tracing::warn!(%id, %error, "a file was left at the provider");
            }
            let message = format!("`{id}` is not a file id, which looks like `file-abc123`");
            return Err(failed(RemoteError::Malformed { message }));
        }
        let file = draft.file(id, slot.held());
        let registered = slot.register(Entry::new(file.clone(), Place::Remote, true), None).await;
        // A registered file with the same id is not that of this creation, so it must not be
        // removed.
        if let Err(error) = &registered
            && !matches!(error, FileError::Registered { .. })
            && let Err(error) = remote.delete(file.id()).await
        {
            tracing::warn!(id = file.id(), %error, "a file was left at the provider");
        }
        registered
    }
}

/// The absolute path of a user's file, and its size.
async fn existing(path: PathBuf) -> Result<(PathBuf, u64), FileError> {
    blocking("look at a file", move || {
        let path = std::path::absolute(&path).map_err(failed("find", &path))?;
        let metadata = match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let reason = "there is nothing there; check the path".to_owned();
                return Err(FileError::NoFile { path, reason });
            }
            found => found.map_err(failed("look at", &path))?,
        };
        if !metadata.is_file() {
            let reason = match metadata.is_dir() {
                true => "it is a folder; name a file in it".to_owned(),
                false => "it is a device or the like; only files can be registered".to_owned(),
            };
            return Err(FileError::NoFile { path, reason });
        }
        Ok((path, metadata.len()))
    })
    .await
}
