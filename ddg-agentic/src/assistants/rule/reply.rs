//! A model's reply, piece by piece, as clients may see it.

use serde::{Deserialize, Serialize};

use crate::assistants::id::Ids;
use crate::assistants::object::Usage;
use crate::model::{ChatChunk, FinishReason};

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::assistants) struct Reply {
    pub(in crate::assistants) text: String,
    /// The calls, in the order in which the model asked for them.
    pub(in crate::assistants) calls: Vec<ReplyCall>,
    pub(in crate::assistants) finish: FinishReason,
    pub(in crate::assistants) usage: Usage,
    /// Whether the model called tools although it must not. Such calls are dropped.
    pub(in crate::assistants) has_dropped_calls: bool,
}

/// A call of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::assistants) struct ReplyCall {
    pub(in crate::assistants) id: String,
    pub(in crate::assistants) name: String,
    /// The arguments, as the model wrote them.
    pub(in crate::assistants) arguments: String,
}

/// A piece of a reply.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::assistants) enum ReplyPiece {
    Text(String),
    /// The call with this index begins. Its id and name are whole.
    Call {
        index: usize,
        id: String,
        name: String,
    },
    /// A part of the arguments of a call that has begun.
    Arguments {
        index: usize,
        part: String,
    },
    /// What came before is void.
    Restart,
}

/// Splits the chunks of a reply into pieces: a call begins once its id and name are whole.
#[derive(Debug, Default)]
pub(in crate::assistants) struct Splitter {
    text: String,
    calls: Vec<Open>,
    drops_calls: bool,
    has_dropped_calls: bool,
    /// Ids of earlier calls of the run, which a new call must not repeat.
    taken: Vec<String>,
}

#[derive(Debug, Default)]
struct Open {
    /// The index of the upstream.
    at: usize,
    call: ReplyCallParts,
    has_begun: bool,
}

#[derive(Debug, Default)]
struct ReplyCallParts {
    id: String,
    name: String,
    arguments: String,
}

impl Splitter {
    /// Creates a splitter. `taken` are the ids of earlier calls.
    pub(in crate::assistants) fn new(drops_calls: bool, taken: Vec<String>) -> Self {
        Self { drops_calls, taken, ..Self::default() }
    }

    /// Takes a chunk. Gives its pieces and, at the end, the whole reply.
    pub(in crate::assistants) fn take(
        &mut self,
        chunk: ChatChunk,
        ids: &mut (dyn Ids + Send),
        pieces: &mut Vec<ReplyPiece>,
    ) -> Option<Reply> {
        match chunk {
            ChatChunk::Text(text) if !text.is_empty() => {
                self.text.push_str(&text);
                pieces.push(ReplyPiece::Text(text));
            }
            ChatChunk::Text(_) | ChatChunk::Thinking(_) | ChatChunk::Reasoning(_) => {}
            ChatChunk::ToolCall { .. } if self.drops_calls => self.has_dropped_calls = true,
            ChatChunk::ToolCall { index, id, name, arguments } => {
                let idx = self.call_at(index);
                let call = &mut self.calls[idx].call;
                call.id.push_str(&id.unwrap_or_default());
                call.name.push_str(&name.unwrap_or_default());
                call.arguments.push_str(&arguments);
                if !arguments.is_empty() {
                    // Clients count calls as they begin, so those before begin first.
                    (0..=idx).for_each(|idx| self.begin(idx, ids, pieces));
                    pieces.push(ReplyPiece::Arguments { index: idx, part: arguments });
                }
            }
            ChatChunk::Restart { .. } => {
                let taken = std::mem::take(&mut self.taken);
                *self = Self::new(self.drops_calls, taken);
                pieces.push(ReplyPiece::Restart);
            }
            ChatChunk::End { finish, usage } => {
                for idx in 0..self.calls.len() {
                    self.begin(idx, ids, pieces);
                }
                let calls = self.calls.drain(..).map(|open| {
                    let ReplyCallParts { id, name, arguments } = open.call;
                    ReplyCall { id, name, arguments }
                });
                return Some(Reply {
                    calls: calls.collect(),
                    text: std::mem::take(&mut self.text),
                    finish,
                    usage: usage.into(),
                    has_dropped_calls: self.has_dropped_calls,
                });
            }
        }
        None
    }

    /// The call that the upstream numbers `index`.
    fn call_at(&mut self, index: usize) -> usize {
        if let Some(idx) = self.calls.iter().position(|open| open.at == index) {
            return idx;
        }
        self.calls.push(Open { at: index, ..Open::default() });
        self.calls.len() - 1
    }

