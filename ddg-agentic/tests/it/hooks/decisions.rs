//! Each decision of each place, its effect and its event.

use ddg_agentic::hook::{
    AfterModel, AfterTool, BeforeModel, BeforeTool, Decision, HookEvent, HookStop, OnAnswer,
    OnInput, Redact,
};
use ddg_agentic::message::{ContentPart, Document};
use ddg_agentic::model::{ChatChunk, ToolChoice};
use ddg_agentic::prelude::*;
use ddg_core::event::{EventFilter, EventKind};
use expect_test::expect;
use serde_json::json;

use super::{Guard, Paid, at_most_100, bank, paying, stops_above_100};
use crate::react::lines;

fn failed(error: &RunError) -> &AgentFailed {
    error.downcast_ref().unwrap()
}

fn stop_of(error: &RunError) -> HookStop {
    match &failed(error).outcome.end {
        AgentEnd::StoppedByHook { stop } => stop.clone(),
        end => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn a_call_is_refused_changed_given_or_stopped() {
    let decide = |call: &ddg_agentic::hook::ToolUse| match call.arguments["euros"].as_u64() {
        Some(1) => BeforeTool::Change(json!({ "euros": 2 })),
        Some(3) => BeforeTool::give("paid by somebody else"),
        Some(4) => BeforeTool::refuse("not four"),
        _ => BeforeTool::Go,
    };
    let paid = Paid::default();
    let model = ScriptedModel::new()
        .calls([paying("a", 1), paying("b", 3), paying("c", 4), paying("d", 5)])
        .text("Done.");
    let hook = Guard { name: "odd", tool: Some(decide), ..Guard::default() };
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(hook).build().unwrap();
    let run = agent.run(args!("Pay."));
    let mut events = run.events(EventFilter::all());
    let outcome = run.await.unwrap();
    expect![[r#"
        user: Pay.
        model: [pay#a, pay#b, pay#c, pay#d]
        result of pay#a: paid 2
        result of pay#b: paid by somebody else
        error of pay#c: `pay` was refused by `odd`: not four
        result of pay#d: paid 5
        model: Done."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(paid.all(), [2, 5]);
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        if let EventKind::Custom { name, data, .. } = event.unwrap().kind.clone()
            && name == HookEvent::NAME
        {
            let event: HookEvent = data.get().unwrap();
            assert_eq!((event.hook.as_str(), event.at.as_str()), ("odd", "before_tool"));
            seen.push(event.decision);
        }
    }
    seen.sort_by_key(|decision| format!("{decision:?}"));
    let refused = Decision::Refused { why: "not four".into() };
    assert_eq!(seen, [Decision::Changed, Decision::Gave, refused]);
}

#[tokio::test]
async fn a_stop_ends_the_run_with_its_name_and_the_whole_conversation() {
    let paid = Paid::default();
    let model = ScriptedModel::new().calls([paying("a", 20), paying("b", 900)]);
    let agent = ReActAutoma::new(model.clone()).tools(bank(&paid)).hook(stops_above_100());
    let error = agent.build().unwrap().run(args!("Pay.")).await.unwrap_err();
    let stop = stop_of(&error);
    assert_eq!((stop.name.as_str(), stop.hook.as_str()), ("too_much", "stops_above_100"));
    expect![[r#"
        user: Pay.
        model: [pay#a, pay#b]
        result of pay#a: paid 20
        error of pay#b: `pay` has no result: stopped by the hook `stops_above_100` (too_much): more than 100 euros"#]]
    .assert_eq(&lines(&failed(&error).outcome.conversation.messages));
    assert_eq!(paid.all(), [20]);
    model.assert_finished();
}

#[tokio::test]
async fn hooks_decide_in_order_each_about_what_those_before_have_left() {
    let doubles = |call: &ddg_agentic::hook::ToolUse| {
        BeforeTool::Change(json!({ "euros": call.arguments["euros"].as_u64().unwrap() * 2 }))
    };
    let doubles = || Guard { name: "doubles", tool: Some(doubles), ..Guard::default() };
    for (first, second, expected) in
        [(doubles(), at_most_100(), vec![]), (at_most_100(), doubles(), vec![120])]
    {
        let paid = Paid::default();
        let model = ScriptedModel::new().calls([paying("a", 60)]).text("Done.");
        let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(first).hook(second);
        agent.build().unwrap().run(args!("Pay.")).await.unwrap();
        assert_eq!(paid.all(), expected);
    }
}

#[tokio::test]
async fn arguments_of_a_hook_are_checked() {
    let wrong = |_: &ddg_agentic::hook::ToolUse| BeforeTool::Change(json!({ "euros": "ten" }));
    let paid = Paid::default();
    let model = ScriptedModel::new().calls([paying("a", 1)]);
    let hook = Guard { name: "wrong", tool: Some(wrong), ..Guard::default() };
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(hook).build().unwrap();
    let stop = stop_of(&agent.run(args!("Pay.")).await.unwrap_err());
    assert_eq!(stop.name, HookStop::FAILED);
    assert_eq!(paid.all(), [0_u64; 0]);
}

#[tokio::test]
async fn a_result_is_changed_refused_or_stops_the_run() {
    for (euros, told) in [
        (1, "result of pay#a: paid ***"),
        (2, "error of pay#a: `pay` was refused by `results`: secret"),
    ] {
        let decide = |result: &ddg_agentic::message::ToolMessage| match result.content.as_str() {
            "paid 1" => AfterTool::change({
                let mut changed = result.clone();
                changed.content = "paid ***".into();
                changed.call_id = "somebody else's".into();
                changed
            }),
            _ => AfterTool::refuse("secret"),
        };
        let paid = Paid::default();
        let model = ScriptedModel::new().calls([paying("a", euros)]).text("Done.");
        let hook = Guard { name: "results", result: Some(decide), ..Guard::default() };
        let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(hook).build().unwrap();
        let outcome = agent.run(args!("Pay.")).await.unwrap();
        assert!(lines(&outcome.conversation.messages).contains(told));
        assert_eq!(paid.all(), [euros]);
    }
}

#[tokio::test]
async fn a_message_of_a_person_is_changed_in_the_conversation_or_stops_the_run() {
    let decide = |message: &Message| match message.text().as_str() {
        "bad" => OnInput::stop("bad_input", "it is bad"),
        text => OnInput::Change(Message::user(text.replace("4111", "****"))),
    };
    let hook = || Guard { name: "cards", input: Some(decide), ..Guard::default() };
    let model = ScriptedModel::new().text("A card.").expects_last("My card is ****.");
    let agent = ReActAutoma::new(model).hook(hook()).build().unwrap();
    let outcome = agent.run(args!("My card is 4111.")).await.unwrap();
    assert!(!lines(&outcome.conversation.messages).contains("4111"));

    let model = ScriptedModel::new();
    let agent = ReActAutoma::new(model.clone()).hook(hook()).build().unwrap();
    assert_eq!(stop_of(&agent.run(args!("bad")).await.unwrap_err()).name, "bad_input");
    assert!(model.requests().is_empty());
}

/// A message that was stopped does not reach the model with the next one.
#[tokio::test]
async fn a_message_that_was_stopped_is_not_in_the_conversation() {
    let decide = |message: &Message| match message.text().contains("bad") {
        true => OnInput::stop("bad_input", "it is bad"),
        false => OnInput::Go,
    };
    let hook = Guard { name: "inputs", input: Some(decide), ..Guard::default() };
    let model = ScriptedModel::new().text("Hello.").expects(|asked| {
        assert!(asked.messages.iter().all(|message| !message.text().contains("bad")));
        assert_eq!(asked.messages.len(), 2);
    });
    let agent = Agent::new(ReActAutoma::new(model).hook(hook)).unwrap();
    let error = agent.run("ada", "something bad").await.unwrap_err();
    assert!(error.to_string().contains("bad_input"), "{error}");
    agent.run("ada", "Hello?").await.unwrap();
}

#[tokio::test]
async fn a_request_is_changed_answered_or_stops_the_run() {
    let warmer = |request: &ChatRequest| match request.messages.last().unwrap().text().as_str() {
        "hot" => BeforeModel::change(request.clone().temperature(1.5)),
        "known" => BeforeModel::reply(ChatReply::text("I know.")),
        _ => BeforeModel::stop("enough", "no more requests"),
    };
    let hook = Guard { name: "requests", before: Some(warmer), ..Guard::default() };
    let model = ScriptedModel::new().text("Warm.").expects(|asked| {
        assert_eq!(asked.temperature, Some(1.5));
    });
    let agent = ReActAutoma::new(model.clone()).hook(hook).build().unwrap();
    assert_eq!(agent.run(args!("hot")).await.unwrap().text(), "Warm.");
    assert_eq!(agent.run(args!("known")).await.unwrap().text(), "I know.");
    assert_eq!(stop_of(&agent.run(args!("other")).await.unwrap_err()).name, "enough");
    assert_eq!(model.requests().len(), 1);
}

/// A model that calls what it was not offered gets no tool for it.
#[tokio::test]
async fn tools_that_a_hook_takes_away_cannot_be_called() {
    for choose in [
        (|request: &ChatRequest| BeforeModel::change(request.clone().tools([])))
            as fn(&ChatRequest) -> BeforeModel,
        |request| BeforeModel::change(request.clone().tool_choice(ToolChoice::None)),
    ] {
        let paid = Paid::default();
        let model = ScriptedModel::new().calls([paying("a", 5)]).text("Done.");
        let hook = Guard { name: "no_tools", before: Some(choose), ..Guard::default() };
        let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(hook).build().unwrap();
        let outcome = agent.run(args!("Pay.")).await.unwrap();
        assert!(lines(&outcome.conversation.messages).contains("there is no tool `pay`"));
        assert_eq!(paid.all(), [0_u64; 0]);
    }
}

#[tokio::test]
async fn a_reply_is_changed_or_refused_before_anything_acts_on_it() {
    let decide = |reply: &ChatReply| match reply.message.tool_calls.is_empty() {
        false => AfterModel::refuse("do not pay"),
        true => {
            let mut reply = reply.clone();
            reply.message.text = reply.message.text.to_uppercase();
            AfterModel::change(reply)
        }
    };
    let paid = Paid::default();
    let model =
        ScriptedModel::new().calls([paying("a", 5)]).text("done.").expects_last("do not pay");
    let hook = Guard { name: "replies", after: Some(decide), ..Guard::default() };
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(hook).build().unwrap();
    let outcome = agent.run(args!("Pay.")).await.unwrap();
    assert_eq!(outcome.text(), "DONE.");
    expect![[r#"
        user: Pay.
        model: DONE."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(paid.all(), [0_u64; 0]);
}

#[tokio::test]
async fn an_answer_is_refused_until_it_is_right_or_the_tries_are_used_up() {
    let decide = |answer: &str| match answer {
        "four" => OnAnswer::Change("4".into()),
        _ => OnAnswer::refuse("not a number"),
    };
    let hook = || Guard { name: "numbers", answer: Some(decide), ..Guard::default() };
    let model = ScriptedModel::new().text("many").text("four").expects_last("not a number");
    let agent = ReActAutoma::new(model).hook(hook()).build().unwrap();
    let outcome = agent.run(args!("2 + 2?")).await.unwrap();
    assert_eq!(outcome.text(), "4");
    assert_eq!(outcome.conversation.messages.last().unwrap().text(), "4");

    let model = ScriptedModel::new().text("many").text("some");
    let agent = ReActAutoma::new(model).limits(Limits::default().tries(1)).hook(hook());
    let error = agent.build().unwrap().run(args!("2 + 2?")).await.unwrap_err();
    let AgentEnd::NoAnswer { faults } = &failed(&error).outcome.end else { panic!() };
    assert_eq!(*faults, ["not a number"]);
}

/// A question to the person is a text that leaves the agent, too.
#[tokio::test]
async fn a_question_to_the_person_is_an_answer() {
    let decide = |answer: &str| OnAnswer::Change(answer.replace("4111", "****"));
    let hook = Guard { name: "cards", answer: Some(decide), ..Guard::default() };
    let call = ToolCall::new("a", "ask_the_person", json!({ "question": "Is it 4111?" }));
    let agent = ReActAutoma::new(ScriptedModel::new().calls([call])).may_ask_back().hook(hook);
    let outcome = agent.build().unwrap().run(args!("Pay.")).await.unwrap();
    assert_eq!(outcome.text(), "Is it ****?");
    assert!(!lines(&outcome.conversation.messages).contains("4111"));
}

#[tokio::test]
async fn a_hook_that_panics_lets_nothing_pass() {
    let paid = Paid::default();
    let model = ScriptedModel::new().calls([paying("a", 5)]);
    let hook = Guard { name: "broken", tool: Some(|_| panic!("oh")), ..Guard::default() };
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(hook).build().unwrap();
    let stop = stop_of(&agent.run(args!("Pay.")).await.unwrap_err());
    assert_eq!((stop.name.as_str(), stop.message.as_str()), ("hook_failed", "it panicked: oh"));
    assert_eq!(paid.all(), [0_u64; 0]);
}

/// What subscribers see: nothing of a reply before its hooks have decided.
#[tokio::test]
async fn pieces_are_held_until_the_hooks_have_decided() {
    for (passes, expected) in [(false, vec!["a ***"]), (true, vec!["a sec", "ret"])] {
        let model = ScriptedModel::new().pieces([
            ChatChunk::Text("a sec".into()),
            ChatChunk::Text("ret".into()),
            ChatChunk::End { finish: Default::default(), usage: Default::default() },
        ]);
        let agent = ReActAutoma::new(model).hook(Guard {
            name: "watches",
            passes_pieces: true,
            ..Guard::default()
        });
        let agent = match passes {
            true => agent,
            false => agent.hook(Redact::new("secrets", |text| text.replace("secret", "***"))),
        };
        let agent = agent.build().unwrap();
        let run = agent.run(args!("Tell."));
        let mut events = run.events(EventFilter::all());
        run.await.unwrap();
        let mut texts = Vec::new();
        while let Some(event) = events.next().await {
            if let EventKind::Chunk { chunk, .. } = event.unwrap().kind.clone()
                && let Ok(ChatChunk::Text(text)) = chunk.get()
            {
                texts.push(text);
            }
        }
        assert_eq!(texts, expected);
    }
}

/// A document of text is text, and so is the name of a file.
#[tokio::test]
async fn documents_of_text_are_redacted() {
    let model = ScriptedModel::new().text("ok");
    let redact = Redact::new("secrets", |text| text.replace("secret", "***"));
    let agent = ReActAutoma::new(model.clone()).hook(redact).build().unwrap();
    let document = |media_type| Document::bytes(media_type, "a secret").name("secret.txt");
    let content = ["text/plain", "application/pdf"].map(document).map(ContentPart::document);
    agent.run(args!(Message::User { content: content.into() })).await.unwrap();
    let asked = model.requests().remove(0).messages;
    let Some(Message::User { content }) = asked.last() else { panic!("{asked:?}") };
    let told = |media_type, text| Document::bytes(media_type, text).name("***.txt");
    let expected = [told("text/plain", "a ***"), told("application/pdf", "a secret")];
    assert_eq!(content[..], expected.map(ContentPart::document));
}
