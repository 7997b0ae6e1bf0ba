//! OpenAI's Responses API. The streams are those of its documentation: the examples of
//! `POST /responses` and of the guide to function calling, and the events of the reference of
//! streaming (platform.openai.com/docs/api-reference/responses-streaming), with fewer words.

use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_agentic::model::{ChatChunk, ChatReply, ChatRequest, FinishReason, ModelError, Usage};
use ddg_agentic::provider::OpenAiResponses;
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::openai_server::{Answer, OpenAiServer};

fn model(server: &OpenAiServer) -> OpenAiResponses {
    OpenAiResponses::new("gpt-5").base_url(server.base_url()).api_key("sk-test")
}

/// A response of this status.
pub(crate) fn response(status: &str, output: &Json) -> Json {
    json!({
        "id": "resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654", "object": "response",
        "created_at": 1741290958, "status": status, "error": null, "incomplete_details": null,
        "instructions": "You are a helpful assistant.", "max_output_tokens": null,
        "model": "gpt-5-2025-08-07", "output": output, "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": { "effort": null, "summary": null },
        "store": false, "temperature": 1.0, "text": { "format": { "type": "text" } },
        "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled",
        "usage": {
            "input_tokens": 37, "input_tokens_details": { "cached_tokens": 12 },
            "output_tokens": 11, "output_tokens_details": { "reasoning_tokens": 6 },
            "total_tokens": 48,
        },
        "user": null, "metadata": {},
    })
}

fn message(text: &str) -> Json {
    json!({
        "id": "msg_67c9fdcf37fc8190ba82116e33fb28c507b8b0ad4e5eb654", "type": "message",
        "status": "completed", "role": "assistant",
        "content": [{ "type": "output_text", "text": text, "annotations": [] }],
    })
}

fn call() -> Json {
    json!({
        "type": "function_call", "id": "fc_67ca09c6bedc8190a7abfec07b1a1332096610f474011cc0",
        "call_id": "call_unDCEQWE8b3tHMIKZVHPpVOL", "name": "get_weather",
        "arguments": "{\"location\":\"Paris, France\"}", "status": "completed",
    })
}

fn thought() -> Json {
    json!({
        "id": "rs_6876cf02e0bc8192b74af0fb64b715ff06fa2fcced15a5ac", "type": "reasoning",
        "summary": [{ "type": "summary_text", "text": "I have to look." }],
        "encrypted_content": "gAAAAABo",
    })
}

/// A stream of events, each with its number.
fn events(events: &[Json]) -> Answer {
    let event = |(number, event): (usize, &Json)| {
        let mut event = event.clone();
        event["sequence_number"] = json!(number);
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
    };
    Answer::events(&events.iter().enumerate().map(event).collect::<String>())
}

fn created() -> Json {
    json!({ "type": "response.created", "response": response("in_progress", &json!([])) })
}

fn asked() -> ChatRequest {
    let parameters = json!({
        "type": "object", "properties": { "location": { "type": "string" } },
        "required": ["location"],
    });
    ChatRequest::new([Message::system("You are a helpful assistant."), Message::user("Paris?")])
        .tools([ToolSpec::new("get_weather", "The weather of a place.", parameters)])
        .max_output_tokens(500)
}

async fn streamed(answer: Answer) -> (Result<ChatReply, ModelError>, Vec<ChatChunk>) {
    let server = OpenAiServer::serving([answer]).await;
    let mut chunks = Vec::new();
    let reply = match model(&server).stream(asked()).await {
        Ok(stream) => stream.reply(|chunk| chunks.push(chunk.clone())).await,
        Err(error) => Err(error),
    };
    (reply, chunks)
}

