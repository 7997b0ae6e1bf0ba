//! Streams event by event as the providers' documentation and the tests of official SDKs publish them,
//! with texts and ids of our own. Each test names its source; what the reply must be follows from it.
#![expect(clippy::needless_pass_by_value, reason = "values are made where they are passed")]

use ddg_agentic::ChatModel;
use ddg_agentic::model::{ChatReply, ChatRequest};
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, Ollama, OpenAi, OpenAiResponses};
use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use crate::openai_server::{Answer, OpenAiServer};

/// Events with their data only.
fn data(events: &[Json]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// Events with their type as their name, too.
fn named(events: &[Json]) -> String {
    let event = |event: &Json| {
        let name = event["type"].as_str().unwrap();
        format!("event: {name}\ndata: {event}\n\n")
    };
    events.iter().map(event).collect()
}

/// Replays a stream, in pieces of several sizes, and compares the reply.
async fn check<A: Api>(model: HttpModel<A>, events: &str, expected: Expect) -> ChatReply {
    let sizes = [1, 7, 1000, usize::MAX];
    let answer = |n_bytes: &usize| Answer::events(events).bytes_at_a_time(*n_bytes);
    let server = OpenAiServer::serving(sizes.iter().map(answer)).await;
    let model = model.base_url(server.url()).api_key("sk-test");
    let mut replies = Vec::new();
    for _ in sizes {
        let stream = model.stream(ChatRequest::new(["How is it?"])).await.unwrap();
        replies.push(stream.reply(|_| ()).await.unwrap());
    }
    let reply = replies.pop().unwrap();
    assert!(replies.iter().all(|other| *other == reply), "{replies:#?}");
    let message = serde_json::to_string(&reply.message).unwrap();
    let (finish, usage) = (&reply.finish, &reply.usage);
    expected.assert_eq(&format!("{message}\n{finish:?} {usage:?}"));
    reply
}

fn chat(delta: Json, finish: Json) -> Json {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_726_723_632,
        "model": "gpt-4o-2024-08-06", "service_tier": "default", "system_fingerprint": "fp_1",
        "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
        "usage": null, "obfuscation": "k3J",
    })
}

fn call(index: u32, more: Json) -> Json {
    let mut call = json!({ "index": index });
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "tool_calls": [call] })
}

