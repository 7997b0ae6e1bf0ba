//! Removes oddities of servers from their replies before they are read: what real servers send, and
//! what a strict reader refuses or joins wrongly.
//!
//! - Half of a surrogate pair (`"\ud83d"` alone) is no JSON text; it becomes U+FFFD.
//! - A call in the form before tools (`function_call`) becomes a call of a tool.
//! - A name of a tool that comes in several pieces is sent whole, with the first arguments.
//! - A call without id and index is told apart from the one before it.
//! - An error beside the end of a reply is sent alone.
//!
//! Only lines that need it are parsed. Anything that is not understood is passed on as it is.
//!
//! **Architecture Invariant:** the reader gets whole lines, about [`LONGEST_PIECE`] bytes at a
//! time. It moves all bytes that are left whenever it has read a line, so the time for a large
//! piece would grow with the square of its length.

mod calls;
mod plain;

use bytes::Bytes;
use futures::{StreamExt, stream};
use rig_core::http_client::BoxedStream;
use serde_json::{Map, Value as Json, json};

use calls::Calls;

/// The body of a whole reply.
pub(super) fn whole(body: Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    let paired = paired(text);
    let text = paired.as_deref().unwrap_or(text);
    if let Some(error) = error_beside(text) {
        return error.into();
    }
    if text.contains("\"function_call\"")
        && let Ok(mut reply) = serde_json::from_str::<Json>(text)
        && let Some(choice) = reply.pointer_mut("/choices/0").and_then(Json::as_object_mut)
    {
        modernise(choice, "message");
        return reply.to_string().into();
    }
    match paired {
        Some(text) => text.into(),
        None => body,
    }
}

/// The number of bytes after which a piece of the body ends with the line.
const LONGEST_PIECE: usize = 1 << 10;

/// The body of a stream of events. `is_chat` says that it is of OpenAI's Chat Completions API.
pub(super) fn events(body: BoxedStream, is_chat: bool) -> BoxedStream {
    let lines = Lines { calls: is_chat.then(Calls::default), line: Vec::new() };
    let tidied = stream::unfold(Some((body, lines)), |state| async move {
        let (mut body, mut lines) = state?;
        match body.next().await {
            Some(Ok(bytes)) => Some((Ok(lines.tidy(&bytes)), Some((body, lines)))),
            Some(Err(error)) => Some((Err(error), Some((body, lines)))),
            None if lines.line.is_empty() => None,
            None => Some((Ok(lines.end()), None)),
        }
    });
    Box::pin(tidied.flat_map(|tidied| {
        let pieces = match tidied {
            Ok(bytes) => pieces(bytes).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(pieces)
    }))
}

/// The lines of `bytes` in pieces that are no longer than they must be.
fn pieces(mut bytes: Bytes) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while let Some(rest) = bytes.get(LONGEST_PIECE..)
        && let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'))
    {
        pieces.push(bytes.split_to(LONGEST_PIECE + end + 1));
    }
    if !bytes.is_empty() {
        pieces.push(bytes);
    }
    pieces
}

/// The lines of a stream.
struct Lines {
    /// The calls of the reply, if it can have such.
    calls: Option<Calls>,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

impl Lines {
    /// The lines that end in `bytes`.
    fn tidy(&mut self, bytes: &[u8]) -> Bytes {
        let mut tidied = Vec::with_capacity(bytes.len());
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            match piece {
                [text @ .., end @ (b'\n' | b'\r')] => {
                    if self.line.is_empty() {
                        self.add(text, &mut tidied);
                    } else {
                        let mut line = std::mem::take(&mut self.line);
                        line.extend_from_slice(text);
                        self.add(&line, &mut tidied);
                    }
                    tidied.push(*end);
                }
                rest => self.line.extend_from_slice(rest),
            }
        }
        tidied.into()
    }

    /// A last line without an end.
    fn end(&mut self) -> Bytes {
        let mut tidied = Vec::new();
        let line = std::mem::take(&mut self.line);
        self.add(&line, &mut tidied);
        tidied.into()
    }

    /// Adds one line without its end.
    fn add(&mut self, line: &[u8], tidied: &mut Vec<u8>) {
        match std::str::from_utf8(line).ok().and_then(|line| self.tidied(line)) {
            Some(line) => tidied.extend_from_slice(line.as_bytes()),
            None => tidied.extend_from_slice(line),
        }
    }

    /// The line as it should be; `None` if it is.
    fn tidied(&mut self, line: &str) -> Option<String> {
        let data = line.strip_prefix("data:")?.trim_start();
        let paired = paired(data);
        if let Some(calls) = &mut self.calls {
            if data == "[DONE]" {
                let rest = calls.untold();
                return (!rest.is_empty()).then(|| {
                    let choice = json!({ "index": 0, "delta": { "tool_calls": rest } });
                    format!("data: {}\n\ndata: [DONE]", json!({ "choices": [choice] }))
                });
            }
            if let Some(error) = error_beside(data) {
                return Some(format!("data: {error}"));
            }
            if calls.concern(data)
                && !calls.take_plain(paired.as_deref().unwrap_or(data))
                && let Ok(mut event) = serde_json::from_str(paired.as_deref().unwrap_or(data))
                && let Some(choice) = first_choice(&mut event)
            {
                modernise(choice, "delta");
                calls.tidy(choice);
                return Some(format!("data: {event}"));
            }
        }
        Some(format!("data: {}", paired?))
    }
}

