//! What a model has thought is kept with its message, shown, and sent back to its own provider alone.

use ddg_agentic::model::{ChatChunk, ChatReply, ChatRequest, PromptCache};
use ddg_agentic::provider::{Anthropic, Gemini};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, OpenAiServer, event};

/// The conversation with a reply that calls tools, and their results.
fn again(reply: &ChatReply) -> ChatRequest {
    let results = reply.message.tool_calls.iter().map(|call| Message::tool_result(call, "sunny"));
    let said = [Message::user("How is it?"), reply.message.clone().into()];
    ChatRequest::new(said.into_iter().chain(results).collect::<Vec<_>>()).tools([ToolSpec::new(
        "weather",
        "Forecasts.",
        json!({ "type": "object", "properties": {} }),
    )])
}

/// As DeepSeek's documentation of thinking with tool calls has it: the reasoning has to come back, or the
/// next request is refused.
#[tokio::test]
async fn deepseek_has_its_reasoning_back() {
    let call = json!({
        "index": 0, "id": "c1", "type": "function",
        "function": { "name": "weather", "arguments": "{}" },
    });
    let whole = json!({ "id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{
        "index": 0, "finish_reason": "tool_calls",
        "message": { "role": "assistant", "content": "", "reasoning_content": "I have to look.",
                     "tool_calls": [call] },
    }] });
    let piece = |delta: Json, finish: Json| {
        event(&json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }))
    };
    let events = [
        piece(json!({ "role": "assistant", "reasoning_content": "I have " }), Json::Null),
        piece(json!({ "reasoning_content": "to look." }), Json::Null),
        piece(json!({ "tool_calls": [call] }), Json::Null),
        piece(json!({}), json!("tool_calls")),
        "data: [DONE]\n\n".to_owned(),
    ];
    let answers = [Answer::json(&whole), Answer::events(&events.concat())];
    let server =
        OpenAiServer::serving(answers.into_iter().chain([Answer::text("ok"), Answer::text("ok")]))
            .await;
    let model = model(&server);
    let replies = [model.chat(ChatRequest::new(["How is it?"])).await.unwrap(), {
        let mut thought = String::new();
        let stream = model.stream(ChatRequest::new(["How is it?"])).await.unwrap();
        let reply = stream
            .reply(|chunk| {
                if let ChatChunk::Thinking(more) = chunk {
                    thought.push_str(more);
                }
            })
            .await;
        assert_eq!(thought, "I have to look.");
        reply.unwrap()
    }];
    for reply in replies {
        assert_eq!(reply.message.reasoning[0].text, "I have to look.");
        assert_eq!(reply.message.text, "");
        let message = serde_json::to_string(&reply.message).unwrap();
        assert_eq!(
            serde_json::from_str::<ddg_agentic::message::AssistantMessage>(&message).unwrap(),
            reply.message
        );
        model.chat(again(&reply)).await.unwrap();
        assert_eq!(server.last_body()["messages"][1]["reasoning_content"], "I have to look.");
    }
}

/// As Anthropic's documentation of extended thinking has it: thinking comes back with its signature, and
/// what is redacted as it is.
#[tokio::test]
async fn anthropic_has_its_thinking_back_with_its_signature_and_nobody_else() {
    let content = json!([
        { "type": "thinking", "thinking": "I have to look.", "signature": "EqQBCgIYAhIM" },
        { "type": "redacted_thinking", "data": "EmwKAhgBEgy3va3p" },
        { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": {} },
    ]);
    let message = |content: &Json, stop: &str| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": { "input_tokens": 12, "output_tokens": 5 },
        })
    };
    let end = json!([{ "type": "text", "text": "Sunny." }]);
    let answers = [message(&content, "tool_use"), message(&end, "end_turn")];
    let server = OpenAiServer::serving(answers.iter().map(Answer::json)).await;
    let claude = Anthropic::new("claude").base_url(server.url()).api_key("sk-test");
    let reply = claude.chat(ChatRequest::new(["How is it?"])).await.unwrap();
    assert_eq!(reply.message.reasoning.len(), 2);
    claude.chat(again(&reply).prompt_cache(PromptCache::Short)).await.unwrap();
    let body = server.last_body();
    assert_eq!(body["messages"][1]["content"], content);
    assert!(body.to_string().contains("cache_control"), "{body}");

    let server = OpenAiServer::serving([Answer::text("ok")]).await;
    let request = again(&reply).prompt_cache(PromptCache::Short);
    model(&server).chat(request).await.unwrap();
    let body = server.last_body().to_string();
    assert!(!body.contains("I have to look") && !body.contains("EqQB"), "{body}");
    assert!(!body.contains("cache"), "{body}");
}