fn text_stream() -> Vec<Json> {
    let item = "msg_67c9fdcf37fc8190ba82116e33fb28c507b8b0ad4e5eb654";
    let at = json!({ "item_id": item, "output_index": 0, "content_index": 0 });
    let with = |more: Json| {
        let mut event = at.clone();
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    let empty = json!({ "type": "output_text", "text": "", "annotations": [] });
    let part = json!({ "type": "output_text", "text": "Hi there!", "annotations": [] });
    let begun = json!({
        "id": item, "type": "message", "status": "in_progress", "role": "assistant", "content": [],
    });
    vec![
        created(),
        json!({ "type": "response.in_progress", "response": response("in_progress", &json!([])) }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": begun }),
        with(json!({ "type": "response.content_part.added", "part": empty })),
        with(json!({ "type": "response.output_text.delta", "delta": "Hi" })),
        with(json!({ "type": "response.output_text.delta", "delta": " there!" })),
        with(json!({ "type": "response.output_text.done", "text": "Hi there!" })),
        with(json!({ "type": "response.content_part.done", "part": part })),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": message("Hi there!") }),
        json!({
            "type": "response.completed",
            "response": response("completed", &json!([message("Hi there!")])),
        }),
    ]
}

fn call_stream() -> Vec<Json> {
    let mut begun = call();
    begun["arguments"] = json!("");
    begun["status"] = json!("in_progress");
    let delta = |delta: &str| {
        json!({
            "type": "response.function_call_arguments.delta", "item_id": call()["id"],
            "output_index": 1, "delta": delta,
        })
    };
    let mut thinks = thought();
    thinks["summary"] = json!([]);
    let part = json!({ "type": "summary_text", "text": "" });
    let of_thought = |kind: &str, more: (&str, Json)| {
        let mut event = json!({
            "type": format!("response.reasoning_summary_{kind}"), "item_id": thought()["id"],
            "output_index": 0, "summary_index": 0,
        });
        event[more.0] = more.1;
        event
    };
    vec![
        created(),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": thinks }),
        of_thought("part.added", ("part", part)),
        of_thought("text.delta", ("delta", json!("I have to "))),
        of_thought("text.delta", ("delta", json!("look."))),
        of_thought("text.done", ("text", json!("I have to look."))),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": thought() }),
        json!({ "type": "response.output_item.added", "output_index": 1, "item": begun }),
        delta("{\"location\":"),
        delta("\"Paris, France\"}"),
        json!({
            "type": "response.function_call_arguments.done", "item_id": call()["id"],
            "output_index": 1, "arguments": call()["arguments"],
        }),
        json!({ "type": "response.output_item.done", "output_index": 1, "item": call() }),
        json!({
            "type": "response.completed",
            "response": response("completed", &json!([thought(), call()])),
        }),
    ]
}

fn usage() -> Usage {
    Usage::new(37, 11).cached_input(12)
}

#[tokio::test]
async fn a_text_comes_whole_and_streamed() {
    let whole = response("completed", &json!([message("Hi there!")]));
    let server = OpenAiServer::serving([Answer::json(&whole)]).await;
    let reply = model(&server).chat(asked()).await.unwrap();
    let (streamed, chunks) = streamed(events(&text_stream())).await;
    assert_eq!(streamed.unwrap(), reply);
    assert_eq!((reply.message.text.as_str(), reply.usage), ("Hi there!", usage()));
    assert_eq!(reply.finish, FinishReason::Stop);
    assert_eq!(chunks[..2], ["Hi", " there!"].map(|text| ChatChunk::Text(text.into())));

    let asked = server.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/responses"));
    let body = server.last_body();
    assert_eq!(body["instructions"], "You are a helpful assistant.");
    assert_eq!(body["input"][0]["role"], "user");
    assert_eq!((&body["store"], &body["max_output_tokens"]), (&json!(false), &json!(500)));
    let tool = &body["tools"][0];
    assert_eq!((&tool["type"], &tool["name"]), (&json!("function"), &json!("get_weather")));
    // Without stored state the reasoning comes back only if it is asked for in this form.
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[tokio::test]
async fn calls_and_reasoning_go_back_with_the_next_request() {
    let whole = response("completed", &json!([thought(), call()]));
    let server = OpenAiServer::serving([Answer::json(&whole)]).await;
    let reply = model(&server).chat(asked()).await.unwrap();
    let (streamed, chunks) = streamed(events(&call_stream())).await;
    assert_eq!(streamed.unwrap().message, reply.message);
    let thinking = chunks.iter().filter_map(|chunk| match chunk {
        ChatChunk::Thinking(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(thinking.collect::<String>(), "I have to look.");
    let [called] = &reply.message.tool_calls[..] else { panic!("{reply:?}") };
    let arguments = ToolArguments::Json(json!({ "location": "Paris, France" }));
    assert_eq!(*called, ToolCall::new("call_unDCEQWE8b3tHMIKZVHPpVOL", "get_weather", arguments));
    assert_eq!(reply.finish, FinishReason::ToolCalls);
    assert_eq!(reply.message.reasoning[0].text, "I have to look.");

    // Also after the conversation was kept as JSON.
    let kept = serde_json::to_string(&Message::from(reply.message.clone())).unwrap();
    let mut again = asked();
    again.messages.push(serde_json::from_str(&kept).unwrap());
    again.messages.push(Message::tool_result(called, "14 °C"));
    let server = OpenAiServer::serving([Answer::json(&whole)]).await;
    model(&server).chat(again).await.unwrap();
    let body = server.last_body();
    let kinds: Vec<_> =
        body["input"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["message", "reasoning", "function_call", "function_call_output"]);
    let item = &body["input"][1];
    assert_eq!((&item["encrypted_content"], &item["id"]), (&json!("gAAAAABo"), &thought()["id"]));
    assert_eq!(body["input"][2]["call_id"], called.id);
    assert_eq!(body["input"][3]["output"], "14 °C");
}

#[tokio::test]
async fn an_incomplete_response_says_why() {
    for (reason, finish) in [
        ("max_output_tokens", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
    ] {
        let mut incomplete = response("incomplete", &json!([message("Hi th")]));
        incomplete["incomplete_details"] = json!({ "reason": reason });
        let mut stream = text_stream();
        stream.pop();
        stream.push(json!({ "type": "response.incomplete", "response": incomplete }));
        let (reply, _) = streamed(events(&stream)).await;
        assert_eq!(reply.unwrap().finish, finish);
        let server = OpenAiServer::serving([Answer::json(&incomplete)]).await;
        assert_eq!(model(&server).chat(asked()).await.unwrap().finish, finish);
    }
}

#[tokio::test]
async fn errors_in_band_keep_their_message_and_whether_to_try_again() {
    let mut failed = response("failed", &json!([]));
    failed["error"] =
        json!({ "code": "server_error", "message": "The model failed to generate a response." });
    let failed = json!({ "type": "response.failed", "response": failed });
    let mut limited = response("failed", &json!([]));
    limited["error"] = json!({ "code": "rate_limit_exceeded", "message": "Slow down." });
    let limited = json!({ "type": "response.failed", "response": limited });
    let error = json!({ "type": "error", "code": "ERR_SOMETHING", "message": "Something went wrong", "param": null });
    let mut told = Vec::new();
    for last in [failed, limited, error] {
        let (reply, _) = streamed(events(&[created(), last])).await;
        let error = reply.unwrap_err();
        told.push(format!("{} {error}", error.is_retryable()));
    }
    let broken = events(&text_stream()[..5]);
    let error = streamed(broken).await.0.unwrap_err();
    told.push(format!("{} {error}", error.is_retryable()));
    expect![[r#"
        true model `gpt-5`: the provider gave up on its reply: The model failed to generate a response.
        true model `gpt-5`: the provider gave up on its reply: Slow down.
        false model `gpt-5`: the provider gave up on its reply: Something went wrong
        true model `gpt-5`: the stream of its reply broke off before the end"#]]
    .assert_eq(&told.join("\n"));
}

#[tokio::test]
async fn settings_that_the_api_does_not_have_are_refused_before_it_is_asked() {
    let server = OpenAiServer::serving([]).await;
    for request in [asked().seed(7), asked().stop(["END"])] {
        let error = model(&server).chat(request).await.unwrap_err();
        assert!(matches!(error, ModelError::Setup { .. }), "{error}");
    }
    assert!(server.asked().is_empty());
}
