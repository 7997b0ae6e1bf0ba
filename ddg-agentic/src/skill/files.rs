//! The files of a skill. Nothing outside of its folder can be reached, by `..` or by a symbolic
//! link.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{SKILL_FILE, SkillError};

/// Maximum number of bytes of a file that is read.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Maximum number of files that are listed, and of folders below each other that they are looked
/// for in.
const MOST_LISTED: usize = 200;
const DEEPEST: usize = 8;

/// The folder of a skill.
pub(super) struct Files {
    folder: PathBuf,
    /// Opened once. It resolves paths within the folder only.
    dir: Dir,
}

/// The content of a file.
pub(super) enum Content {
    Text(String),
    /// Not text, of this many bytes.
    Binary(usize),
}

impl Files {
    pub(super) fn open(folder: &Path) -> Result<Self, SkillError> {
        let dir = Dir::open_ambient_dir(folder, ambient_authority());
        let dir = dir.map_err(|error| unreadable(folder, error))?;
        Ok(Self { folder: folder.to_owned(), dir })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The text of `SKILL.md`.
    pub(super) fn skill_file(&self) -> Result<String, SkillError> {
        let path = self.folder.join(SKILL_FILE);
        match self.content(Path::new(SKILL_FILE)) {
            Ok(Content::Text(text)) => Ok(text),
            Ok(Content::Binary(_)) => {
                let message = "the file is not UTF-8".to_owned();
                Err(SkillError::Invalid { file: path, line: 1, message })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SkillError::Missing { folder: self.folder.clone() })
            }
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// Reads the file at `path` in the folder.
    pub(super) fn read(&self, path: &str) -> Result<Content, String> {
        let within = within(path)?;
        self.content(&within).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                let listed = self.list().join(", ");
                format!("there is no file `{path}` in the skill; its files are: {listed}")
            }
            _ => format!("`{path}` cannot be read: {error}"),
        })
    }

    fn content(&self, path: &Path) -> io::Result<Content> {
        let file = self.dir.open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            let n_bytes = metadata.len();
            return Err(io::Error::other(format!(
                "it has {n_bytes} bytes, of {MAX_BYTES} at most"
            )));
        }
        Ok(match String::from_utf8(bytes) {
            Ok(text) => Content::Text(text),
            Err(error) => Content::Binary(error.as_bytes().len()),
        })
    }

    /// The paths of the files, in order: at most 200, and no hidden ones.
    pub(super) fn list(&self) -> Vec<String> {
        let mut listed = Vec::new();
        self.list_into(Path::new(""), 0, &mut listed);
        listed.sort_unstable();
        listed
    }

    fn list_into(&self, folder: &Path, depth: usize, listed: &mut Vec<String>) {
        let dir = match folder.as_os_str().is_empty() {
            true => self.dir.entries(),
            false => self.dir.read_dir(folder),
        };
        // A folder that cannot be read has no files for a model.
        for entry in dir.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let path = folder.join(&name);
            let Ok(kind) = entry.file_type() else { continue };
            if name.as_encoded_bytes().starts_with(b".") || listed.len() >= MOST_LISTED {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST {
                self.list_into(&path, depth + 1, listed);
            } else if kind.is_file() {
                listed.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }

    /// The path of a program that is a file of the skill, for the operating system.
    pub(super) fn program(&self, path: &Path) -> Result<PathBuf, String> {
        let path = within(&path.to_string_lossy())?;
        let opened = self.dir.open(&path).and_then(|file| file.metadata());
        match opened {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(format!("`{}` is no file", path.display())),
            Err(error) => return Err(format!("`{}` cannot be run: {error}", path.display())),
        }
        let root = self.folder.canonicalize().map_err(|error| error.to_string())?;
        let program = root.join(&path).canonicalize().map_err(|error| error.to_string())?;
        match program.starts_with(&root) {
            true => Ok(program),
            false => Err(format!("`{}` is not in the folder of the skill", path.display())),
        }
    }
}

/// The folders in `folder`, in the order of their names.
pub(super) fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, SkillError> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    folders.sort_unstable();
    Ok(folders)
}

/// The path, if it is one below a folder.
fn within(path: &str) -> Result<PathBuf, String> {
    let parts = Path::new(path).components();
    let mut within = PathBuf::new();
    for part in parts {
        match part {
            Component::Normal(part) => within.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(format!(
                    "`{path}` leads out of the skill: give a path in its folder, such as \
                     `references/forms.md`"
                ));
            }
        }
    }
    match within.as_os_str().is_empty() {
        true => Err("the path is empty".to_owned()),
        false => Ok(within),
    }
}

fn unreadable(path: &Path, error: io::Error) -> SkillError {
    SkillError::Unreadable { path: path.to_owned(), source: Arc::new(error) }
}
