//! Streamed replies of a provider with OpenAI's API.

use ddg_agentic::ChatModel;
use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_agentic::model::{ChatChunk, ChatReply, ChatRequest, FinishReason, ModelError, Usage};
use expect_test::expect;
use futures::StreamExt;
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, Completion, OpenAiServer, Then, event, piece, wait};

/// The whole reply of a stream.
async fn reply(answer: Answer) -> Result<ChatReply, ModelError> {
    let server = OpenAiServer::serving([answer]).await;
    model(&server).stream(ChatRequest::new(["hi"])).await?.reply(|_| ()).await
}

fn calls() -> Completion {
    let calls = [
        ("call_1", "weather", r#"{"city":"東京 🗼"}"#),
        ("call_2", "hotel", r#"{"nights":"#),
        ("call_3", "flight", ""),
    ];
    match Answer::calls(calls) {
        Answer::Completion(calls) => {
            Completion { text: Some("Schön, ich schaue nach ☀️".into()), ..calls }
        }
        Answer::Raw(_) => unreachable!("calls are a completion"),
    }
}

#[tokio::test]
async fn a_stream_is_the_same_reply_wherever_it_is_split() {
    let tool_calls = vec![
        ToolCall::new("call_1", "weather", json!({ "city": "東京 🗼" })),
        ToolCall::new("call_2", "hotel", ToolArguments::Malformed(r#"{"nights":"#.into())),
        ToolCall::new("call_3", "flight", json!({})),
    ];
    let usage = Usage::new(20, 5).cached_input(8);
    let mut expected = ChatReply::calls(tool_calls).usage(usage);
    expected.message.text = "Schön, ich schaue nach ☀️".into();
    for n_bytes in [1, 2, 3, 7, 64, 1000, usize::MAX] {
        let found = reply(Answer::Completion(calls()).bytes_at_a_time(n_bytes)).await.unwrap();
        assert_eq!(found, expected, "{n_bytes} bytes at a time");
    }
}

#[tokio::test]
async fn a_stream_is_the_reply_that_comes_at_once() {
    let calls: [&[(&str, &str, &str)]; 9] = [
        &[],
        &[("a", "weather", r#"{"city":"Tokyo"}"#)],
        &[("a", "weather", "")],
        &[("a", "weather", "null")],
        &[("a", "weather", "[1]")],
        &[("a", "weather", "Tokyo")],
        &[("a", "weather", r#""{\"city\":\"Tokyo\"}""#)],
        &[("", "weather", "{}"), ("", "weather", "{")],
        &[("a", "weather", "{}"), ("a", "hotel", "{}"), ("b", "flight", "")],
    ];
    for calls in calls {
        for text in [None, Some("Let me look.".to_owned())] {
            let Answer::Completion(completion) = Answer::calls(calls.iter().copied()) else {
                unreachable!("calls are a completion")
            };
            let answer = Answer::Completion(Completion { text, ..completion });
            let server = OpenAiServer::serving([answer.clone(), answer]).await;
            let model = model(&server);
            let whole = model.chat(ChatRequest::new(["hi"])).await.unwrap();
            let stream = model.stream(ChatRequest::new(["hi"])).await.unwrap();
            assert_eq!(stream.reply(|_| ()).await.unwrap(), whole);
        }
    }
}

#[tokio::test]
async fn calls_with_pieces_without_an_index_are_found() {
    let call = |id: &str, arguments: &str| {
        let function = json!({ "name": "weather", "arguments": arguments });
        json!({ "tool_calls": [{ "id": id, "function": function }] })
    };
    let events = piece(&call("a", "{}"), &Json::Null)
        + &piece(&call("b", "{\"city\":\"Tokyo\"}"), &Json::Null)
        + &piece(&json!({}), &json!("tool_calls"));
    let found = reply(Answer::events(&events)).await.unwrap();
    let expected = [
        ToolCall::new("a", "weather", json!({})),
        ToolCall::new("b", "weather", json!({ "city": "Tokyo" })),
    ];
    assert_eq!(found.message.tool_calls, expected);
}

#[tokio::test]
async fn pieces_come_as_they_are_sent() {
    let server = OpenAiServer::serving([Answer::Completion(calls())]).await;
    let stream = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap();
    let chunks: Vec<_> = stream.map(Result::unwrap).collect().await;
    let lines: Vec<_> = chunks.iter().map(|chunk| json!(chunk).to_string()).collect();
    expect![[r#"
        {"text":"Schö"}
        {"text":"n, i"}
        {"text":"ch s"}
        {"text":"chau"}
        {"text":"e na"}
        {"text":"ch ☀"}
        {"text":"️"}
        {"tool_call":{"index":0,"id":null,"name":"weather","arguments":""}}
        {"tool_call":{"index":0,"id":null,"name":null,"arguments":"{\"ci"}}
        {"tool_call":{"index":0,"id":null,"name":null,"arguments":"ty\":"}}
        {"tool_call":{"index":0,"id":null,"name":null,"arguments":"\"東京 "}}
        {"tool_call":{"index":0,"id":null,"name":null,"arguments":"🗼\"}"}}
        {"tool_call":{"index":1,"id":null,"name":"hotel","arguments":""}}
        {"tool_call":{"index":1,"id":null,"name":null,"arguments":"{\"ni"}}
        {"tool_call":{"index":1,"id":null,"name":null,"arguments":"ghts"}}
        {"tool_call":{"index":1,"id":null,"name":null,"arguments":"\":"}}
        {"tool_call":{"index":2,"id":null,"name":"flight","arguments":""}}
        {"tool_call":{"index":0,"id":"call_1","name":null,"arguments":""}}
        {"tool_call":{"index":2,"id":null,"name":null,"arguments":"{}"}}
        {"tool_call":{"index":2,"id":"call_3","name":null,"arguments":""}}
        {"tool_call":{"index":1,"id":"call_2","name":null,"arguments":""}}
        {"end":{"finish":"tool_calls","usage":{"input_tokens":20,"cached_input_tokens":8,"output_tokens":5}}}"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn a_piece_is_there_before_the_next_is_sent() {
    let answer = Answer::events(&wait()).then(Then::Stall);
    let server = OpenAiServer::serving([answer]).await;
    let mut stream = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), ChatChunk::Text("wait".into()));
    server.stalled().await;
}

#[tokio::test]
async fn a_comment_is_not_a_piece() {
    let hi = piece(&json!({ "content": "hi" }), &json!("stop"));
    let events = format!(": waiting\n\n{hi}data: [DONE]\n\n");
    let found = reply(Answer::events(&events)).await.unwrap();
    assert_eq!((found.message.text.as_str(), found.finish), ("hi", FinishReason::Stop));
}

#[tokio::test]
async fn a_broken_stream_is_reported_after_its_pieces() {
    let error = |error: Json| event(&json!({ "error": error }));
    let ends = [
        (String::new(), Then::End),
        (String::new(), Then::Cut),
        ("data: {\"choices\": [{".to_owned(), Then::End),
        ("data: {no\n\n".to_owned(), Then::End),
        (error(json!({ "message": "overloaded", "type": "server_error" })), Then::End),
        (error(json!({ "message": "too many", "code": 429 })), Then::End),
        (error(json!({ "message": "no such thing", "type": "invalid_request_error" })), Then::End),
    ];
    let mut lines = Vec::new();
    for (end, then) in ends {
        let events = wait() + &end;
        let server = OpenAiServer::serving([Answer::events(&events).then(then)]).await;
        let stream = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap();
        let mut chunks = Vec::new();
        let error = stream.reply(|chunk| chunks.push(chunk.clone())).await.unwrap_err();
        assert_eq!(chunks, [ChatChunk::Text("wait".into())]);
        lines.push(format!("{} {error}", error.is_retryable()));
    }
    expect![[r#"
        true model `test-model`: the stream of its reply broke off before the end
        true model `test-model`: error decoding response body: error reading a body from connection: unexpected EOF during chunk size line
        true model `test-model`: the stream of its reply broke off before the end
        false model `test-model`: its answer is not a reply: key must be a string at line 1 column 2
        true model `test-model`: the provider gave up on its reply: overloaded
        true model `test-model`: the provider answered 429: too many
        false model `test-model`: the provider gave up on its reply: no such thing"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn a_response_that_is_not_a_stream_is_reported_before_it_begins() {
    let answers = [
        Answer::body(200, "text/html", "<html>Welcome</html>"),
        Answer::events(""),
        Answer::events("data: [DONE]\n\n"),
        Answer::error(500, "out of order"),
    ];
    let mut lines = Vec::new();
    for answer in answers {
        let server = OpenAiServer::serving([answer]).await;
        let error = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap_err();
        let told = error.to_string().replace(&server.url(), "http://here");
        lines.push(format!("{} {told}", error.is_retryable()));
    }
    expect![[r#"
        false model `test-model`: its answer is not a reply: it is text/html; check base_url or OPENAI_BASE_URL, which is http://here/v1
        true model `test-model`: the stream of its reply broke off before the end
        true model `test-model`: the stream of its reply broke off before the end
        true model `test-model`: the provider answered 500: out of order"#]].assert_eq(&lines.join("\n"));
}
