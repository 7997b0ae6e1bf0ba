//! Every way in which a reply can end has its own name, and nothing is asked for without bound.

use ddg_agentic::Message;
use ddg_agentic::message::ToolArguments;
use ddg_agentic::model::{Capabilities, ChatChunk, FinishReason};
use ddg_agentic::prelude::*;
use ddg_agentic::react::Limit;
use ddg_agentic::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::json;

use super::{adding, lines, tools};

/// What an agent that failed has left behind.
fn failed(ended: Result<AgentOutcome, RunError>) -> AgentOutcome {
    let error = ended.unwrap_err();
    let AgentFailed { outcome, .. } = error.downcast_ref().expect("the agent failed");
    AgentOutcome::clone(outcome)
}

fn ends(finish: FinishReason) -> ChatReply {
    ChatReply::text("").finish(finish)
}

#[tokio::test]
async fn an_empty_reply_ends_by_its_reason() {
    for (finish, end) in [
        (FinishReason::Length, AgentEnd::CutOff),
        (FinishReason::ContentFilter, AgentEnd::Filtered),
        (FinishReason::Refusal, AgentEnd::Refused { text: String::new() }),
    ] {
        let model = ScriptedModel::new().reply(ends(finish));
        let agent = ReActAutoma::new(model.clone()).build().unwrap();
        let outcome = failed(agent.run(args!("Hello?")).await);
        assert_eq!((&outcome.end, outcome.turns), (&end, 1));
        assert_eq!(lines(&outcome.conversation.messages), "user: Hello?");
        assert!(!outcome.text().is_empty());
    }
    let refusal = ChatReply::text("I will not.").finish(FinishReason::Refusal);
    let agent = ReActAutoma::new(ScriptedModel::new().reply(refusal)).answer::<Sum>();
    let outcome = failed(agent.build().unwrap().run(args!("Hello?")).await);
    assert_eq!(outcome.end, AgentEnd::Refused { text: "I will not.".into() });
}

#[tokio::test]
async fn what_is_no_answer_is_asked_for_again_a_few_times() {
    let replies = [FinishReason::Stop, FinishReason::MalformedCall, FinishReason::Stop];
    let model =
        replies.into_iter().fold(ScriptedModel::new(), |model, finish| model.reply(ends(finish)));
    let agent = ReActAutoma::new(model.clone()).limits(Limits::default().tries(2));
    let outcome = failed(agent.build().unwrap().run(args!("Hello?")).await);
    let AgentEnd::NoAnswer { faults } = &outcome.end else { panic!("{:?}", outcome.end) };
    assert_eq!(faults, &["Your answer is empty. Give one, or call a tool."]);
    assert_eq!(lines(&outcome.conversation.messages), "user: Hello?");
    assert_eq!((outcome.turns, model.requests().len()), (3, 3));
    assert!(model.requests()[2].messages.last().unwrap().text().contains("malformed"));
}

