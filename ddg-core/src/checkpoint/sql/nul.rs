//! Texts with the character NUL, which PostgreSQL does not store: it is written as an escape.
//!
//! Names of automata and owners, names of signals, and the reasons of failures are any text.

use std::borrow::Cow;

const NUL: char = '\0';

/// Begins an escape. Texts rarely have it, so nearly every text is stored as it is.
const ESCAPE: char = '␀';

/// Follows [`ESCAPE`] where the text has [`NUL`].
const OF_NUL: char = '0';

/// The text as it is stored.
pub fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains([NUL, ESCAPE]) {
        return text.into();
    }
    let mut stored = String::with_capacity(text.len() + ESCAPE.len_utf8());
    for c in text.chars() {
        match c {
            NUL => stored.extend([ESCAPE, OF_NUL]),
            ESCAPE => stored.extend([ESCAPE, ESCAPE]),
            c => stored.push(c),
        }
    }
    stored.into()
}

/// The text that was [`stored`].
pub fn restored(stored: String) -> String {
    if !stored.contains(ESCAPE) {
        return stored;
    }
    let mut text = String::with_capacity(stored.len());
    let mut chars = stored.chars().peekable();
    while let Some(c) = chars.next() {
        let is_escape = |next: &char| c == ESCAPE && [OF_NUL, ESCAPE].contains(next);
        text.push(match chars.next_if(is_escape) {
            Some(OF_NUL) => NUL,
            // An escape that another program has written is any character.
            _ => c,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(stored(text), expected);
        assert_eq!(restored(expected.to_owned()), text);
    }

    #[test]
    fn every_text_comes_back() {
        check("plain", "plain");
        check("a\0b", "a␀0b");
        check("\0\0", "␀0␀0");
        check("␀0", "␀␀0");
        check("␀\0", "␀␀␀0");
        assert_eq!(restored("␀ alone ␀".to_owned()), "␀ alone ␀");
    }
}
