//! The folder of a manager's own files.
//!
//! **Invariant.** Every file of the manager is a direct child of the folder, with a name that the
//! manager has chosen. No operation follows a symbolic link: a link in the place of a file, or of
//! the folder, is an error. So nothing outside the folder is ever read, written or removed under
//! the name of a file of the manager.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{self, Stream};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::FileError;

/// Number of bytes of a file that are read at a time.
const PIECE: usize = 64 * 1024;

/// The folder of a manager.
#[derive(Debug)]
pub(super) enum Folder {
    Given(Root),
    /// A temporary folder, created on first use.
    Temporary {
        root: OnceCell<Root>,
        dir: Mutex<Option<TempDir>>,
    },
}

/// A folder that exists.
#[derive(Clone, Debug)]
pub(super) struct Root {
    path: Arc<Path>,
    identity: Identity,
}

/// Drop guard of a file that is being written: removes it unless it is kept.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: fs::File,
    kept: bool,
}

/// The identity of a file or folder, which differs from that of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// The standard library has no identity on other systems; the type of the file is checked
    /// nevertheless.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

/// Runs blocking work on the blocking pool.
pub(super) async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(FileError::Shutdown { action }),
        },
    }
}

/// Creates a function that converts errors of the operating system.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |error| FileError::Io { action, path, source: Arc::new(error) }
}

/// The rest of a file, piece by piece.
pub(super) fn pieces(
    file: fs::File,
    path: PathBuf,
) -> impl Stream<Item = Result<Bytes, FileError>> + Send + 'static {
    let piece = |open: Option<(fs::File, PathBuf)>| async move {
        let (mut file, path) = open?;
        let read = blocking("read a file", move || {
            let mut bytes = vec![0; PIECE];
            let n = file.read(&mut bytes).map_err(failed("read", &path))?;
            bytes.truncate(n);
            Ok((bytes, (file, path)))
        });
        match read.await {
            Ok((bytes, _)) if bytes.is_empty() => None,
            Ok((bytes, open)) => Some((Ok(Bytes::from(bytes)), Some(open))),
            Err(error) => Some((Err(error), None)),
        }
    };
    stream::unfold(Some((file, path)), piece)
}

/// Creates a temporary folder that only the user can read and write.
fn private_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix("ddg-files-").tempdir()
}

impl Folder {
    pub(super) fn temporary() -> Self {
        Self::Temporary { root: OnceCell::new(), dir: Mutex::new(None) }
    }

    /// Opens the folder at `path`, and creates it if it does not exist.
    pub(super) async fn given(path: PathBuf) -> Result<Self, FileError> {
        let root = blocking("make the folder of files", move || {
            fs::create_dir_all(&path).map_err(failed("make the folder", &path))?;
            Root::of(&path)
        });
        Ok(Self::Given(root.await?))
    }

    pub(super) fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }

    /// The folder. The first call creates a temporary one; concurrent calls wait for it and share
    /// it.
    pub(super) async fn root(&self) -> Result<Root, FileError> {
        match self {
            Self::Given(root) => Ok(root.clone()),
            Self::Temporary { root, dir } => {
                let make = || async {
                    let (made, root) = blocking("make a temporary folder", || {
                        let made = private_folder();
                        let within = std::env::temp_dir();
                        let made = made.map_err(failed("make a temporary folder in", &within))?;
                        let root = Root::of(made.path())?;
                        Ok((made, root))
                    })
                    .await?;
                    *dir.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
                    Ok(root)
                };
                root.get_or_try_init(make).await.cloned()
            }
        }
    }

    /// The folder, if it exists yet.
    pub(super) fn existing(&self) -> Option<&Root> {
        match self {
            Self::Given(root) => Some(root),
            Self::Temporary { root, .. } => root.get(),
        }
    }

    /// Removes a temporary folder with its content.
    pub(super) fn remove_temporary(&self) -> Result<(), FileError> {
        let Self::Temporary { dir, .. } = self else { return Ok(()) };
        let Some(dir) = dir.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let path = dir.path().to_owned();
        match dir.close() {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("remove the temporary folder", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

impl Root {
    fn of(path: &Path) -> Result<Self, FileError> {
        let path = fs::canonicalize(path).map_err(failed("find the folder", path))?;
        let metadata = fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
        if !metadata.is_dir() {
            let reason = "it is not a folder; name one, or leave `save_dir` out".to_owned();
            return Err(FileError::NoFile { path, reason });
        }
        Ok(Self { identity: Identity::of(&metadata), path: path.into() })
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether the folder is still the same one; `false` if it does not exist any more.
    fn is_there(&self) -> Result<bool, FileError> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if found.is_dir() && Identity::of(&found) == self.identity => Ok(true),
            Ok(_) => {
                let reason = "another folder or a link is in its place";
                Err(FileError::Replaced { path: self.path.to_path_buf(), reason })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("look at", &self.path)(error)),
        }
    }

    /// Creates a file that must not exist. Blocks.
    pub(super) fn create(&self, name: &str) -> Result<Part, FileError> {
        let path = self.path_of(name);
        if !self.is_there()? {
            let missing = io::Error::new(ErrorKind::NotFound, "the folder is gone");
            return Err(failed("write", &path)(missing));
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(failed("write", &path))?;
        Ok(Part { path, file, kept: false })
    }

    /// The metadata of a file of the manager; `None` if it does not exist.
    fn look_at(&self, path: &Path) -> Result<Option<Metadata>, FileError> {
        if !self.is_there()? {
            return Ok(None);
        }
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() => Ok(Some(found)),
            Ok(found) => {
                let reason = match found.is_symlink() {
                    true => "a symbolic link is in its place",
                    false => "a folder is in its place",
                };
                Err(FileError::Replaced { path: path.to_owned(), reason })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("look at", path)(error)),
        }
    }

    /// Opens a file of the manager for reading; `None` if it does not exist. Blocks.
    pub(super) fn open(&self, name: &str) -> Result<Option<fs::File>, FileError> {
        let path = self.path_of(name);
        let Some(expected) = self.look_at(&path)? else { return Ok(None) };
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed("read", &path))?,
        };
        // The file may have been replaced between the check and the opening, so it is checked
        // again.
        let opened = file.metadata().map_err(failed("look at", &path))?;
        if Identity::of(&opened) != Identity::of(&expected) {
            let reason = "another file is in its place";
            return Err(FileError::Replaced { path, reason });
        }
        Ok(Some(file))
    }

    /// Removes a file of the manager. Returns whether it existed. Blocks.
    pub(super) fn remove(&self, name: &str) -> Result<bool, FileError> {
        let path = self.path_of(name);
        if self.look_at(&path)?.is_none() {
            return Ok(false);
        }
        // If a link takes its place right now, the link is removed and not its target.
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("remove", &path)(error)),
        }
    }
}

impl Part {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends bytes. Blocks.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(failed("write", &self.path))
    }

    /// Waits until the file would survive a power failure. Blocks.
    pub(super) fn sync(&self) -> Result<(), FileError> {
        self.file.sync_data().map_err(failed("write", &self.path))
    }

    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "a half-written file was left");
        }
    }
}
