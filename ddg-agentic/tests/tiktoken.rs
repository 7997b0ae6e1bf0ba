//! Tokens as OpenAI's models count them.

use ddg_agentic::Message;
use ddg_agentic::memory::{CountTokens, TiktokenTokens};

#[test]
fn texts_are_counted_by_the_table() {
    let text = "The quick brown fox jumps over the lazy dog.";
    assert_eq!(TiktokenTokens::O200k.text(text), 10);
    assert_eq!(TiktokenTokens::Cl100k.text(text), 10);
    assert_eq!(TiktokenTokens::O200k.text("东京的天气"), 3);
    assert_eq!(TiktokenTokens::Cl100k.text("东京的天气"), 6);
    assert_eq!(TiktokenTokens::O200k.message(&Message::user(text)), 14);
    assert_eq!(TiktokenTokens::O200k.text(""), 0);
}

/// The table's own pattern fails on this many spaces.
#[test]
fn a_million_spaces_are_counted() {
    let n_tokens = TiktokenTokens::O200k.text(&" ".repeat(1 << 20));
    assert!((1..1 << 20).contains(&n_tokens), "{n_tokens}");
}

/// A piece ends where a character ends.
#[test]
fn a_long_text_is_counted_in_pieces() {
    let text = "a 語".repeat(1 << 12);
    let n_tokens = TiktokenTokens::O200k.text(&text);
    assert!((2 << 12..=3 << 12).contains(&n_tokens), "{n_tokens}");
}