    fn begin(&mut self, idx: usize, ids: &mut (dyn Ids + Send), pieces: &mut Vec<ReplyPiece>) {
        let open = &mut self.calls[idx];
        if open.has_begun {
            return;
        }
        open.has_begun = true;
        // Outputs are submitted by id, so it has to be one of this call only.
        if open.call.id.is_empty() || self.taken.contains(&open.call.id) {
            open.call.id = ids.next("call");
        }
        let (id, name) = (open.call.id.clone(), open.call.name.clone());
        self.taken.push(id.clone());
        pieces.push(ReplyPiece::Call { index: idx, id, name });
    }
}

impl Reply {
    /// The pieces of a reply that is whole.
    pub(in crate::assistants) fn pieces(&self) -> Vec<ReplyPiece> {
        let text = (!self.text.is_empty()).then(|| ReplyPiece::Text(self.text.clone()));
        let calls = self.calls.iter().enumerate().flat_map(|(index, call)| {
            let (id, name) = (call.id.clone(), call.name.clone());
            let begins = ReplyPiece::Call { index, id, name };
            let part = call.arguments.clone();
            let arguments = (!part.is_empty()).then_some(ReplyPiece::Arguments { index, part });
            [Some(begins), arguments].into_iter().flatten()
        });
        text.into_iter().chain(calls).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assistants::rule::changes::tests::Counted;
    use crate::model::Usage as ModelUsage;

    fn call(index: usize, id: &str, name: &str, arguments: &str) -> ChatChunk {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (id, name, arguments) = (some(id), some(name), arguments.to_owned());
        ChatChunk::ToolCall { index, id, name, arguments }
    }

    #[track_caller]
    fn check(chunks: Vec<ChatChunk>, expected: &str) {
        let (mut splitter, mut ids) =
            (Splitter::new(false, vec!["old".into()]), Counted::default());
        let mut pieces = Vec::new();
        let end = ChatChunk::End { finish: FinishReason::Stop, usage: ModelUsage::default() };
        let mut replies = Vec::new();
        for chunk in chunks.into_iter().chain([end]) {
            replies.extend(splitter.take(chunk, &mut ids, &mut pieces));
        }
        let said: Vec<_> = pieces
            .iter()
            .map(|piece| match piece {
                ReplyPiece::Text(text) => text.clone(),
                ReplyPiece::Call { index, id, name } => format!("{index}:{name}#{id}"),
                ReplyPiece::Arguments { index, part } => format!("{index}+{part}"),
                ReplyPiece::Restart => "restart".to_owned(),
            })
            .collect();
        assert_eq!(said.join(" "), expected);
        assert_eq!(replies.len(), 1);
    }

    #[test]
    fn a_call_begins_once_with_its_whole_name_and_an_id_of_its_own() {
        check(
            vec![
                call(0, "a", "wea", ""),
                call(0, "", "ther", ""),
                call(0, "", "", "{"),
                call(0, "", "", "}"),
            ],
            "0:weather#a 0+{ 0+}",
        );
        check(vec![call(0, "a", "now", "")], "0:now#a");
        check(
            vec![call(0, "", "f", "{}"), call(1, "old", "f", "{}")],
            "0:f#call_1 0+{} 1:f#call_2 1+{}",
        );
        check(vec![call(0, "a", "f", "{}"), call(1, "a", "f", "{}")], "0:f#a 0+{} 1:f#call_1 1+{}");
    }

    #[test]
    fn fragments_of_several_calls_may_interleave() {
        check(
            vec![
                call(0, "a", "f", "{"),
                call(1, "b", "g", "["),
                call(0, "", "", "}"),
                call(1, "", "", "]"),
            ],
            "0:f#a 0+{ 1:g#b 1+[ 0+} 1+]",
        );
    }

    #[test]
    fn calls_begin_in_their_order() {
        let late = vec![call(0, "a", "f", ""), call(1, "b", "g", "{}"), call(0, "", "", "[]")];
        check(late, "0:f#a 1:g#b 1+{} 0+[]");
    }

    #[test]
    fn a_restart_voids_what_came_before() {
        let restart = ChatChunk::Restart { model: None };
        let text = |text: &str| ChatChunk::Text(text.to_owned());
        check(vec![text("He"), restart, text("Hi"), text("")], "He restart Hi");
    }
}
