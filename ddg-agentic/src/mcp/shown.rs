//! Text of a server that is shown to people, models and logs: without secrets, bounded, printable.

use std::sync::Arc;

/// Maximum number of bytes of a message of a server in errors and logs.
const MAX_SHOWN: usize = 4 << 10;

/// Minimum length of a secret that is removed. Shorter text can be guessed, and may be part of an
/// unrelated message.
const SHORTEST_SECRET: usize = 5;

/// What replaces a secret.
const REMOVED: &str = "…";

/// Removes the secrets that a server was given from its text.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<[String]>);

impl Secrets {
    /// The secrets among `texts`: those that are long enough.
    pub(super) fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<_> =
            texts.into_iter().filter(|text| text.len() >= SHORTEST_SECRET).collect();
        // A secret that contains another is removed as a whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets.into())
    }

    /// `text` without the secrets.
    pub(super) fn removed(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| match text.contains(&**secret) {
            true => text.replace(&**secret, REMOVED),
            false => text,
        })
    }

    /// `text` as it is shown: without secrets and control characters, and not longer than 4 KiB.
    pub(super) fn shown(&self, text: String) -> String {
        let text = self.removed(text);
        let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        let mut text = match text.contains(is_odd) {
            true => text.replace(is_odd, ""),
            false => text,
        };
        if text.len() > MAX_SHOWN {
            let n_bytes = text.len();
            text.truncate(text.floor_char_boundary(MAX_SHOWN));
            text += &format!("… ({n_bytes} bytes)");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_shown_without_secrets_and_escapes_and_is_bounded() {
        let secrets =
            Secrets::new(["token-12345".to_owned(), "12345".to_owned(), "abc".to_owned()]);
        assert_eq!(secrets.shown("no token-12345, 12345, abc".to_owned()), "no …, …, abc");
        assert_eq!(secrets.shown("red \u{1b}[31malert\r\n".to_owned()), "red [31malert\n");
        let long = secrets.shown("é".repeat(5_000));
        assert!(long.ends_with("… (10000 bytes)") && long.len() < 4_200, "{}", long.len());
    }
}
