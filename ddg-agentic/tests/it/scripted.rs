//! A scripted model returns its replies in order, and fails if it is asked for others.

use ddg_agentic::ChatModel;
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::{
    Capabilities, ChatChunk, ChatReply, ChatRequest, FinishReason, ModelError, ScriptedModel, Usage,
};
use ddg_agentic::tool::ToolSpec;
use expect_test::expect;
use futures::{FutureExt, StreamExt};
use serde_json::json;
use tokio::sync::oneshot;

fn request(text: &str) -> ChatRequest {
    ChatRequest::new([text])
}

async fn refused(model: &ScriptedModel, request: ChatRequest) -> String {
    model.chat(request).await.unwrap_err().to_string()
}

#[tokio::test]
async fn replies_come_in_the_order_of_the_requests() {
    let model = ScriptedModel::new().text("one").text("two");
    let other = model.clone();
    assert_eq!(other.chat(request("a")).await.unwrap(), ChatReply::text("one"));
    assert_eq!(model.n_left(), 1);
    assert_eq!(model.chat(request("b")).await.unwrap(), ChatReply::text("two"));
    assert_eq!(other.requests(), [request("a"), request("b")]);
    other.assert_finished();
}

#[tokio::test]
async fn a_script_without_replies_left_fails() {
    let model = ScriptedModel::new().named("tiny").text("one");
    model.chat(request("a")).await.unwrap();
    expect![[r#"model `tiny`, request 2: the script has only 1 replies; the last message is "b""#]]
        .assert_eq(&refused(&model, request("b")).await);
}

#[tokio::test]
async fn it_fails_with_the_error_that_it_was_given() {
    let unsupported = ModelError::Unsupported { model: "scripted".into(), what: "see images" };
    let model = ScriptedModel::new().fails(unsupported.clone());
    assert_eq!(refused(&model, request("a")).await, unsupported.to_string());
}

#[tokio::test]
async fn it_checks_what_it_is_asked() {
    let tools = ["weather", "hotel"].map(|name| ToolSpec::new(name, "", json!({})));
    let model = ScriptedModel::new()
        .text("one")
        .expects_last("Hello?")
        .expects_tools(["weather", "hotel"])
        .text("two")
        .expects_last("Hello?")
        .text("three")
        .expects_tools(["weather"]);
    assert!(model.chat(request("Hello?").tools(tools.clone())).await.is_ok());
    expect![[r#"model `scripted`, request 2: the last message is "Bye.", and should be "Hello?""#]]
        .assert_eq(&refused(&model, request("Bye.")).await);
    expect![[r#"model `scripted`, request 3: the tools are ["weather", "hotel"], and should be ["weather"]"#]]
        .assert_eq(&refused(&model, request("Hello?").tools(tools)).await);
}

#[tokio::test]
#[should_panic(expected = "1 message, please")]
async fn a_check_of_ones_own_may_panic() {
    let model = ScriptedModel::new()
        .text("one")
        .expects(|request| assert_eq!(request.messages.len(), 1, "1 message, please"));
    let _ = model.chat(ChatRequest::new(["a", "b"])).await;
}

#[test]
#[should_panic(expected = "model `scripted` was not asked for 2 of its 2 replies")]
fn remaining_replies_can_be_asserted() {
    ScriptedModel::new().text("one").text("two").assert_finished();
}

#[tokio::test]
async fn a_reply_is_held_back_until_its_gate_opens() {
    let (open, gate) = oneshot::channel::<()>();
    let model = ScriptedModel::new().text("one").after(gate).text("two");
    let mut held = model.chat(request("a"));
    assert!((&mut held).now_or_never().is_none());
    assert_eq!(model.requests(), [request("a")], "it is known who waits");
    assert_eq!(model.chat(request("b")).await.unwrap().message.text, "two");
    open.send(()).unwrap();
    assert_eq!(held.await.unwrap().message.text, "one");
}

#[tokio::test]
async fn pieces_come_as_they_are_and_make_the_reply() {
    let piece =
        |index, id: Option<&str>, name: Option<&str>, arguments: &str| ChatChunk::ToolCall {
            index,
            id: id.map(Into::into),
            name: name.map(Into::into),
            arguments: arguments.into(),
        };
    let pieces = [
        ChatChunk::Text("Let me".into()),
        piece(0, Some("call_1"), Some("weather"), ""),
        piece(0, None, None, "{\"ci"),
        ChatChunk::Text(" look.".into()),
        piece(1, Some("call_2"), Some("hotel"), "{}"),
        piece(0, None, None, "ty\": \"Tokyo\"}"),
        ChatChunk::End { finish: FinishReason::ToolCalls, usage: Usage::new(5, 6) },
    ];
    let model = ScriptedModel::new().pieces(pieces.clone()).pieces(pieces.clone());
    let streamed: Vec<_> =
        model.stream(request("a")).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(streamed, pieces);

    let mut whole = ChatReply::calls([
        ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" })),
        ToolCall::new("call_2", "hotel", json!({})),
    ])
    .usage(Usage::new(5, 6));
    whole.message.text = "Let me look.".into();
    assert_eq!(model.chat(request("b")).await.unwrap(), whole);
}

#[test]
fn it_is_what_it_is_said_to_be() {
    let model = ScriptedModel::new().capabilities(Capabilities::default().tools(false));
    assert!(!ChatModel::capabilities(&model).tools);
    assert_eq!(format!("{:?}", model.text("x")), "ScriptedModel(`scripted`, 1 replies left)");
}
