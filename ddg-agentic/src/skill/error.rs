//! Errors of skills.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ddg_core::__report::{shown, shown_lines};

/// A skill cannot be used.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SkillError {
    /// A folder has no `SKILL.md`.
    #[error(
        "{}: there is no `SKILL.md`, which says what the skill is for",
        shown(&.folder.display())
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("{}: {source}", shown(&.path.display()), source = shown_lines(.source))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        r#source: Arc<io::Error>,
    },
    /// A `SKILL.md` is not as the specification wants it.
    #[error(
        "{}, line {line}: {message}",
        shown(&.file.display()), message = shown_lines(.message)
    )]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, from 1 on.
        line: u64,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A path does not name a file of the skill.
    #[error(
        "skill `{skill}`: {message}",
        skill = shown(.skill), message = shown_lines(.message)
    )]
    File {
        /// The skill.
        skill: String,
        /// What is wrong, and what would be right.
        message: String,
    },
}

ddg_core::__report::debug_is_display!(SkillError);
