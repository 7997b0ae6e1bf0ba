//! A line that stays on the terminal.

use std::fmt;
use std::time::Duration;

use console::measure_text_width;

use super::text::{Clock, Paint, wrapped};

/// A line: the time, the worker and the message.
pub(super) struct Line {
    pub(super) at: Duration,
    pub(super) of: String,
    pub(super) says: String,
    pub(super) tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something begins.
    Plain,
    /// Something has ended well.
    Good,
    /// Something deserves attention.
    Warning,
    /// Something has failed.
    Bad,
    /// Output of a running worker. On a terminal the picture shows it instead.
    Detail,
}

impl Line {
    /// Wraps the line between words into rows of `columns` columns, and indents all but the first.
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
            // The path of the worker may itself wrap, so the last row is measured.
            let width = measure_text_width(&row);
            let (whom, what) = if left == 0 { ("", row.as_str()) } else { split(&row, left) };
            let begin =
                if rows.is_empty() { paint.dim(&at).to_string() } else { " ".repeat(indent - 1) };
            let whom = if whom.is_empty() { String::new() } else { paint.bold(whom).to_string() };
            let what = if what.is_empty() { String::new() } else { says(what) };
            rows.push(format!("{begin} {whom}{what}"));
            // Skips the space at which the row was wrapped.
            left = left.saturating_sub(width + 1);
        }
        rows
    }
}

/// Splits `text` after `width` columns.
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