/// A model with too few output tokens makes the same call each time.
#[tokio::test]
async fn a_reply_that_is_cut_within_a_call_is_asked_for_again_a_few_times() {
    let cut =
        |id: &str| ToolCall::new(id, "add", ToolArguments::Malformed(r#"{"a": 1, "b"#.to_owned()));
    let reply = |calls: Vec<ToolCall>| ChatReply::calls(calls).finish(FinishReason::Length);
    let model = (0..6).fold(ScriptedModel::new(), |model, _| model.reply(reply(vec![cut("a")])));
    let agent = ReActAutoma::new(model.clone()).tools(tools()).limits(Limits::default().tries(2));
    let outcome = failed(agent.build().unwrap().run(args!("1 + 2?")).await);
    assert_eq!((outcome.end, outcome.turns), (AgentEnd::CutOff, 3));
    assert_eq!(lines(&outcome.conversation.messages), "user: 1 + 2?");
    let told = model.requests()[1].messages.last().unwrap().text();
    assert!(told.contains("cut off in the middle of a call"), "{told}");

    // A call that is whole is made.
    let model = ScriptedModel::new().reply(reply(vec![adding("a", 1, 2), cut("b")])).text("3");
    let agent = ReActAutoma::new(model).tools(tools()).build().unwrap();
    let outcome = agent.run(args!("1 + 2?")).await.unwrap();
    let said = lines(&outcome.conversation.messages);
    assert!(said.contains("result of add#a: 3") && said.contains("error of add#b"), "{said}");
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Sum {
    sum: u32,
}

#[tokio::test]
async fn a_typed_answer_is_read_whatever_is_around_it() {
    for text in [
        "<think>Is it {\"sum\": 2}?</think>{\"sum\": 3}",
        "Sure! Here you go: {\"sum\": 3}. Anything else?",
        "```{\"sum\": 3}```",
        "```json\n{\"sum\": 3}\n```",
        "{ braces } and [lists] first, then {\"sum\": 3}",
        "{\"total\": 1} no, {\"sum\": 3}",
    ] {
        let agent = ReActAutoma::new(ScriptedModel::new().text(text)).answer::<Sum>();
        let outcome = agent.build().unwrap().run(args!("1 + 2?")).await.unwrap();
        assert_eq!(outcome.answer::<Sum>().unwrap(), Sum { sum: 3 }, "{text}");
    }
    // It is an integer to a schema, and none to the type.
    let model = ScriptedModel::new().text(r#"{"sum": 3.0}"#).text(r#"{"sum": 3}"#);
    let agent = ReActAutoma::new(model).answer::<Sum>().build().unwrap();
    let outcome = agent.run(args!("1 + 2?")).await.unwrap();
    assert_eq!((outcome.answer::<Sum>().unwrap(), outcome.turns), (Sum { sum: 3 }, 2));
    assert_eq!(outcome.conversation.messages.len(), 2, "no try is kept");
}

#[tokio::test]
async fn beside_tools_the_schema_is_told_in_words_from_the_first_turn() {
    let ask = async |can: Capabilities| {
        let model = ScriptedModel::new().capabilities(can).text(r#"{"sum": 3}"#);
        let agent = ReActAutoma::new(model.clone()).tools(tools()).answer::<Sum>();
        let outcome = agent.build().unwrap().run(args!("1 + 2?")).await.unwrap();
        assert_eq!((outcome.answer::<Sum>().unwrap(), outcome.turns), (Sum { sum: 3 }, 1));
        let request = model.requests().remove(0);
        (request.output_schema.is_some(), request.messages[0].text())
    };
    let (by_mode, told) = ask(Capabilities::default()).await;
    assert!(
        !by_mode && told.starts_with("When you give your answer, reply with one JSON"),
        "{told}"
    );
    let (by_mode, told) = ask(Capabilities::default().output_schema_with_tools(true)).await;
    assert!(by_mode && told == "1 + 2?", "{told}");
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_shown_in_part() {
    let too_long = || ModelError::ContextOverflow { model: "m".into(), message: "too long".into() };
    let said = (0..8).map(|n| Message::user(format!("message {n}")));
    let model = ScriptedModel::new().fails(too_long()).fails(too_long()).text("Here I am.");
    let agent = ReActAutoma::new(model.clone()).build().unwrap();
    let outcome = agent.run(args!(said.collect::<Vec<_>>())).await.unwrap();
    assert_eq!((outcome.text().as_str(), outcome.turns), ("Here I am.", 1));
    let shown: Vec<_> = model.requests().iter().map(|asked| asked.messages.len()).collect();
    assert_eq!(shown, [8, 4, 2]);
    assert_eq!(outcome.conversation.messages.len(), 9, "nothing of it is lost");
    // A single message cannot be shown in part.
    let model = ScriptedModel::new().fails(too_long());
    let agent = ReActAutoma::new(model.clone()).build().unwrap();
    let _ = agent.run(args!("long")).await;
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn calls_and_repeats_are_limited() {
    let run = async |limits: Limits| {
        let model = (0..6)
            .fold(ScriptedModel::new(), |model, n| model.calls([adding(&n.to_string(), 1, 2)]));
        let agent = ReActAutoma::new(model).tools(tools()).limits(limits).build().unwrap();
        let outcome = failed(agent.run(args!("Count.")).await);
        let AgentEnd::StoppedByLimit { limit, ref reached } = outcome.end else {
            panic!("{:?}", outcome.end)
        };
        assert_eq!(outcome.text(), format!("stopped without an answer after {reached}"));
        let reached = reached.clone();
        let results = outcome.conversation.messages.iter().filter(|message| match message {
            Message::Tool(message) => !message.is_error,
            _ => false,
        });
        (limit, reached, outcome.turns, results.count())
    };
    assert_eq!(
        run(Limits::default().tool_calls(2)).await,
        (Limit::ToolCalls, "2 tool calls".to_owned(), 2, 2)
    );
    assert_eq!(
        run(Limits::default().repeats(2)).await,
        (Limit::Repeats, "3 turns with the same calls".to_owned(), 3, 2)
    );
}

#[tokio::test]
async fn calls_beside_a_question_are_told_that_they_were_not_made() {
    let ask = ToolCall::new("q", "ask_the_person", json!({ "question": "Which?" }));
    let model = ScriptedModel::new().calls([adding("a", 1, 2), ask]);
    let agent = ReActAutoma::new(model).tools(tools()).may_ask_back().build().unwrap();
    let outcome = agent.run(args!("Add.")).await.unwrap();
    assert_eq!(
        lines(&outcome.conversation.messages),
        "user: Add.\nmodel: Which?[add#a]\n\
         error of add#a: not called, since the person was asked; call it again if it is needed"
    );
}

#[tokio::test]
async fn words_that_are_void_are_no_part_of_the_answer() {
    let end = ChatChunk::End { finish: FinishReason::Stop, usage: Default::default() };
    let pieces = [
        ChatChunk::Text("It ra".into()),
        ChatChunk::Restart { model: None },
        ChatChunk::Text("It rains.".into()),
        end,
    ];
    let agent = ReActAutoma::new(ScriptedModel::new().pieces(pieces)).build().unwrap();
    assert_eq!(agent.run(args!("Weather?")).await.unwrap().text(), "It rains.");
}
