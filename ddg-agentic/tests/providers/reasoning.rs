//! What a model has thought is kept with its message, shown, and sent back to its own provider alone.

use ddg_agentic::message::ToolCall;
use ddg_agentic::model::{ChatChunk, ChatReply, ChatRequest, PromptCache};
use ddg_agentic::provider::Anthropic;
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, OpenAiServer, event};

/// The conversation with a reply that calls a tool, and its result.
fn again(reply: &ChatReply) -> ChatRequest {
    let call: &ToolCall = &reply.message.tool_calls[0];
    ChatRequest::new([
        Message::user("How is it?"),
        reply.message.clone().into(),
        Message::tool_result(call, "sunny"),
    ])
    .tools([ToolSpec::new(
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
