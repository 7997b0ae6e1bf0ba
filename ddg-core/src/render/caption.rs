//! Keys as people can read them: one line each, without characters that are not to be seen.

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

/// What is not to be seen (control characters, what turns text around, what XML has no place for)
/// is written as an escape.
fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (place, c) in text.trim_end_matches('\r').chars().enumerate() {
        if place == MOST_CHARS {
            line.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
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
