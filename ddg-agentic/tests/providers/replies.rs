//! Whole replies of a provider with OpenAI's API.

use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_agentic::model::{ChatReply, ChatRequest, FinishReason, ModelError, Usage};
use ddg_agentic::{ChatModel, Message};
use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, Completion, OpenAiServer};

/// What a model that answers so is found to have said.
async fn reply(answer: Answer) -> Result<ChatReply, ModelError> {
    let server = OpenAiServer::serving([answer]).await;
    model(&server).chat(ChatRequest::new(["hi"])).await
}

/// What a model that answers this message is found to have said.
async fn reply_to(message: Json, finish: &str) -> ChatReply {
    let choice = json!({ "index": 0, "message": message, "finish_reason": finish });
    let whole = json!({ "id": "1", "model": "test", "choices": [choice] });
    reply(Answer::json(&whole)).await.unwrap()
}

#[tokio::test]
async fn a_text_comes_with_what_it_took() {
    let reply = reply(Answer::text("sunny, 24 °C")).await.unwrap();
    let usage = Usage::new(20, 5).cached_input(8);
    assert_eq!(reply, ChatReply::text("sunny, 24 °C").usage(usage));
}

#[tokio::test]
async fn parallel_calls_come_in_their_order_with_the_text() {
    let Answer::Completion(calls) =
        Answer::calls([("a", "weather", r#"{"city":"Tokyo"}"#), ("b", "hotel", "")])
    else {
        unreachable!()
    };
    let answer = Completion { text: Some("Let me look.".into()), ..calls };
    let reply = reply(Answer::Completion(answer)).await.unwrap();
    let calls = [
        ToolCall::new("a", "weather", json!({ "city": "Tokyo" })),
        ToolCall::new("b", "hotel", json!({})),
    ];
    assert_eq!(reply.message.text, "Let me look.");
    assert_eq!(reply.message.tool_calls, calls);
    assert_eq!(reply.finish, FinishReason::ToolCalls);
}

#[tokio::test]
async fn arguments_that_are_not_json_are_kept() {
    let broken = [r#"{"city": "Tok"#, "Tokyo", r#"["Tokyo"]"#, r#""{\"city\":\"Tokyo\"}""#];
    let mut found = Vec::new();
    for text in broken {
        let reply = reply(Answer::calls([("a", "weather", text)])).await.unwrap();
        found.push(reply.message.tool_calls[0].arguments.clone());
    }
    let expected = [
        ToolArguments::Malformed(broken[0].into()),
        ToolArguments::Malformed(broken[1].into()),
        ToolArguments::Json(json!(["Tokyo"])),
        ToolArguments::Json(json!({ "city": "Tokyo" })),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_finish_reason_is_reported() {
    let text = json!({ "role": "assistant", "content": "well" });
    let mut found = Vec::new();
    for finish in ["stop", "length", "content_filter", "tool_calls", "abort"] {
        found.push(reply_to(text.clone(), finish).await.finish);
    }
    expect![[r#"[Stop, Length, ContentFilter, ToolCalls, Other("abort")]"#]]
        .assert_eq(&format!("{found:?}"));
}

#[tokio::test]
async fn calls_without_an_id_get_one_that_stays_the_same() {
    let call = json!({ "type": "function", "function": { "name": "weather", "arguments": "{}" } });
    let message = json!({ "role": "assistant", "content": null, "tool_calls": [call, call] });
    let first = reply_to(message.clone(), "tool_calls").await.message.tool_calls;
    let again = reply_to(message, "tool_calls").await.message.tool_calls;
    assert_eq!(first, again);
    let ids: Vec<_> = first.iter().map(|call| call.id.as_str()).collect();
    expect!["call_db637932ddbf7516_0 call_db637932ddbf7516_1"].assert_eq(&ids.join(" "));
}

#[tokio::test]
async fn calls_with_the_id_of_another_get_their_own() {
    let answer = Answer::calls([("call_0", "weather", "{}"), ("call_0", "hotel", "{}")]);
    let server = OpenAiServer::serving([answer.clone(), answer]).await;
    let first = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap().message;
    let mut conversation: Vec<Message> = vec!["hi".into(), first.clone().into()];
    conversation.extend(first.tool_calls.iter().map(|call| Message::tool_result(call, "done")));
    let second = model(&server).chat(ChatRequest::new(conversation)).await.unwrap().message;
    let calls = first.tool_calls.iter().chain(&second.tool_calls);
    let mut ids: Vec<_> = calls.map(|call| call.id.clone()).collect();
    assert_eq!(ids[0], "call_0");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn an_empty_message_is_an_empty_reply() {
    for content in [json!(""), Json::Null] {
        let reply = reply_to(json!({ "role": "assistant", "content": content }), "stop").await;
        assert_eq!(reply, ChatReply::text(""));
    }
}

#[tokio::test]
async fn a_refusal_is_said_and_thoughts_are_kept_apart() {
    let message = json!({
        "role": "assistant", "content": null, "refusal": "I would rather not.",
        "reasoning_content": "They want something strange.",
    });
    let reply = reply_to(message, "stop").await;
    assert_eq!(reply.message.text, "I would rather not.");
    assert_eq!(reply.message.reasoning[0].text, "They want something strange.");
}

#[tokio::test]
async fn a_reply_without_optional_fields_is_accepted() {
    let whole = json!({ "choices": [{ "message": { "content": "hi" } }] });
    assert_eq!(reply(Answer::json(&whole)).await.unwrap(), ChatReply::text("hi"));
}

#[tokio::test]
async fn a_malformed_reply_is_reported() {
    let answers = [
        Answer::json(&json!({ "choices": [] })),
        Answer::json(&json!({ "hello": "you" })),
        Answer::body(200, "application/json", "{\"choices\": ["),
        Answer::body(200, "text/html", "<html>Welcome</html>"),
        Answer::body(200, "application/json", ""),
    ];
    let mut lines = Vec::new();
    for answer in answers {
        let server = OpenAiServer::serving([answer]).await;
        let error = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap_err();
        let told = error.to_string().replace(&server.url(), "http://here");
        lines.push(format!("{} {told}", error.is_retryable()));
    }
    expect![[r#"
        false model `test-model`: its answer is not a reply: there is no message in it
        false model `test-model`: its answer is not a reply: there is no message in it
        false model `test-model`: its answer is not a reply: EOF while parsing a list at line 1 column 13
        false model `test-model`: its answer is not a reply: it is text/html; check base_url or OPENAI_BASE_URL, which is http://here/v1
        false model `test-model`: its answer is not a reply: there is no message in it"#]].assert_eq(&lines.join("\n"));
}
