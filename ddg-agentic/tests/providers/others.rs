//! Providers with APIs other than OpenAI's, or with differences: their requests, and replies in the
//! form that they document.

mod anthropic;
mod gemini;
mod ollama;

use ddg_agentic::message::{Image, ToolCall};
use ddg_agentic::model::{ChatReply, ChatRequest, FinishReason, OutputSchema, ToolChoice, Usage};
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, Ollama};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};

use crate::openai_server::{Answer, OpenAiServer};

/// A conversation that has one of everything.
fn request() -> ChatRequest {
    let calls = [
        ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" })),
        ToolCall::new("call_2", "weather", json!({ "city": "Kyoto" })),
    ];
    let image = Image::Data { media_type: "image/png".into(), base64: "iVBORw0KGgo=".into() };
    let messages = [
        Message::system("You plan trips."),
        Message::user_with_image("How is it there?", image),
        Message::calls(calls.clone()),
        Message::tool_result(&calls[0], "sunny"),
        Message::tool_error(&calls[1], "no such city"),
        Message::assistant("Sunny."),
        Message::user("And tomorrow?"),
    ];
    let parameters = json!({
        "type": "object",
        "properties": { "city": { "type": "string" } },
        "required": ["city"],
    });
    ChatRequest::new(messages)
        .tools([ToolSpec::new("weather", "Forecasts.", parameters)])
        .tool_choice(ToolChoice::Required)
        .temperature(0.5)
        .max_output_tokens(100)
}

/// Asserts what `model` sends, and that it finds the same reply in both answers.
async fn check<A: Api>(
    model: HttpModel<A>,
    answers: [Answer; 2],
    sent: Expect,
    expected: ChatReply,
) {
    let server = OpenAiServer::serving(answers).await;
    let model = model.base_url(server.url()).api_key("sk-test");
    let whole = model.chat(request()).await.unwrap();
    let stream = model.stream(request()).await.unwrap();
    let streamed = stream.reply(|_| ()).await.unwrap();
    let mut lines = Vec::new();
    for asked in server.asked() {
        let keys = asked.headers.iter().filter(|(_, value)| value.contains("sk-test"));
        let keys = keys.map(|(name, value)| format!("{name}: {value}"));
        lines.push(format!("{} {} {}", asked.method, asked.path, keys.collect::<String>()));
    }
    let body: Json = serde_json::from_str(&server.asked()[0].body).unwrap();
    lines.push(serde_json::to_string_pretty(&body).unwrap());
    sent.assert_eq(&lines.join("\n"));
    assert_eq!(whole, expected);
    assert_eq!(streamed, expected);
}

/// What all of them answer.
fn looking(id: &str) -> ChatReply {
    let mut reply = ChatReply::calls([ToolCall::new(id, "weather", json!({ "city": "Tokyo" }))]);
    reply.message.text = "Let me look.".into();
    reply.usage(Usage::new(20, 5).cached_input(8))
}

/// The body that is sent for a reply that follows a schema.
async fn sent_with_schema<A: Api>(model: HttpModel<A>) -> String {
    let server = OpenAiServer::serving([Answer::error(500, "never mind")]).await;
    let schema = json!({
        "type": "object",
        "properties": { "days": { "type": "integer" } },
        "required": ["days"],
    });
    let request = ChatRequest::new(["How long?"]).output_schema(OutputSchema::new("trip", schema));
    let model = model.base_url(server.url());
    let failed = model.chat(request).await.unwrap_err();
    assert!(failed.to_string().contains("never mind"), "{failed}");
    server.last_body().to_string()
}

#[tokio::test]
async fn a_schema_is_sent_to_each() {
    let lines = [
        sent_with_schema(Anthropic::new("claude")).await,
        sent_with_schema(Gemini::new("gemini")).await,
        sent_with_schema(Ollama::new("qwen")).await,
    ];
    expect![[r#"
        {"model":"claude","messages":[{"role":"user","content":[{"type":"text","text":"How long?"}]}],"max_tokens":4096,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"days":{"type":"integer"}},"required":["days"],"title":"trip","additionalProperties":false}}}}
        {"contents":[{"parts":[{"text":"How long?","thought":false}],"role":"user"}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"days":{"type":"integer"}},"required":["days"],"title":"trip"}},"safetySettings":null,"toolConfig":null,"systemInstruction":null}
        {"model":"qwen","messages":[{"role":"user","content":"How long?"}],"response_format":{"type":"json_schema","json_schema":{"name":"trip","strict":true,"schema":{"type":"object","properties":{"days":{"type":"integer"}},"required":["days"],"title":"trip","additionalProperties":false}}}}"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn the_finish_reasons_are_reported() {
    let anthropic = |stop: &str| {
        json!({
            "id": "m", "type": "message", "role": "assistant", "model": "claude",
            "content": [{ "type": "text", "text": "well" }], "stop_reason": stop,
            "usage": { "input_tokens": 1, "output_tokens": 1 },
        })
    };
    let gemini = |stop: &str| {
        json!({ "candidates": [{
            "content": { "role": "model", "parts": [{ "text": "well" }] }, "finishReason": stop,
        }] })
    };
    let mut found: Vec<FinishReason> = Vec::new();
    for stop in ["end_turn", "max_tokens", "refusal"] {
        let server = OpenAiServer::serving([Answer::json(&anthropic(stop))]).await;
        let model = Anthropic::new("claude").base_url(server.url());
        found.push(model.chat(ChatRequest::new(["hi"])).await.unwrap().finish);
    }
    for stop in ["STOP", "MAX_TOKENS", "SAFETY"] {
        let server = OpenAiServer::serving([Answer::json(&gemini(stop))]).await;
        let model = Gemini::new("gemini").base_url(server.url());
        found.push(model.chat(ChatRequest::new(["hi"])).await.unwrap().finish);
    }
    let expected = [FinishReason::Stop, FinishReason::Length, FinishReason::ContentFilter];
    assert_eq!(found, [expected.clone(), expected].concat());
}
