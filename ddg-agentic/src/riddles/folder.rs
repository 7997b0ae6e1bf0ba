//! The folder that all agents share: paths that stay in it, and files that appear in it whole.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::error::RiddleError;

/// A folder of documents and extractions. Clones are the same folder.
///
/// A path from a message stays inside of it: absolute paths, `..` and links that lead out are
/// refused.
///
/// ```
/// use ddg_agentic::riddles::SharedFolder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let place = tempfile::tempdir()?;
/// # let folder = place.path();
/// std::fs::write(folder.join("a.txt"), "x = 6")?;
/// let shared = SharedFolder::open(folder)?;
/// assert_eq!(shared.read_text("a.txt")?, "x = 6");
/// let error = shared.read_text("../secret").expect_err("it is outside");
/// assert!(error.to_string().starts_with("`../secret` leads out of the shared folder"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedFolder {
    /// Without links and `..`.
    root: PathBuf,
}

impl SharedFolder {
    /// Opens a folder that exists.
    ///
    /// # Errors
    /// If it does not exist, or is not a folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RiddleError> {
        let folder = folder.as_ref();
        let failed =
            |message: String| RiddleError::Folder { folder: folder.display().to_string(), message };
        let root = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
        if !root.is_dir() {
            return Err(failed("it is not a folder".to_owned()));
        }
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The place of a file that exists.
    ///
    /// # Errors
    /// If the path leads out of the folder, or there is no such file.
    pub fn resolve(&self, path: &str) -> Result<PathBuf, RiddleError> {
        let inside = self.inside(path)?;
        let failed = |error: std::io::Error| RiddleError::File {
            path: path.to_owned(),
            message: match error.kind() {
                std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
                _ => error.to_string(),
            },
        };
        let found = inside.canonicalize().map_err(failed)?;
        if found.starts_with(&self.root) { Ok(found) } else { Err(outside(path)) }
    }

    /// Reads a file as text in UTF-8.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); if it cannot be read, or is not UTF-8.
    pub fn read_text(&self, path: &str) -> Result<String, RiddleError> {
        let failed = |error: std::io::Error| RiddleError::File {
            path: path.to_owned(),
            message: error.to_string(),
        };
        std::fs::read_to_string(self.resolve(path)?).map_err(failed)
    }

    /// Writes a file, with its folders. It appears whole, and replaces a file of its name.
    ///
    /// # Errors
    /// If the path leads out of the folder, or the file cannot be written.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), RiddleError> {
        let target = self.inside(path)?;
        let failed = |error: std::io::Error| RiddleError::File {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let parent = target.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent).map_err(failed)?;
        // A folder on the way may be a link that leads out.
        if !parent.canonicalize().map_err(failed)?.starts_with(&self.root) {
            return Err(outside(path));
        }
        // In the same folder, so that it is moved and not copied into place.
        let mut file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        file.persist(&target).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// The path within the folder, if it has only plain names.
    fn inside(&self, path: &str) -> Result<PathBuf, RiddleError> {
        let names = Path::new(path).components();
        let is_plain =
            |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if path.is_empty() || path.contains('\0') || !names.clone().all(is_plain) {
            return Err(outside(path));
        }
        Ok(self.root.join(path))
    }
}

fn outside(path: &str) -> RiddleError {
    RiddleError::Outside { path: path.to_owned() }
}
