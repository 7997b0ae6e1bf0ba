//! Keys as people can read them: one line each, without characters that are not to be seen.

use crate::printable;

/// How many lines of a key are shown.
const MOST_LINES: usize = 4;

/// How many characters of a line are shown.
const MOST_CHARS: usize = 60;

/// The lines of `text`; never none.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.split('\n').take(MOST_LINES).map(line).collect();
    if text.split('\n').nth(MOST_LINES).is_some() {
        lines.push("…".to_owned());
    }
    lines
}

/// `text` in one line.
pub(super) fn one_line(text: &str) -> String {
    line(&text.replace('\n', " "))
}

/// What is not to be seen is written as an escape.
fn line(text: &str) -> String {
    let text = text.trim_end_matches('\r');
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => printable::line(&text[..end]).into_owned() + "…",
        None => printable::line(text).into_owned(),
    }
}

/// `text` cut to what fits into `width` pixels of a 12 pixel font.
pub(super) fn fit(text: &str, width: f64) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut room = width - char_width('…');
    let fits = |c: &char| {
        room -= char_width(*c);
        room >= 0.0
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// About how many pixels wide `text` is in a 12 pixel font.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().map(char_width).sum()
}

/// Wide enough for any font without serifs.
fn char_width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 't' | 'f' | '.' | ',' | ':' | '\'' | '|' | ' ' => 4.0,
        'm' | 'w' | 'M' | 'W' | '@' | '…' => 10.5,
        'A'..='Z' => 8.5,
        '\u{0}'..='\u{10ff}' => 6.9,
        _ => 12.5,
    }
}