/// As Google's page on thought signatures has it: a signature goes back with the part that it came in,
/// and the calls beside the signed one have none.
#[tokio::test]
async fn gemini_has_its_signatures_back_and_nobody_else() {
    let parts = json!([
        { "text": "Let me look.", "thoughtSignature": "VGV4dA==" },
        { "functionCall": { "name": "weather", "args": { "city": "Paris" } }, "thoughtSignature": "Q2FsbA==" },
        { "functionCall": { "name": "weather", "args": { "city": "London" } } },
    ]);
    let candidate = |parts: &Json| json!({ "candidates": [{ "content": { "role": "model", "parts": parts }, "finishReason": "STOP" }] });
    let whole = candidate(&parts);
    let pieces: Vec<_> =
        parts.as_array().unwrap().iter().map(|part| event(&candidate(&json!([part])))).collect();
    let answers = [Answer::json(&whole), Answer::events(&pieces.concat())];
    let more = candidate(&json!([{ "text": "Sunny." }]));
    let answers = answers.into_iter().chain([Answer::json(&more), Answer::json(&more)]);
    let server = OpenAiServer::serving(answers).await;
    let gemini = Gemini::new("gemini-3-pro").base_url(server.url()).api_key("sk-test");
    let whole = gemini.chat(ChatRequest::new(["How is it?"])).await.unwrap();
    let stream = gemini.stream(ChatRequest::new(["How is it?"])).await.unwrap();
    let streamed = stream.reply(|_| ()).await.unwrap();
    assert_eq!(whole.message.tool_calls.len(), 2);
    for reply in [&whole, &streamed] {
        // As a stored conversation has it.
        let message = serde_json::to_string(&reply.message).unwrap();
        let mut reply = reply.clone();
        reply.message = serde_json::from_str(&message).unwrap();
        gemini.chat(again(&reply)).await.unwrap();
        let mut sent = server.last_body()["contents"][1]["parts"].clone();
        for call in sent.as_array_mut().unwrap().iter_mut().skip(1) {
            // The results name their calls by these ids.
            call["functionCall"].as_object_mut().unwrap().remove("id").unwrap();
        }
        assert_eq!(sent, parts);
    }

    let server = OpenAiServer::serving([Answer::text("ok")]).await;
    model(&server).chat(again(&whole)).await.unwrap();
    let body = server.last_body().to_string();
    assert!(!body.contains("Signature") && !body.contains("Q2FsbA"), "{body}");
}

/// A person who edits a call in the conversation changes what is sent, signed or not.
#[tokio::test]
async fn a_signed_call_that_was_edited_is_sent_as_it_is_now() {
    let parts = json!([
        { "functionCall": { "name": "weather", "args": { "city": "Paris" } }, "thoughtSignature": "Q2FsbA==" },
    ]);
    let content = json!({ "role": "model", "parts": parts });
    let candidate = json!({ "candidates": [{ "content": content, "finishReason": "STOP" }] });
    let server = OpenAiServer::serving([Answer::json(&candidate), Answer::json(&candidate)]).await;
    let gemini = Gemini::new("gemini-3-pro").base_url(server.url()).api_key("sk-test");
    let mut reply = gemini.chat(ChatRequest::new(["How is it?"])).await.unwrap();
    reply.message.tool_calls[0].arguments = json!({ "city": "Rome" }).into();
    gemini.chat(again(&reply)).await.unwrap();
    let body = server.last_body();
    assert_eq!(body["contents"][1]["parts"][0]["functionCall"]["args"]["city"], "Rome");
}

/// As Google's page on thought signatures has it for OpenAI's protocol.
#[tokio::test]
async fn gemini_over_the_protocol_of_openai_has_its_signature_back() {
    let calls = json!([
        { "id": "c1", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" },
          "extra_content": { "google": { "thought_signature": "Q2FsbA==" } } },
        { "id": "c2", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"London\"}" } },
    ]);
    let whole = json!({ "id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{
        "index": 0, "finish_reason": "tool_calls",
        "message": { "role": "assistant", "content": null, "tool_calls": calls },
    }] });
    let piece = |delta: Json, finish: Json| {
        event(&json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }))
    };
    let mut events: Vec<_> = calls
        .as_array()
        .unwrap()
        .iter()
        .map(|call| piece(json!({ "role": "assistant", "tool_calls": [call] }), Json::Null))
        .collect();
    events.push(piece(json!({}), json!("tool_calls")));
    events.push("data: [DONE]\n\n".to_owned());
    let answers = [Answer::json(&whole), Answer::events(&events.concat())];
    let answers = answers.into_iter().chain([Answer::text("ok"), Answer::text("ok")]);
    let server = OpenAiServer::serving(answers).await;
    let model = model(&server);
    let whole = model.chat(ChatRequest::new(["How is it?"])).await.unwrap();
    let stream = model.stream(ChatRequest::new(["How is it?"])).await.unwrap();
    for reply in [whole, stream.reply(|_| ()).await.unwrap()] {
        model.chat(again(&reply)).await.unwrap();
        assert_eq!(server.last_body()["messages"][1]["tool_calls"], calls);
    }
}
