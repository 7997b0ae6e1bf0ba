//! Words and numbers for the terminal.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::time::Duration;

use console::{Style, measure_text_width, strip_ansi_codes};

use crate::printable;

/// Maximum number of characters shown of one text.
const MOST: usize = 2000;

/// Formats text on one line: without control sequences, without changes of direction, and not
/// longer than [`MOST`].
pub(super) fn one_line(text: &str) -> String {
    let text = strip_ansi_codes(text);
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST + 1).collect();
    match line.char_indices().nth(MOST) {
        Some((end, _)) => printable::line(&line[..end]).into_owned() + "…",
        None => printable::line(&line).into_owned(),
    }
}

/// Wraps text between words into rows of `columns` columns. A word wider than a row continues in
/// the next; nothing is left out.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(MIN_COLUMNS);
    let mut rows = Vec::new();
    let (mut row, mut width) = (String::new(), 0);
    for word in text.split_inclusive(' ') {
        let (visible, whole) =
            (measure_text_width(word.trim_end_matches(' ')), measure_text_width(word));
        if width > 0 && width + visible > columns {
            rows.push(std::mem::take(&mut row).trim_end().to_owned());
            width = 0;
        }
        if visible <= columns {
            row += word;
            width += whole;
            continue;
        }
        for c in word.chars() {
            let wide = measure_text_width(c.encode_utf8(&mut [0; 4]));
            if width + wide > columns {
                rows.push(std::mem::take(&mut row));
                width = 0;
            }
            row.push(c);
            width += wide;
        }
    }
    rows.push(row.trim_end().to_owned());
    rows
}

/// Minimum number of columns in which text is wrapped; fewer leave no room for words.
const MIN_COLUMNS: usize = 8;

/// Number of columns from which on a word may be cut.
const LONG_WORD: usize = 24;

/// The start of `text` in `columns` columns: cut between words, with `…` for the rest.
pub(super) fn beginning(text: &str, columns: usize) -> String {
    if measure_text_width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut width = 0;
    let fits = |(_, c): &(usize, char)| {
        width += measure_text_width(c.encode_utf8(&mut [0; 4]));
        width <= room
    };
    let end = text.char_indices().take_while(fits).last().map_or(0, |(at, c)| at + c.len_utf8());
    let (kept, rest) = text.split_at(end);
    let kept = match kept.rfind(' ') {
        Some(space) if !rest.starts_with(' ') && kept.len() - space < LONG_WORD => &kept[..space],
        _ => kept,
    };
    format!("{}…", kept.trim_end())
}

/// The end of `text` in `columns` columns: cut between words, with `…` for what is before.
pub(super) fn end(text: &str, columns: usize) -> String {
    if measure_text_width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut width = 0;
    let fits = |(_, c): &(usize, char)| {
        width += measure_text_width(c.encode_utf8(&mut [0; 4]));
        width <= room
    };
    let begin = text.char_indices().rev().take_while(fits).last().map_or(text.len(), |(at, _)| at);
    let (before, kept) = text.split_at(begin);
    let kept = match kept.find(' ').or((kept.len() < LONG_WORD).then_some(kept.len())) {
        Some(space) if !before.ends_with(' ') && space < LONG_WORD => &kept[space..],
        _ => kept,
    };
    format!("…{}", kept.trim_start())
}

/// The first few entries of a list, and the number of the others.
pub(super) fn some(things: &[String]) -> String {
    const MOST: usize = 8;
    let few = &things[..things.len().min(MOST)];
    let text = few.iter().map(|thing| one_line(thing)).collect::<Vec<_>>().join(", ");
    match things.len() - few.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// A number with its noun, such as `1 step` and `2 steps`.
pub(super) fn count(n: u64, what: &str) -> String {
    let plural: Cow<'_, str> = match (n, what.strip_suffix('y')) {
        (1, _) => what.into(),
        (_, Some(stem)) => format!("{stem}ies").into(),
        (_, None) => format!("{what}s").into(),
    };
    format!("{n} {plural}")
}

/// A time as hours, minutes and seconds; the alternate form adds milliseconds.
pub(super) struct Clock(pub(super) Duration);

impl Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if f.alternate() { write!(f, ".{:03}", self.0.subsec_millis()) } else { Ok(()) }
    }
}

/// Colours, if the output has them.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    pub(super) colours: bool,
}

impl Paint {
    pub(super) fn dim(self, text: impl Display) -> impl Display {
        self.style(Style::new().dim()).apply_to(text)
    }

    pub(super) fn bold(self, text: impl Display) -> impl Display {
        self.style(Style::new().bold()).apply_to(text)
    }

    pub(super) fn cyan(self, text: impl Display) -> impl Display {
        self.style(Style::new().cyan()).apply_to(text)
    }

    pub(super) fn green(self, text: impl Display) -> impl Display {
        self.style(Style::new().green()).apply_to(text)
    }

    pub(super) fn yellow(self, text: impl Display) -> impl Display {
        self.style(Style::new().yellow()).apply_to(text)
    }

    pub(super) fn red(self, text: impl Display) -> impl Display {
        self.style(Style::new().red()).apply_to(text)
    }

    fn style(self, style: Style) -> Style {
        style.force_styling(self.colours)
    }
}
