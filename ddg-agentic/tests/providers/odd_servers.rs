//! What servers with OpenAI's API send that OpenAI does not: it is understood where only one meaning is
//! possible.

use ddg_agentic::ChatModel;
use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_agentic::model::{ChatReply, ChatRequest, FinishReason, ModelError};
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, OpenAiServer, event, piece};

const DONE: &str = "data: [DONE]\n\n";

async fn streamed(answer: Answer) -> Result<ChatReply, ModelError> {
    let server = OpenAiServer::serving([answer]).await;
    model(&server).stream(ChatRequest::new(["hi"])).await?.reply(|_| ()).await
}

/// The calls of a stream with these pieces of calls, whatever the bytes come in.
async fn calls(pieces: &[Json]) -> Vec<ToolCall> {
    let mut events: String =
        pieces.iter().map(|calls| piece(&json!({ "tool_calls": calls }), &Json::Null)).collect();
    events += &piece(&json!({}), &json!("tool_calls"));
    events += DONE;
    let mut found = Vec::new();
    for n_bytes in [1, 13, usize::MAX] {
        let reply = streamed(Answer::events(&events).bytes_at_a_time(n_bytes)).await.unwrap();
        assert_eq!(reply.finish, FinishReason::ToolCalls);
        found.push(reply.message.tool_calls);
    }
    assert!(found.iter().all(|other| *other == found[0]), "{found:#?}");
    found.remove(0)
}

fn said(calls: &[ToolCall]) -> Vec<(&str, &str, String)> {
    let said = |call: &ToolCall| call.arguments.to_text();
    calls.iter().map(|call| (call.id.as_str(), call.name.as_str(), said(call))).collect()
}

fn function(name: &str, arguments: &str) -> Json {
    json!({ "name": name, "arguments": arguments })
}

#[tokio::test]
async fn a_stream_that_is_done_needs_no_reason() {
    let text = piece(&json!({ "content": "hi" }), &Json::Null) + DONE;
    let reply = streamed(Answer::events(&text)).await.unwrap();
    assert_eq!((reply.message.text.as_str(), reply.finish), ("hi", FinishReason::Stop));
    let call =
        json!({ "tool_calls": [{ "index": 0, "id": "a", "function": function("now", "") }] });
    let call = piece(&call, &Json::Null) + DONE;
    let reply = streamed(Answer::events(&call)).await.unwrap();
    assert_eq!(reply.finish, FinishReason::ToolCalls);
    assert_eq!(said(&reply.message.tool_calls), [("a", "now", "{}".to_owned())]);
    let broken = streamed(Answer::events(&piece(&json!({ "content": "hi" }), &Json::Null))).await;
    assert!(matches!(broken, Err(ModelError::BrokenOff { .. })), "{broken:?}");
}

/// The form before tools, which some servers still use.
#[tokio::test]
async fn a_function_call_is_a_call_of_a_tool() {
    let events = piece(&json!({ "function_call": function("weather", "") }), &Json::Null)
        + &piece(&json!({ "function_call": { "arguments": "{\"city\":" } }), &Json::Null)
        + &piece(&json!({ "function_call": { "arguments": "\"Tokyo\"}" } }), &Json::Null)
        + &piece(&json!({}), &json!("function_call"))
        + DONE;
    let message = json!({ "role": "assistant", "content": null,
        "function_call": function("weather", "{\"city\":\"Tokyo\"}") });
    let whole = json!({ "id": "1", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{ "index": 0, "message": message, "finish_reason": "function_call" }] });
    let server = OpenAiServer::serving([Answer::json(&whole)]).await;
    let whole = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap();
    let streamed = streamed(Answer::events(&events)).await.unwrap();
    for reply in [whole, streamed] {
        assert_eq!(reply.finish, FinishReason::ToolCalls);
        let calls = reply.message.tool_calls;
        assert_eq!((calls.len(), calls[0].name.as_str()), (1, "weather"));
        assert_eq!(calls[0].arguments, json!({ "city": "Tokyo" }).into());
    }
}

#[tokio::test]
async fn names_in_pieces_are_joined() {
    let found = calls(&[
        json!([{ "index": 0, "id": "a", "function": { "name": "get_" } }]),
        json!([{ "index": 0, "function": { "name": "weather" } }]),
        json!([{ "index": 0, "function": { "arguments": "{}" } }]),
        json!([{ "index": 1, "id": "b", "function": { "name": "n" } }]),
        json!([{ "index": 1, "function": { "name": "ow" } }]),
    ])
    .await;
    assert_eq!(said(&found), [("a", "get_weather", "{}".into()), ("b", "now", "{}".into())]);
}

