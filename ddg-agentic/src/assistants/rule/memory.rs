//! What the model sees of a thread.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::assistants::AssistantsError;
use crate::assistants::object::{Message, Metadata, Role};

/// Which messages of a thread the model sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::assistants) enum MemoryRule {
    /// All of them.
    #[default]
    Naive,
    /// The messages from the last one of a person on.
    Zero,
    /// The last ones, up to a number and a length.
    Window {
        /// Maximum number of messages.
        window_size: u64,
        /// Length from which on no older message is added.
        max_token_size: u64,
    },
}

const WINDOW_SIZE: u64 = 20;
const MAX_TOKEN_SIZE: u64 = 4000;

impl MemoryRule {
    /// Reads the rule from the metadata of an assistant.
    ///
    /// # Errors
    /// If `memory` is there and is no rule.
    pub(in crate::assistants) fn of(metadata: &Metadata) -> Result<Self, AssistantsError> {
        let Some(text) = metadata.get("memory") else { return Ok(Self::default()) };
        let fault = |what: &str| {
            let message = format!("Invalid 'metadata.memory': {what}.");
            AssistantsError::bad_param("metadata.memory", message)
        };
        let Ok(map) = serde_json::from_str::<Map<String, Json>>(text) else {
            return Err(fault("expected an object such as {\"type\": \"window\"}, or its JSON"));
        };
        let known = ["type", "window_size", "max_token_size"];
        if let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(fault(&format!("unknown field '{name}'")));
        }
        let number = |name: &str, default: u64| match map.get(name) {
            None | Some(Json::Null) => Ok(default),
            Some(json) => match json.as_u64() {
                Some(n @ 1..) => Ok(n),
                _ => Err(fault(&format!("'{name}' is an integer of at least 1"))),
            },
        };
        let (window_size, max_token_size) =
            (number("window_size", WINDOW_SIZE)?, number("max_token_size", MAX_TOKEN_SIZE)?);
        match map.get("type").and_then(Json::as_str) {
            Some("naive") => Ok(Self::Naive),
            Some("zero") => Ok(Self::Zero),
            Some("window") => Ok(Self::Window { window_size, max_token_size }),
            _ => Err(fault("the type is 'naive', 'zero' or 'window'")),
        }
    }

    /// The messages that the model sees. `messages` are in order.
    pub(in crate::assistants) fn seen<'a>(&self, messages: &'a [Message]) -> &'a [Message] {
        match *self {
            Self::Naive => messages,
            Self::Zero => {
                let last = messages.iter().rposition(|message| message.role == Role::User);
                last.map_or(&[], |last| &messages[last..])
            }
            Self::Window { window_size, max_token_size } => {
                let mut size = 0;
                let mut first = messages.len();
                let least = messages.len().saturating_sub(usize_of(window_size));
                // The message that crosses the limit is included.
                while first > least && size < max_token_size {
                    first -= 1;
                    size += messages[first].text().chars().count() as u64;
                }
                &messages[first..]
            }
        }
    }
}

/// The last `n` messages.
pub(in crate::assistants) fn last(messages: &[Message], n: Option<u64>) -> &[Message] {
    match n {
        None => messages,
        Some(n) => &messages[messages.len().saturating_sub(usize_of(n))..],
    }
}

fn usize_of(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assistants::rule::changes::tests::message;

    #[track_caller]
    fn check(memory: &str, thread: &[(Role, &str)], expected: &[&str]) {
        let metadata = [("memory".to_owned(), memory.to_owned())].into();
        let messages: Vec<_> = thread.iter().map(|(role, text)| message(*role, text)).collect();
        let seen = MemoryRule::of(&metadata).unwrap();
        let seen: Vec<_> = seen.seen(&messages).iter().map(Message::text).collect();
        assert_eq!(seen, expected, "{memory}");
    }

    use Role::{Assistant, User};

    const THREAD: &[(Role, &str)] =
        &[(User, "one"), (Assistant, "two"), (User, "three"), (Assistant, "four")];

    #[test]
    fn each_rule_shows_its_part_of_a_thread() {
        check(r#"{"type":"naive"}"#, THREAD, &["one", "two", "three", "four"]);
        check(r#"{"type":"zero"}"#, THREAD, &["three", "four"]);
        check(r#"{"type":"zero"}"#, &[(Assistant, "hello")], &[]);
        check(r#"{"type":"window","window_size":1}"#, THREAD, &["four"]);
        // 4 + 5 characters reach the limit with the message that crosses it.
        check(r#"{"type":"window","max_token_size":5}"#, THREAD, &["three", "four"]);
        check(r#"{"type":"window","max_token_size":4}"#, THREAD, &["four"]);
        check(r#"{"type":"window"}"#, &[], &[]);
    }

    #[test]
    fn a_rule_that_is_none_is_refused_by_its_field() {
        for (memory, expected) in [
            (r#"{"type":"window","window_size":0}"#, "'window_size' is an integer of at least 1"),
            (r#"{"type":"naive","max_token_size":-1}"#, "'max_token_size' is an integer"),
            (r#"{"type":"infinite"}"#, "the type is 'naive', 'zero' or 'window'"),
            (r#"{"type":"naive","size":1}"#, "unknown field 'size'"),
            ("naive", "expected an object"),
        ] {
            let metadata = [("memory".to_owned(), memory.to_owned())].into();
            let error = MemoryRule::of(&metadata).unwrap_err().to_string();
            assert!(error.contains(expected), "{memory}: {error}");
        }
    }
}
