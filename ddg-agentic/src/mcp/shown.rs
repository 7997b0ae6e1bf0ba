//! Text of a server that is shown to people, models and logs: without secrets, bounded, printable.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use tracing::Dispatch;
use tracing::instrument::{WithDispatch, WithSubscriber};

/// Maximum number of bytes of a message of a server in errors and logs.
const MAX_SHOWN: usize = 4 << 10;

/// Minimum length of a secret that is removed. Shorter text can be guessed, and may be part of an
/// unrelated message.
const SHORTEST_SECRET: usize = 5;

/// Maximum number of learned secrets that are remembered, the newest ones.
const MOST_LEARNED: usize = 256;

/// What replaces a secret.
const REMOVED: &str = "…";

/// Removes the secrets that a server was given from its text. Clones know the same secrets.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<Known>);

#[derive(Default)]
struct Known {
    given: Vec<String>,
    /// Such as tokens, oldest first.
    learned: RwLock<Vec<String>>,
}

/// Silences the log of the library, which contains codes and answers of authorisation servers.
pub(super) fn silent<F: Future>(asking: F) -> WithDispatch<F> {
    asking.with_subscriber(Dispatch::none())
}

impl Secrets {
    /// The secrets among `texts`: those that are long enough.
    pub(super) fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let given = texts.into_iter().filter(|text| text.len() >= SHORTEST_SECRET).collect();
        Self(Arc::new(Known { given, learned: RwLock::default() }))
    }

    /// Adds secrets that are learned later, such as tokens.
    pub(super) fn add(&self, texts: impl IntoIterator<Item = String>) {
        let mut learned = self.0.learned.write().unwrap_or_else(PoisonError::into_inner);
        for text in texts {
            if text.len() >= SHORTEST_SECRET && !learned.contains(&text) {
                learned.push(text);
            }
        }
        // Servers that renew their tokens often must not fill the memory.
        let surplus = learned.len().saturating_sub(MOST_LEARNED);
        learned.drain(..surplus);
    }

    /// `text` without the secrets.
    pub(super) fn removed(&self, text: String) -> String {
        let learned = self.0.learned.read().unwrap_or_else(PoisonError::into_inner);
        let secrets = self.0.given.iter().chain(learned.iter());
        let mut found: Vec<_> = secrets.filter(|secret| text.contains(&***secret)).collect();
        // A secret that contains another is removed as a whole.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found.into_iter().fold(text, |text, secret| text.replace(&**secret, REMOVED))
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