#[tokio::test]
async fn names_that_are_repeated_are_one() {
    let found = calls(&[
        json!([{ "index": 0, "id": "a", "function": function("weather", "") }]),
        json!([{ "index": 0, "id": "a", "function": function("weather", "{\"a\":") }]),
        json!([{ "index": 0, "id": "a", "function": function("weather", "1}") }]),
        // As far as it has come.
        json!([{ "index": 1, "id": "b", "function": { "name": "n" } }]),
        json!([{ "index": 1, "id": "b", "function": { "name": "now" } }]),
    ])
    .await;
    assert_eq!(said(&found), [("a", "weather", "{\"a\":1}".into()), ("b", "now", "{}".into())]);
}

#[tokio::test]
async fn a_call_without_id_and_index_is_a_call_of_its_own() {
    let together = json!([
        { "index": 0, "id": "a", "function": function("weather", "") },
        { "function": function("now", "{}") },
    ]);
    let found = calls(&[together]).await;
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].name.as_str(), found[1].name.as_str()), ("weather", "now"));

    let found = calls(&[
        json!([{ "function": function("weather", "{\"a\":") }]),
        json!([{ "function": { "arguments": "1}" } }]),
        json!([{ "function": function("weather", "{\"a\":2}") }]),
        json!([{ "function": function("now", "{}") }]),
    ])
    .await;
    let found: Vec<_> = said(&found).into_iter().map(|(_, name, text)| (name, text)).collect();
    let expected = [("weather", "{\"a\":1}"), ("weather", "{\"a\":2}"), ("now", "{}")]
        .map(|(name, text)| (name, text.to_owned()));
    assert_eq!(found, expected);
}

/// Another id with every piece is one call, and another call under the same index is another.
#[tokio::test]
async fn ids_that_change_under_one_index() {
    let found = calls(&[
        json!([{ "index": 0, "id": "a", "function": function("weather", "{\"a\":") }]),
        json!([{ "index": 0, "id": "b", "function": { "arguments": "1}" } }]),
        json!([{ "index": 0, "id": "c", "function": function("now", "{}") }]),
    ])
    .await;
    assert_eq!(said(&found), [("a", "weather", "{\"a\":1}".into()), ("c", "now", "{}".into())]);
}

/// Half of a surrogate pair is no text. A JSON reader refuses all of the reply for it.
#[tokio::test]
async fn half_a_surrogate_pair_is_one_character_lost() {
    let with_half = |json: Json| json.to_string().replace("HALF", "\\ud83d");
    let events = format!(
        "data: {}\n\n",
        with_half(json!({
            "id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m",
            "choices": [{ "index": 0, "delta": { "content": "a HALF b 🗼" }, "finish_reason": "stop" }],
        }))
    );
    for n_bytes in [1, usize::MAX] {
        let answer = Answer::events(&(events.clone() + DONE)).bytes_at_a_time(n_bytes);
        assert_eq!(streamed(answer).await.unwrap().message.text, "a \u{fffd} b 🗼");
    }
    let whole =
        with_half(json!({ "id": "1", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "a HALF b" },
            "finish_reason": "stop" }] }));
    let server = OpenAiServer::serving([Answer::body(200, "application/json", &whole)]).await;
    let reply = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap();
    assert_eq!(reply.message.text, "a \u{fffd} b");
}

/// Arguments of `n_bytes`, 20 bytes at a time.
async fn in_pieces(n_bytes: usize) {
    let text = format!("{{\"text\":\"{}\"}}", "x".repeat(n_bytes));
    let function = function("write", "");
    let begins = json!({ "tool_calls": [{ "index": 0, "id": "a", "function": function }] });
    let mut events = piece(&begins, &Json::Null);
    for part in text.as_bytes().chunks(20) {
        let part = std::str::from_utf8(part).unwrap();
        let call = json!({ "index": 0, "function": { "arguments": part } });
        events +=
            &event(&json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [call] } }] }));
    }
    events += &piece(&json!({}), &json!("tool_calls"));
    let answer = Answer::events(&(events + DONE)).bytes_at_a_time(1 << 16);
    let reply = streamed(answer).await.unwrap();
    let ToolArguments::Json(found) = &reply.message.tool_calls[0].arguments else {
        panic!("they are JSON")
    };
    assert_eq!(found["text"].as_str().unwrap().len(), n_bytes);
}

#[tokio::test]
async fn arguments_in_many_small_pieces_arrive_whole() {
    in_pieces(1 << 14).await;
}
