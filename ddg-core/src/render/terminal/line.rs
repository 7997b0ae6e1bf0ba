//! A line that stays.

use std::fmt;
use std::time::Duration;

use console::measure_text_width;

use super::text::{Clock, Paint, wrapped};

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
    /// In rows of so many columns, which end between words; all but the first are indented.
    pub(super) fn painted(&self, paint: Paint, columns: usize) -> Vec<String> {
        let Self { at, of, tone, .. } = self;
        let at = format!("{:#}", Clock(*at));
        let says = |text: &str| match tone {
            Tone::Plain | Tone::Detail => text.to_owned(),
            Tone::Good => paint.green(text).to_string(),
            Tone::Warning => paint.yellow(text).to_string(),
            Tone::Bad => paint.red(text).to_string(),
        };
        let indent = measure_text_width(&at) + 1;
        let mut rows = Vec::new();
        let mut left = measure_text_width(of) + 2;
        for row in wrapped(&format!("{of}: {}", self.says), columns.saturating_sub(indent)) {
            // Of whom it is may itself go over several rows.
            let width = measure_text_width(&row);
            let (whom, what) = if left == 0 { ("", row.as_str()) } else { split(&row, left) };
            let begin =
                if rows.is_empty() { paint.dim(&at).to_string() } else { " ".repeat(indent - 1) };
            let whom = if whom.is_empty() { String::new() } else { paint.bold(whom).to_string() };
            let what = if what.is_empty() { String::new() } else { says(what) };
            rows.push(format!("{begin} {whom}{what}"));
            // The space at which a row ended is gone.
            left = left.saturating_sub(width + 1);
        }
        rows
    }
}

/// The first `width` columns, and the rest.
fn split(text: &str, width: usize) -> (&str, &str) {
    let mut columns = 0;
    for (at, c) in text.char_indices() {
        if columns >= width {
            return text.split_at(at);
        }
        columns += measure_text_width(c.encode_utf8(&mut [0; 4]));
    }
    (text, "")
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, of, says, .. } = self;
        write!(f, "{:#} {of}: {says}", Clock(*at))
    }
}
