//! A line that stays.

use std::fmt;
use std::time::Duration;

use super::text::{Clock, Paint};

/// When, of whom, what.
pub(super) struct Line {
    pub(super) at: Duration,
    pub(super) of: String,
    pub(super) says: String,
    pub(super) tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// That something begins.
    Plain,
    /// That something has ended well.
    Good,
    /// That somebody should look.
    Warning,
    /// That something has failed.
    Bad,
    /// What a worker tells while it runs: a picture shows it in its place.
    Detail,
}

impl Line {
    pub(super) fn painted(&self, paint: Paint) -> String {
        let Self { at, of, says, tone } = self;
        let (at, of) = (paint.dim(format!("{:#}", Clock(*at))), paint.bold(of));
        match tone {
            Tone::Plain | Tone::Detail => format!("{at} {of}: {says}"),
            Tone::Good => format!("{at} {of}: {}", paint.green(says)),
            Tone::Warning => format!("{at} {of}: {}", paint.yellow(says)),
            Tone::Bad => format!("{at} {of}: {}", paint.red(says)),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, of, says, .. } = self;
        write!(f, "{:#} {of}: {says}", Clock(*at))
    }
}