/// OpenAI's guide to function calling, "Streaming", and `stream_options.include_usage` of its API
/// reference: the usage comes in a piece without choices.
#[tokio::test]
async fn openai_chat_with_two_calls_and_usage() {
    let arguments = |index, text: &str| call(index, json!({ "function": { "arguments": text } }));
    let begins = |index, id: &str| {
        let function = json!({ "name": "get_weather", "arguments": "" });
        call(index, json!({ "id": id, "type": "function", "function": function }))
    };
    let usage = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_726_723_632,
        "model": "gpt-4o-2024-08-06", "choices": [],
        "usage": {
            "prompt_tokens": 79, "completion_tokens": 30, "total_tokens": 109,
            "prompt_tokens_details": { "cached_tokens": 64, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
        },
    });
    let none = Json::Null;
    let mut events = data(&[
        chat(json!({ "role": "assistant", "content": null, "refusal": null }), none.clone()),
        chat(begins(0, "call_1"), none.clone()),
        chat(arguments(0, "{\""), none.clone()),
        chat(arguments(0, "city\":\"Tokyo\"}"), none.clone()),
        chat(begins(1, "call_2"), none.clone()),
        chat(arguments(1, "{\"city\":"), none.clone()),
        chat(arguments(1, "\"Kyoto\"}"), none),
        chat(json!({}), json!("tool_calls")),
        usage,
    ]);
    events.push_str("data: [DONE]\n\n");
    check(OpenAi::new("gpt-4o"), &events, expect![[r#"
        {"text":"","tool_calls":[{"id":"call_1","name":"get_weather","arguments":{"json":{"city":"Tokyo"}}},{"id":"call_2","name":"get_weather","arguments":{"json":{"city":"Kyoto"}}}]}
        ToolCalls Usage { input_tokens: 79, cached_input_tokens: 64, output_tokens: 30 }"#]]).await;
}

/// `tests/lib/chat/test_completions_streaming.py` of openai-python: a refusal comes in pieces of its own
/// field, and the stream ends as any other.
#[tokio::test]
async fn openai_chat_that_refuses() {
    let none = Json::Null;
    let mut events = data(&[
        chat(json!({ "role": "assistant", "content": "", "refusal": null }), none.clone()),
        chat(json!({ "refusal": "I'm sorry, " }), none.clone()),
        chat(json!({ "refusal": "I can't help with that." }), none),
        chat(json!({}), json!("stop")),
    ]);
    events.push_str("data: [DONE]\n\n");
    check(
        OpenAi::new("gpt-4o"),
        &events,
        expect![[r#"
        {"text":"I'm sorry, I can't help with that."}
        Stop Usage { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 }"#]],
    )
    .await;
}

/// Google's page on thought signatures, "OpenAI compatibility": the signature is in `extra_content` of
/// the call. Its endpoint sends each call in one piece, without an index.
#[tokio::test]
async fn gemini_over_the_protocol_of_openai() {
    let call = json!({
        "extra_content": { "google": { "thought_signature": "EjQKMgFyUBe3" } },
        "function": { "arguments": "{\"city\":\"Tokyo\"}", "name": "get_weather" },
        "id": "function-call-1", "type": "function",
    });
    let delta = json!({ "role": "assistant", "tool_calls": [call] });
    let piece = |delta: Json, finish: Json| {
        json!({
            "choices": [{ "delta": delta, "finish_reason": finish, "index": 0 }],
            "created": 1_764_000_000, "id": "c1", "model": "gemini-3-pro-preview",
            "object": "chat.completion.chunk",
        })
    };
    let mut events = data(&[
        piece(delta, Json::Null),
        piece(json!({ "role": "assistant" }), json!("tool_calls")),
    ]);
    events.push_str("data: [DONE]\n\n");
    let reply = check(OpenAi::new("gemini-3-pro-preview"), &events, expect![[r#"
        {"text":"","tool_calls":[{"id":"function-call-1","name":"get_weather","arguments":{"json":{"city":"Tokyo"}}}],"reasoning":[{"text":"","model":"openai/gemini-3-pro-preview","opaque":{"signed":{"call":"function-call-1"},"fields":{"extra_content":{"google":{"thought_signature":"EjQKMgFyUBe3"}}}}}]}
        ToolCalls Usage { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 }"#]]).await;
    assert_eq!(reply.message.tool_calls.len(), 1);
}

/// OpenRouter's page on streaming: comments keep the connection open, and `reasoning` is beside
/// `content`.
#[tokio::test]
async fn openrouter_with_comments_and_reasoning() {
    let none = Json::Null;
    let mut events = ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n".to_owned();
    events += &data(&[chat(
        json!({ "role": "assistant", "content": "", "reasoning": "Let me think." }),
        none.clone(),
    )]);
    events += ": OPENROUTER PROCESSING\n\n";
    events += &data(&[
        chat(json!({ "role": "assistant", "content": "Sunny." }), none),
        chat(json!({ "role": "assistant", "content": "" }), json!("stop")),
    ]);
    events.push_str("data: [DONE]\n\n");
    check(OpenAi::new("deepseek/deepseek-r1"), &events, expect![[r#"
        {"text":"Sunny.","reasoning":[{"text":"Let me think.","model":"openai/deepseek/deepseek-r1","opaque":{"text":"Let me think.","native":{"item":{"reasoning":"Let me think."},"fingerprint":"52ea493f381e0a34"}}}]}
        Stop Usage { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 }"#]]).await;
}

/// Ollama's page on the OpenAI API and its `openai/openai.go`: thinking is `reasoning`, and a call comes
/// whole, before the piece with the reason.
#[tokio::test]
async fn ollama_thinks_and_calls() {
    let piece = |delta: Json, finish: Json| {
        json!({
            "id": "chatcmpl-554", "object": "chat.completion.chunk", "created": 1_748_386_497,
            "model": "qwen3", "system_fingerprint": "fp_ollama",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        })
    };
    let function = json!({ "name": "get_weather", "arguments": "{\"city\":\"Tokyo\"}" });
    let call = json!({ "id": "call_8k", "index": 0, "type": "function", "function": function });
    let none = Json::Null;
    let mut events = data(&[
        piece(json!({ "role": "assistant", "content": "", "reasoning": "I have " }), none.clone()),
        piece(json!({ "role": "assistant", "content": "", "reasoning": "to look." }), none.clone()),
        piece(json!({ "role": "assistant", "content": "", "tool_calls": [call] }), none),
        piece(json!({ "role": "assistant", "content": "" }), json!("tool_calls")),
    ]);
    events.push_str("data: [DONE]\n\n");
    check(Ollama::new("qwen3"), &events, expect![[r#"
        {"text":"","tool_calls":[{"id":"call_8k","name":"get_weather","arguments":{"json":{"city":"Tokyo"}}}],"reasoning":[{"text":"I have to look.","model":"ollama/qwen3","opaque":{"text":"I have to look.","native":{"item":{"reasoning":"I have to look."},"fingerprint":"d9df6089773baeca"}}}]}
        ToolCalls Usage { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 }"#]]).await;
}

/// OpenAI's guide to function calling with the Responses API, "Streaming", with a reasoning item as its
/// guide to reasoning has it (`include: ["reasoning.encrypted_content"]`).
#[tokio::test]
async fn openai_responses_with_reasoning_and_a_call() {
    let response = |status: &str, output: Json, usage: Json| {
        json!({
            "id": "resp_1", "object": "response", "created_at": 1_741_290_958, "status": status,
            "error": null, "incomplete_details": null, "instructions": null,
            "max_output_tokens": null, "model": "gpt-5", "output": output,
            "parallel_tool_calls": true, "previous_response_id": null,
            "reasoning": { "effort": "medium", "summary": null }, "store": false,
            "temperature": 1.0, "text": { "format": { "type": "text" } }, "tool_choice": "auto",
            "tools": [], "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null,
            "metadata": {},
        })
    };
    let reasoning = |encrypted: Json| json!({ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted });
    let call = |status: &str, arguments: &str| {
        json!({
            "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather",
            "arguments": arguments, "status": status,
        })
    };
    let arguments = "{\"city\":\"Tokyo\"}";
    let output = json!([reasoning(json!("gAAAAABo")), call("completed", arguments)]);
    let usage = json!({
        "input_tokens": 37, "input_tokens_details": { "cached_tokens": 12 }, "output_tokens": 11,
        "output_tokens_details": { "reasoning_tokens": 7 }, "total_tokens": 48,
    });
    let delta = |text: &str| {
        json!({ "type": "response.function_call_arguments.delta", "item_id": "fc_1",
            "output_index": 1, "delta": text, "obfuscation": "x" })
    };
    let mut events = vec![
        json!({ "type": "response.created", "response": response("in_progress", json!([]), Json::Null) }),
        json!({ "type": "response.in_progress",
            "response": response("in_progress", json!([]), Json::Null) }),
        json!({ "type": "response.output_item.added", "output_index": 0,
            "item": reasoning(json!("gAAAA")) }),
        json!({ "type": "response.output_item.done", "output_index": 0,
            "item": reasoning(json!("gAAAAABo")) }),
        json!({ "type": "response.output_item.added", "output_index": 1,
            "item": call("in_progress", "") }),
        delta("{\""),
        delta("city\":\""),
        delta("Tokyo\"}"),
        json!({ "type": "response.function_call_arguments.done", "item_id": "fc_1",
            "output_index": 1, "arguments": arguments }),
        json!({ "type": "response.output_item.done", "output_index": 1,
            "item": call("completed", arguments) }),
        json!({ "type": "response.completed", "response": response("completed", output, usage) }),
    ];
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    check(OpenAiResponses::new("gpt-5"), &named(&events), expect![[r#"
        {"text":"","tool_calls":[{"id":"call_1","name":"get_weather","arguments":{"json":{"city":"Tokyo"}}}],"reasoning":[{"text":"","model":"openai/gpt-5","opaque":{"text":"","native":{"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAAABo"},"fingerprint":"82b6ea64ef91009f"}}}]}
        ToolCalls Usage { input_tokens: 37, cached_input_tokens: 12, output_tokens: 11 }"#]]).await;
}

fn message_start(usage: Json) -> Json {
    json!({ "type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514",
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage,
    } })
}

fn block(index: u32, block: Json, deltas: &[Json]) -> Vec<Json> {
    let start = json!({ "type": "content_block_start", "index": index, "content_block": block });
    let delta =
        |delta: &Json| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    let stop = json!({ "type": "content_block_stop", "index": index });
    [start].into_iter().chain(deltas.iter().map(delta)).chain([stop]).collect()
}

fn message_end(delta: Json, usage: Json) -> Vec<Json> {
    vec![
        json!({ "type": "message_delta", "delta": delta, "usage": usage }),
        json!({ "type": "message_stop" }),
    ]
}

fn json_delta(text: &str) -> Json {
    json!({ "type": "input_json_delta", "partial_json": text })
}

/// `tests/lib/streaming/fixtures/tool_use_response.txt` of anthropic-sdk-python: a ping between the
/// events, a call whose arguments begin with an empty piece and that says who calls, and an output count
/// that replaces that of the start.
#[tokio::test]
async fn anthropic_calls_a_tool() {
    let usage = json!({
        "input_tokens": 377, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": 1, "service_tier": "standard",
    });
    let text = |text: &str| json!({ "type": "text_delta", "text": text });
    let mut events = vec![message_start(usage)];
    let said = block(0, json!({ "type": "text", "text": "" }), &[text("I"), text("'ll look.")]);
    events.extend(said);
    events.insert(2, json!({ "type": "ping" }));
    let tool = json!({
        "type": "tool_use", "id": "toolu_1", "name": "get_weather",
        "caller": { "type": "direct" }, "input": {},
    });
    let arguments =
        [json_delta(""), json_delta("{\"ci"), json_delta("ty\": \"To"), json_delta("kyo\"}")];
    events.extend(block(1, tool, &arguments));
    events.extend(message_end(
        json!({ "stop_reason": "tool_use", "stop_sequence": null }),
        json!({ "output_tokens": 65 }),
    ));
    check(Anthropic::new("claude-sonnet-4"), &named(&events), expect![[r#"
        {"text":"I'll look.","tool_calls":[{"id":"toolu_1","name":"get_weather","arguments":{"json":{"city":"Tokyo"}}}]}
        ToolCalls Usage { input_tokens: 377, cached_input_tokens: 0, output_tokens: 65 }"#]]).await;
}

/// `tests/lib/streaming/fixtures/refusal_response.txt` of anthropic-sdk-python: an empty text, and a
/// reason with details.
#[tokio::test]
async fn anthropic_refuses() {
    let mut events = vec![message_start(json!({ "input_tokens": 20, "output_tokens": 1 }))];
    events.extend(block(0, json!({ "type": "text", "text": "" }), &[]));
    events.extend(message_end(
        json!({ "stop_reason": "refusal", "stop_sequence": null, "stop_details": {
            "type": "refusal", "category": "cyber", "explanation": "It was refused." } }),
        json!({ "output_tokens": 120, "output_tokens_details": { "thinking_tokens": 67 } }),
    ));
    check(
        Anthropic::new("claude-opus-4"),
        &named(&events),
        expect![[r#"
        {"text":""}
        ContentFilter Usage { input_tokens: 20, cached_input_tokens: 0, output_tokens: 120 }"#]],
    )
    .await;
}

/// Anthropic's page on extended thinking, "Streaming thinking", and the one on streaming messages: the
/// signature is the last piece of a thinking block.
#[tokio::test]
async fn anthropic_thinks() {
    let thinking = |text: &str| json!({ "type": "thinking_delta", "thinking": text });
    let signature = json!({ "type": "signature_delta", "signature": "EqQBCgIYAhIM" });
    let mut events = vec![message_start(json!({ "input_tokens": 10, "output_tokens": 1 }))];
    events.extend(block(
        0,
        json!({ "type": "thinking", "thinking": "", "signature": "" }),
        &[thinking("Let me "), thinking("think."), signature],
    ));
    events.extend(block(
        1,
        json!({ "type": "text", "text": "" }),
        &[json!({ "type": "text_delta", "text": "Sunny." })],
    ));
    events.extend(message_end(
        json!({ "stop_reason": "end_turn", "stop_sequence": null }),
        json!({ "output_tokens": 15 }),
    ));
    check(Anthropic::new("claude-sonnet-4"), &named(&events), expect![[r#"
        {"text":"Sunny.","reasoning":[{"text":"Let me think.","model":"anthropic/claude-sonnet-4","opaque":{"text":"Let me think.","native":{"item":{"type":"thinking","thinking":"Let me think.","signature":"EqQBCgIYAhIM"},"fingerprint":"52ea493f381e0a34"}}}]}
        Stop Usage { input_tokens: 10, cached_input_tokens: 0, output_tokens: 15 }"#]]).await;
}

/// `tests/lib/streaming/fixtures/server_tool_use_response.txt` of anthropic-sdk-python: what Anthropic's
/// own tools are called with is no call for this program.
#[tokio::test]
async fn anthropic_searches_by_itself() {
    let mut events = vec![message_start(json!({ "input_tokens": 42, "output_tokens": 1 }))];
    events.extend(block(
        0,
        json!({ "type": "text", "text": "" }),
        &[json!({ "type": "text_delta", "text": "Let me search." })],
    ));
    let tool = json!({
        "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {},
    });
    events.extend(block(1, tool, &[json_delta(""), json_delta("{\"query\": \"Tokyo\"}")]));
    events.extend(message_end(
        json!({ "stop_reason": "end_turn", "stop_sequence": null }),
        json!({ "output_tokens": 40 }),
    ));
    check(
        Anthropic::new("claude-sonnet-4"),
        &named(&events),
        expect![[r#"
        {"text":"Let me search."}
        Stop Usage { input_tokens: 42, cached_input_tokens: 0, output_tokens: 40 }"#]],
    )
    .await;
}

fn gemini(parts: Json, finish: Option<&str>) -> Json {
    let mut candidate = json!({ "content": { "parts": parts, "role": "model" }, "index": 0 });
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 55, "candidatesTokenCount": 16, "totalTokenCount": 133,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 55 }],
            "thoughtsTokenCount": 62,
        },
        "modelVersion": "gemini-3-pro-preview", "responseId": "r1",
    })
}

/// Google's page on thought signatures, "Parallel function calls": the first call is signed, the others
/// are not. A summary of the thoughts comes before, as its page on thinking has it.
#[tokio::test]
async fn gemini_signs_the_first_call() {
    let call = |city: &str| json!({ "name": "get_weather", "args": { "city": city } });
    let events = data(&[
        gemini(json!([{ "text": "**Looking**\n\nI have to look.", "thought": true }]), None),
        gemini(
            json!([
                { "functionCall": call("Paris"), "thoughtSignature": "Q2lnbmF0dXJl" },
                { "functionCall": call("London") },
            ]),
            None,
        ),
        gemini(json!([{ "text": "" }]), Some("STOP")),
    ]);
    check(Gemini::new("gemini-3-pro-preview"), &events, expect![[r#"
        {"text":"","tool_calls":[{"id":"call_84281dcb2b95c02b_0","name":"get_weather","arguments":{"json":{"city":"Paris"}}},{"id":"call_84281dcb2b95c02b_1","name":"get_weather","arguments":{"json":{"city":"London"}}}],"reasoning":[{"text":"**Looking**\n\nI have to look.","model":"gcp.gemini/gemini-3-pro-preview","opaque":{"text":"**Looking**\n\nI have to look.","native":{"item":{"text":"**Looking**\n\nI have to look.","thought":true},"fingerprint":"754d6f28e48d4f63"}}},{"text":"","model":"gcp.gemini/gemini-3-pro-preview","opaque":{"signed":{"call":"call_84281dcb2b95c02b_0"},"fields":{"functionCall":{},"thoughtSignature":"Q2lnbmF0dXJl"}}},{"text":"","model":"gcp.gemini/gemini-3-pro-preview","opaque":{"signed":{"call":"call_84281dcb2b95c02b_1"},"fields":{"functionCall":{}}}}]}
        ToolCalls Usage { input_tokens: 55, cached_input_tokens: 0, output_tokens: 78 }"#]]).await;
}

/// Google's page on thought signatures, "Non-functionCall parts": with streaming, the signature may come in
/// a last part whose text is empty.
#[tokio::test]
async fn gemini_signs_a_text_at_its_end() {
    let events = data(&[
        gemini(json!([{ "text": "It is " }]), None),
        gemini(json!([{ "text": "sunny." }]), None),
        gemini(json!([{ "text": "", "thoughtSignature": "Q2lnbmF0dXJl" }]), Some("STOP")),
    ]);
    check(Gemini::new("gemini-3-pro-preview"), &events, expect![[r#"
        {"text":"It is sunny.","reasoning":[{"text":"","model":"gcp.gemini/gemini-3-pro-preview","opaque":{"signed":{"text":12},"fields":{"thoughtSignature":"Q2lnbmF0dXJl"}}}]}
        Stop Usage { input_tokens: 55, cached_input_tokens: 0, output_tokens: 78 }"#]]).await;
}
