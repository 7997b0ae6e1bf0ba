//! The string literals of a source, which are messages for people if they have several words.

/// Minimum number of words of a message.
const LEAST_WORDS: usize = 4;

/// The messages of a source up to its inline tests, each with the number of its first line.
pub(super) fn messages(source: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = source;
    let line = |rest: &str| source[..source.len() - rest.len()].matches('\n').count() + 1;
    while let Some(at) = rest.find(['/', '"', '\'', 'r']) {
        let here = &rest[at..];
        let (literal, end) = match here.as_bytes() {
            [b'/', b'/', ..] => (None, here.find('\n').unwrap_or(here.len())),
            [b'"', ..] => {
                let end = end_of_literal(here);
                (Some(here[1..end - 1].replace("\\\n", " ")), end)
            }
            // A character, as '"'; a lifetime is not closed.
            [b'\'', b'\\', _, b'\'', ..] => (None, 4),
            [b'\'', _, b'\'', ..] => (None, 3),
            [b'r', b'#', b'"', ..] => {
                let end = here[3..].find("\"#").map_or(here.len(), |end| end + 5);
                (Some(here[3..end - 2].to_owned()), end)
            }
            _ => (None, here.chars().next().map_or(1, char::len_utf8)),
        };
        if let Some(text) = literal
            && text.split_whitespace().count() >= LEAST_WORDS
        {
            found.push((line(here), text));
        }
        rest = &here[end..];
    }
    found
}

/// The length of the literal at the beginning of `text`, with its quotes.
fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

#[test]
fn messages_are_found_where_they_are() {
    let source = "// \"not this one, a comment\"\nlet q = '\"';\n#[error(\n    \"a b \\\n     c {d}\"\n)]\n\
                  f(\"too short\", r#\"with \"quotes\" in it\"#, \"an \\\" escaped one\");\n\
                  #[cfg(test)]\nmod tests { \"one of a test\" }\n";
    let found = messages(source);
    let expected =
        [(4, "a b       c {d}"), (7, "with \"quotes\" in it"), (7, "an \\\" escaped one")];
    assert_eq!(
        found.iter().map(|(line, text)| (*line, text.as_str())).collect::<Vec<_>>(),
        expected
    );
}
