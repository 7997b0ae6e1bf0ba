//! Keys as text for people: shortened, and with invisible characters escaped.

use crate::printable;

/// Maximum number of lines shown of a key.
const MOST_LINES: usize = 4;

/// Maximum number of characters shown of a line.
const MOST_CHARS: usize = 60;

/// Splits `text` into the lines to show; gives at least one.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.split('\n').take(MOST_LINES).map(line).collect();
    if text.split('\n').nth(MOST_LINES).is_some() {
        lines.push("…".to_owned());
    }
    lines
}

/// Joins the lines of `text` into one.
pub(super) fn one_line(text: &str) -> String {
    line(&text.replace('\n', " "))
}

/// Shortens one line and escapes its invisible characters.
fn line(text: &str) -> String {
    let text = text.trim_end_matches('\r');
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => printable::line(&text[..end]).into_owned() + "…",
        None => printable::line(text).into_owned(),
    }
}

/// Cuts `text` to what fits into `width` pixels of a 12 pixel font.
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

/// Estimates the width of `text` in pixels, in a 12 pixel font.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().map(char_width).sum()
}

/// Estimates the width of a character, large enough for any sans-serif font.
fn char_width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 't' | 'f' | '.' | ',' | ':' | '\'' | '|' | ' ' => 4.0,
        'm' | 'w' | 'M' | 'W' | '@' | '…' => 10.5,
        'A'..='Z' => 8.5,
        '\u{0}'..='\u{10ff}' => 6.9,
        _ => 12.5,
    }
}
