//! Random transcripts, for tests that hold for all of them.

use ddg_agentic::Message;
use ddg_agentic::memory::{Conversation, Summary};
use ddg_agentic::message::ToolCall;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

/// What may follow in a transcript.
#[derive(Clone, Debug)]
enum Turn {
    System(String),
    User(String),
    Assistant(String),
    /// How many calls, how many of them have results, and whether a person speaks before the last.
    Calls(usize, usize, bool),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        1 => "[a-z ]{0,40}".prop_map(Turn::System),
        4 => "[a-zü ]{0,80}".prop_map(Turn::User),
        4 => "[a-z語 ]{0,80}".prop_map(Turn::Assistant),
        6 => (1..4_usize, 0..4_usize, any::<bool>())
            .prop_map(|(calls, results, steered)| Turn::Calls(calls, results.min(calls), steered)),
    ]
}

/// Conversations of all kinds, with a goal and summaries or without. A system message may be
/// anywhere, calls may lack results, and people speak while tools run.
pub(crate) fn conversations() -> impl Strategy<Value = Conversation> {
    let turns = vec(turn(), 0..16);
    let cuts = vec((0..20_usize, 1..6_usize), 0..4);
    (turns, cuts, proptest::option::of("[a-z ]{1,20}")).prop_map(|(turns, cuts, goal)| {
        let messages = turns.iter().enumerate().flat_map(|(nth, turn)| messages(nth, turn));
        let mut conversation = Conversation::new(messages);
        let groups = conversation.groups();
        for (first, n_groups) in cuts {
            let Some(group) = groups.get(first) else { continue };
            let last = &groups[(first + n_groups - 1).min(groups.len() - 1)];
            let range = group.start..last.end;
            let text = format!("summary of {range:?}");
            let _ = conversation.apply(Summary::new(range, text));
        }
        conversation.goal = goal;
        conversation
    })
}

fn messages(nth: usize, turn: &Turn) -> Vec<Message> {
    match turn {
        Turn::System(text) => vec![Message::system(text)],
        Turn::User(text) => vec![Message::user(text)],
        Turn::Assistant(text) => vec![Message::assistant(text)],
        &Turn::Calls(n_calls, n_results, steered) => {
            let call = |idx| ToolCall::new(format!("{nth}.{idx}"), "look", json!({ "at": idx }));
            let calls: Vec<_> = (0..n_calls).map(call).collect();
            let results = calls.iter().take(n_results).map(|call| Message::tool_result(call, "ok"));
            let mut messages = vec![Message::calls(calls.clone())];
            messages.extend(results);
            if steered {
                messages.insert(messages.len() - usize::from(n_results > 0), Message::user("wait"));
            }
            messages
        }
    }
}
