//! A summary replaces messages of a conversation when it is applied, or is refused.

use ddg_agentic::Message;
use ddg_agentic::memory::{Conversation, Summary};
use ddg_agentic::message::ToolCall;
use expect_test::{Expect, expect};
use serde_json::json;

/// Messages 0 and 1, calls with two results (2..5), and 5 to 9.
fn conversation() -> Conversation {
    let call = |id| ToolCall::new(id, "look", json!({}));
    let mut messages = vec![Message::system("Be brief."), Message::user("Look!")];
    messages.push(Message::calls([call("a"), call("b")]));
    messages.push(Message::tool_result(&call("a"), "A"));
    messages.push(Message::tool_result(&call("b"), "B"));
    messages.extend((5..10).map(|n| Message::user(format!("message {n}"))));
    Conversation::new(messages)
}

fn ranges(conversation: &Conversation) -> Vec<String> {
    conversation.summaries.iter().map(|s| format!("{:?} {}", s.range, s.text)).collect()
}

#[test]
fn summaries_are_kept_in_order() {
    let mut conversation = conversation();
    conversation.apply(Summary::new(5..7, "second")).unwrap();
    conversation.apply(Summary::new(1..5, "first")).unwrap();
    conversation.apply(Summary::new(8..9, "third")).unwrap();
    assert_eq!(ranges(&conversation), ["1..5 first", "5..7 second", "8..9 third"]);
    assert_eq!(conversation.n_summarised(), 7);
}

/// A system message is shown always, so it needs none.
#[test]
fn summaries_continue_past_system_messages() {
    let mut conversation = conversation();
    conversation.messages.insert(6, Message::system("Be kind."));
    conversation.apply(Summary::new(1..6, "first")).unwrap();
    assert_eq!(conversation.n_summarised(), 7);
    conversation.apply(Summary::new(7..8, "second")).unwrap();
    assert_eq!(conversation.n_summarised(), 8);
    conversation.apply(Summary::new(9..10, "after a gap")).unwrap();
    assert_eq!(conversation.n_summarised(), 8);
}

#[test]
fn a_larger_summary_takes_the_place_of_smaller_ones() {
    let mut conversation = conversation();
    conversation.apply(Summary::new(1..5, "first")).unwrap();
    conversation.apply(Summary::new(5..7, "second")).unwrap();
    conversation.apply(Summary::new(1..8, "all")).unwrap();
    assert_eq!(ranges(&conversation), ["1..8 all"]);
}

#[test]
fn a_conversation_may_grow_meanwhile() {
    let mut conversation = conversation();
    let summary = Summary::new(1..10, "all");
    conversation.messages.push(Message::assistant("later"));
    conversation.apply(summary).unwrap();
    assert_eq!(conversation.n_summarised(), 10);
}

#[test]
fn the_same_messages_twice() {
    let mut conversation = conversation();
    conversation.apply(Summary::new(1..5, "once")).unwrap();
    conversation.apply(Summary::new(1..5, "twice")).unwrap();
    assert_eq!(ranges(&conversation), ["1..5 twice"]);
}

#[test]
fn a_goal_stays_until_there_is_another() {
    let mut conversation = conversation();
    let goal = |goal: &str| Some(goal.to_owned());
    let summary = |range, goal| {
        let mut summary = Summary::new(range, "said");
        summary.goal = goal;
        summary
    };
    conversation.apply(summary(1..5, goal("look"))).unwrap();
    conversation.apply(summary(5..6, None)).unwrap();
    assert_eq!(conversation.goal, goal("look"));
    conversation.apply(summary(6..7, goal("look again"))).unwrap();
    assert_eq!(conversation.goal, goal("look again"));
    // It is said once.
    assert!(conversation.summaries.iter().all(|summary| summary.goal.is_none()));
}

#[track_caller]
fn refused(summary: Summary, expected: &Expect) {
    let mut conversation = conversation();
    conversation.apply(Summary::new(5..8, "middle")).unwrap();
    let before = conversation.clone();
    expected.assert_eq(&conversation.apply(summary).unwrap_err().to_string());
    assert_eq!(conversation, before);
}

#[test]
fn summaries_that_do_not_fit_are_refused() {
    refused(
        Summary::new(5..11, ""),
        &expect![
            "a summary of messages 5..11 does not fit a conversation of 10: it must cover at least one message, and only messages that exist"
        ],
    );
    refused(
        Summary::new(3..3, ""),
        &expect![
            "a summary of messages 3..3 does not fit a conversation of 10: it must cover at least one message, and only messages that exist"
        ],
    );
    refused(
        Summary::new(1..4, ""),
        &expect![
            "a summary of messages 1..4 splits messages 2..5, a model's calls of tools and their results: summarise all of them or none"
        ],
    );
    refused(
        Summary::new(7..9, ""),
        &expect![
            "a summary of messages 7..9 covers a part of the summary of messages 5..8: cover all of it or none"
        ],
    );
    refused(
        Summary::new(6..7, ""),
        &expect![
            "a summary of messages 6..7 covers a part of the summary of messages 5..8: cover all of it or none"
        ],
    );
}

/// Calls wait for their results; a summary that was begun before they came does not split them.
#[test]
fn calls_that_wait_are_one_group_with_all_that_follows() {
    let mut conversation = conversation();
    conversation.messages.truncate(4);
    conversation.messages.push(Message::user("Hurry!"));
    assert_eq!(conversation.groups(), [0..1, 1..2, 2..5]);
    conversation.messages.push(Message::assistant("I have given up."));
    assert_eq!(conversation.groups(), [0..1, 1..2, 2..4, 4..5, 5..6]);
}
