//! Windows on a conversation by messages and by tokens.

use ddg_agentic::Message;
use ddg_agentic::memory::{
    Conversation, CountTokens, EstimatedTokens, LastMessages, Memory, Summary, TokenWindow,
};
use ddg_agentic::message::{Audio, ContentPart, Document, Image, Messages, ToolCall, ToolMessage};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use crate::transcripts::conversations;

/// A question, three rounds of calls, the answer, another question.
fn conversation() -> Conversation {
    let mut messages = vec![Message::system("You plan trips."), Message::user("Tokyo in May?")];
    for n in 1..=3 {
        let call = |name| ToolCall::new(format!("{name}_{n}"), name, json!({ "day": n }));
        let (weather, hotel) = (call("weather"), call("hotel"));
        messages.push(Message::calls([weather.clone(), hotel.clone()]));
        messages.push(Message::tool_result(&weather, "sunny"));
        messages.push(Message::tool_result(&hotel, "9,000 yen"));
    }
    messages.push(Message::assistant("Go there."));
    messages.push(Message::user("And in June?"));
    Conversation::new(messages)
}

fn lines(messages: &Messages) -> String {
    let line = |message: &Message| match message {
        Message::System { text } => format!("system: {text}"),
        Message::User { .. } => format!("user: {}", message.text()),
        Message::Assistant(said) if said.tool_calls.is_empty() => {
            format!("assistant: {}", said.text)
        }
        Message::Assistant(said) => {
            let ids: Vec<_> = said.tool_calls.iter().map(|call| call.id.as_str()).collect();
            format!("assistant calls {}", ids.join(", "))
        }
        Message::Tool(said) => format!("{}: {}", said.call_id, said.content),
        other => panic!("{other:?}"),
    };
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(memory: &impl Memory, conversation: &Conversation, expected: &Expect) {
    expected.assert_eq(&lines(&memory.window(conversation)));
}

#[test]
fn text_that_fits_is_shown_unchanged() {
    let conversation = conversation();
    assert_eq!(LastMessages::new(12).window(&conversation), conversation.messages);
    let memory = TokenWindow::new(1_000, EstimatedTokens);
    assert_eq!(memory.window(&conversation), conversation.messages);
}

#[test]
fn calls_and_their_results_stay_together() {
    let mut conversation = conversation();
    conversation.messages.pop();
    // One message of room is left, and the group before needs three.
    check(
        &LastMessages::new(6),
        &conversation,
        &expect![[r#"
            system: You plan trips.
            user: Tokyo in May?
            assistant calls weather_3, hotel_3
            weather_3: sunny
            hotel_3: 9,000 yen
            assistant: Go there."#]],
    );
}

#[test]
fn the_question_stays_while_tools_are_called() {
    let mut conversation = conversation();
    conversation.messages.truncate(11);
    check(
        &TokenWindow::new(70, EstimatedTokens),
        &conversation,
        &expect![[r#"
            system: You plan trips.
            user: Tokyo in May?
            assistant calls weather_3, hotel_3
            weather_3: sunny
            hotel_3: 9,000 yen"#]],
    );
}

#[test]
fn the_last_group_is_shown_even_if_it_is_larger() {
    let mut conversation = conversation();
    conversation.messages.truncate(11);
    let expected = expect![[r#"
        system: You plan trips.
        user: Tokyo in May?
        assistant calls weather_3, hotel_3
        weather_3: sunny
        hotel_3: 9,000 yen"#]];
    check(&LastMessages::new(0), &conversation, &expected);
    check(&TokenWindow::new(0, EstimatedTokens), &conversation, &expected);
}

#[test]
fn summaries_stand_for_what_is_cut() {
    let mut conversation = conversation();
    conversation.apply(Summary::new(1..5, "Day 1 was looked at.")).unwrap();
    conversation.apply(Summary::new(5..8, "Day 2 was looked at.")).unwrap();
    conversation.goal = Some("a trip to Tokyo".into());
    check(
        &LastMessages::new(5),
        &conversation,
        &expect![[r#"
            system: You plan trips.
            user: [What was said before, in short. It is a record, not a new request.]

            What is wanted: a trip to Tokyo

            Day 1 was looked at.

            Day 2 was looked at.
            assistant: Go there.
            user: And in June?"#]],
    );
    // Day 2 is shown itself.
    check(
        &LastMessages::new(9),
        &conversation,
        &expect![[r#"
            system: You plan trips.
            user: [What was said before, in short. It is a record, not a new request.]

            What is wanted: a trip to Tokyo

            Day 1 was looked at.
            assistant calls weather_2, hotel_2
            weather_2: sunny
            hotel_2: 9,000 yen
            assistant calls weather_3, hotel_3
            weather_3: sunny
            hotel_3: 9,000 yen
            assistant: Go there.
            user: And in June?"#]],
    );
}

/// Some models refuse two messages of a person in a row.
#[test]
fn summaries_are_put_before_what_a_person_says() {
    let mut conversation = conversation();
    conversation.apply(Summary::new(1..12, "Tokyo is fine in May.")).unwrap();
    let shown = LastMessages::new(1).window(&conversation);
    let Message::User { content } = &shown[1] else { panic!("{shown:?}") };
    assert_eq!((shown.len(), content.len()), (2, 2));
    check(
        &LastMessages::new(1),
        &conversation,
        &expect![[r#"
            system: You plan trips.
            user: [What was said before, in short. It is a record, not a new request.]

            Tokyo is fine in May.
            And in June?"#]],
    );
}

#[test]
fn a_memory_of_ones_own_cuts_where_it_can() {
    let conversation = conversation();
    let shown = conversation.shown_from(9);
    expect![[r#"
        system: You plan trips.
        user: Tokyo in May?
        assistant calls weather_3, hotel_3
        weather_3: sunny
        hotel_3: 9,000 yen
        assistant: Go there.
        user: And in June?"#]]
    .assert_eq(&lines(&shown));
    assert_eq!(conversation.shown_from(100).len(), 2);
}

/// The window without what stands for the messages that are left out, which has to be the system's
/// messages before `first` and all from there on.
fn cut_at(conversation: &Conversation, shown: &Messages) -> Option<usize> {
    let (messages, shown) = (conversation.messages.to_vec(), shown.to_vec());
    let starts = conversation.groups().into_iter().map(|group| group.start);
    starts.chain([messages.len()]).find(|&first| {
        let (before, rest) = messages.split_at(first);
        let system: Vec<_> = before.iter().filter(|message| message.is_system()).collect();
        let Some((head, tail)) = shown.split_at_checked(system.len()) else { return false };
        head.iter().collect::<Vec<_>>() == system && is_end(before, rest, tail)
    })
}

/// Whether `tail` is `rest` with at most one message in front, or with a text in front of its first.
fn is_end(before: &[Message], rest: &[Message], tail: &[Message]) -> bool {
    let nobody_before = before.iter().all(Message::is_system);
    if tail == rest {
        let opens = rest.iter().find(|message| !message.is_system());
        let asked = before.iter().any(|message| matches!(message, Message::User { .. }));
        return nobody_before || !asked || matches!(opens, Some(Message::User { .. }));
    }
    match tail {
        _ if nobody_before => false,
        [front @ Message::User { .. }, end @ ..] if end == rest => {
            is_note(front)
                || before.iter().rfind(|said| matches!(said, Message::User { .. })) == Some(front)
        }
        _ => {
            let mut tail = tail.to_vec();
            let opening = tail.iter_mut().find(|message| !message.is_system());
            let Some(Message::User { content }) = opening else { return false };
            let note = Message::User { content: vec![content.remove(0)] };
            tail == rest && is_note(&note)
        }
    }
}

fn is_note(message: &Message) -> bool {
    message.text().starts_with("[What was said before, in short.")
}

fn count(messages: &Messages) -> usize {
    messages.iter().filter(|message| !message.is_system()).count()
}

fn tokens(messages: &Messages) -> usize {
    messages.iter().map(|message| EstimatedTokens.message(message)).sum()
}

/// The least that may be shown.
fn least(conversation: &Conversation) -> Messages {
    LastMessages::new(0).window(conversation)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn groups_are_all_messages_and_whole(conversation in conversations()) {
        let groups = conversation.groups();
        let places: Vec<_> = groups.iter().flat_map(Clone::clone).collect();
        prop_assert_eq!(places, (0..conversation.messages.len()).collect::<Vec<_>>());
        for (idx, message) in conversation.messages.iter().enumerate() {
            let Message::Tool(result) = message else { continue };
            let group = groups.iter().find(|group| group.contains(&idx)).unwrap();
            let calls = conversation.messages.range(group.clone()).flat_map(Message::tool_calls);
            prop_assert!(calls.into_iter().any(|call| call.id == result.call_id));
        }
    }

    #[test]
    fn a_window_is_the_end_of_the_conversation(conversation in conversations(), n in 0..30_usize) {
        for shown in [
            LastMessages::new(n).window(&conversation),
            TokenWindow::new(n * 8, EstimatedTokens).window(&conversation),
            conversation.shown_from(n),
        ] {
            prop_assert!(cut_at(&conversation, &shown).is_some(), "{shown:#?}");
        }
    }

    #[test]
    fn a_window_is_not_larger_than_allowed(conversation in conversations(), n in 0..30_usize) {
        let shown = LastMessages::new(n).window(&conversation);
        prop_assert!(count(&shown) <= n || shown == least(&conversation));
        let shown = TokenWindow::new(n * 8, EstimatedTokens).window(&conversation);
        prop_assert!(tokens(&shown) <= n * 8 || shown == least(&conversation));
    }

    /// All of a conversation that fits, fits, and each larger window shows at least as much.
    #[test]
    fn a_window_is_used(conversation in conversations(), n in 0..30_usize) {
        let messages = &conversation.messages;
        prop_assert_eq!(&LastMessages::new(count(messages)).window(&conversation), messages);
        let memory = TokenWindow::new(tokens(messages), EstimatedTokens);
        prop_assert_eq!(&memory.window(&conversation), messages);
        let cut = |n| cut_at(&conversation, &LastMessages::new(n).window(&conversation));
        prop_assert!(cut(n + 1) <= cut(n));
    }
}

#[test]
fn parts_count_one_by_one() {
    let one = Message::User { content: vec![ContentPart::Text { text: "abcde".into() }] };
    assert_eq!(EstimatedTokens.message(&one), 2 + 4);
    let image = Image::Url("https://example.com/a.png".into());
    assert_eq!(EstimatedTokens.message(&Message::user_with_image("abcde", image)), 2 + 1000 + 4);
    let tokens = |document| EstimatedTokens.message(&Message::user_with_document("", document)) - 4;
    assert_eq!(tokens(Document::bytes("text/plain", "abcde")), 2);
    assert_eq!(tokens(Document::bytes("application/pdf", [0; 10])), 1000);
    assert_eq!(tokens(Document::bytes("application/pdf", vec![0; 500_000])), 5000);
    assert_eq!(tokens(Document::url("text/plain", "https://example.com")), 1000);
    let audio = Audio::bytes("audio/wav", vec![0; 32_000]);
    assert_eq!(EstimatedTokens.message(&Message::user_with_audio("", audio.clone())), 64 + 4);
    let call = ToolCall::new("id_1", "look", json!({ "at": 1 }));
    let shown = ToolMessage::new(&call, "ok").with_images([Image::png("")]);
    let shown = shown.with_attachments([audio]);
    assert_eq!(EstimatedTokens.message(&shown.into()), 1 + 1 + 1 + 1000 + 64 + 4);
    assert_eq!(EstimatedTokens.message(&Message::calls([call.clone()])), 1 + 1 + 2 + 4);
    assert_eq!(EstimatedTokens.message(&Message::tool_result(&call, "ok")), 1 + 1 + 1 + 4);
}