/// The error of a reply that has choices as well, alone: a reader takes the choices for a reply.
fn error_beside(reply: &str) -> Option<String> {
    if !reply.contains("\"error\"") || !reply.contains("\"choices\"") {
        return None;
    }
    let mut reply: Json = serde_json::from_str(reply).ok()?;
    let is_error = |error: &Json| error.is_object() || error.is_string();
    let beside = reply.get_mut("error").map(Json::take).filter(is_error);
    let error = beside.or_else(|| {
        let choice = first_choice(&mut reply)?;
        let has_failed = choice.get("finish_reason").is_some_and(|reason| reason == "error");
        choice.remove("error").filter(|error| has_failed && is_error(error))
    })?;
    Some(json!({ "error": error }).to_string())
}

/// The choice that is the reply.
fn first_choice(event: &mut Json) -> Option<&mut Map<String, Json>> {
    let choices = event.get_mut("choices")?.as_array_mut()?;
    let is_first = |choice: &&mut Json| choice["index"].as_u64().is_none_or(|index| index == 0);
    choices.iter_mut().find(is_first)?.as_object_mut()
}

/// Makes a call of a tool of one in the form before tools.
fn modernise(choice: &mut Map<String, Json>, message: &str) {
    if choice.get("finish_reason").is_some_and(|reason| reason == "function_call") {
        choice.insert("finish_reason".to_owned(), json!("tool_calls"));
    }
    let Some(message) = choice.get_mut(message).and_then(Json::as_object_mut) else { return };
    let Some(function) = message.remove("function_call").filter(Json::is_object) else { return };
    if message.get("tool_calls").is_none_or(Json::is_null) {
        let call = json!({ "index": 0, "type": "function", "function": function });
        message.insert("tool_calls".to_owned(), json!([call]));
    }
}

/// The JSON with U+FFFD for each half of a surrogate pair; `None` if all are whole.
fn paired(json: &str) -> Option<String> {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return None;
    }
    let mut found: Option<String> = None;
    let mut written = 0;
    let mut at = 0;
    while let Some(next) = json[at..].find('\\') {
        at += next;
        // Any other escape has two characters that matter here: `\\` and what follows.
        let len = match surrogate(&json[at..]) {
            None => 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
            Some(Half::High) if surrogate(&json[at + 6..]) == Some(Half::Low) => 12,
            Some(_) => {
                let text = found.get_or_insert_default();
                text.push_str(&json[written..at]);
                text.push_str("\\ufffd");
                written = at + 6;
                6
            }
        };
        at += len;
    }
    let mut text = found?;
    text.push_str(&json[written..]);
    Some(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// Which half of a pair the escape at the beginning is.
fn surrogate(json: &str) -> Option<Half> {
    let digits = json.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    //! Halves of surrogate pairs, which no serializer writes, and streams in many small events.

    use bytes::Bytes;

    use super::{LONGEST_PIECE, Lines, paired, pieces};
    use crate::provider::rig::tidy::calls::Calls;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let found = paired(json);
        assert_eq!(found.as_deref().unwrap_or(json), expected);
        let read = serde_json::from_str::<serde_json::Value>(expected);
        assert!(read.is_ok(), "{read:?}");
    }

    #[test]
    fn halves_of_pairs_are_replaced() {
        for whole in [
            r#""""#,
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\\\\ud83d \n\u00df""#,
            r#""\uD83D\uDE00x""#,
        ] {
            check(whole, whole);
        }
        check(r#""a\ud83d""#, r#""a\ufffd""#);
        check(r#""\ude00b\ud83d""#, r#""\ufffdb\ufffd""#);
        check(r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#);
        check(r#""\\\ud83d\\ud83d""#, r#""\\\ufffd\\ud83d""#);
        check(r#""\ud83d\n\ude00é""#, r#""\ufffd\n\ufffdé""#);
    }

    #[test]
    fn text_that_is_no_json_is_no_panic() {
        for text in ["\\ud83d", "\\ud8", "\\", "\\ud83d\\", "\\ud83dé", "\\é\\ud83d\\u"] {
            paired(text);
        }
    }

    /// One event of a stream.
    fn event(call: &str) -> String {
        format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{call}]}}}}]}}\n\n")
    }

    /// The reader moves what is left of a piece with every line, and an event that is written anew
    /// is parsed and copied as a whole.
    #[test]
    fn further_arguments_are_passed_on_as_they_are_and_a_few_lines_at_a_time() {
        let mut lines = Lines { calls: Some(Calls::default()), line: Vec::new() };
        let begins = r#"{"index":0,"id":"a","function":{"name":"write","arguments":""}}"#;
        lines.tidy(event(begins).as_bytes());
        lines.tidy(event(r#"{"index":0,"function":{"arguments":"{"}}"#).as_bytes());
        for call in [
            r#"{"index":0,"function":{"arguments":"xxxxxxxxxx \\ud83d"}}"#,
            r#"{"index":0,"id":null,"function":{"name":null,"arguments":"x"}}"#,
            r#"{"index":0,"id":"a","type":"function","function":{"name":"","arguments":"é"}}"#,
        ] {
            let sent = event(call).repeat(1_000);
            let tidied = lines.tidy(sent.as_bytes());
            assert!(tidied == sent, "{}", String::from_utf8_lossy(&tidied[..200]));
            let pieces = pieces(tidied);
            let longest = pieces.iter().map(Bytes::len).max();
            assert!(longest <= Some(LONGEST_PIECE + event(call).len()), "{longest:?}");
            assert!(pieces.concat() == sent.as_bytes());
        }
    }
}
