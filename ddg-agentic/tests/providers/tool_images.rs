//! Images in results of tools reach models that can take them; others are told what they are.

use ddg_agentic::message::{Image, ToolCall, ToolMessage};
use ddg_agentic::model::{Capabilities, ChatRequest};
use ddg_agentic::provider::{Anthropic, OpenAiResponses};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, OpenAiServer};

const PNG: &str = "iVBORw0KGgo=";

fn looked() -> ChatRequest {
    let call = |id: &str| ToolCall::new(id, "look", json!({}));
    let (first, second) = (call("call_1"), call("call_2"));
    let seen = ToolMessage::new(&first, "The screen:").with_images([Image::png(PNG)]);
    ChatRequest::new([
        Message::user("What is on the screen?"),
        Message::calls([first, second.clone()]),
        seen.into(),
        Message::tool_result(&second, "nothing"),
    ])
    .tools([ToolSpec::new("look", "Looks.", json!({ "type": "object", "properties": {} }))])
}

/// The API has no place for images in results: they follow, after all results of the turn.
#[tokio::test]
async fn chat_completions_show_them_after_the_results() {
    let server = OpenAiServer::serving([Answer::text("A cat.")]).await;
    let model = model(&server).with_capabilities(Capabilities::default().images(true));
    model.chat(looked()).await.unwrap();
    let body = server.last_body();
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
    let told = messages[2]["content"].to_string();
    assert!(told.contains("image: image/png, 8 bytes: it follows"), "{told}");
    let shown = messages[4]["content"].to_string();
    assert!(shown.contains("call_1") && shown.contains(PNG), "{shown}");
}

#[tokio::test]
async fn a_model_that_cannot_see_is_told() {
    let server = OpenAiServer::serving([Answer::text("Nothing.")]).await;
    let model = model(&server).with_capabilities(Capabilities::default().images(false));
    model.chat(looked()).await.unwrap();
    let body = server.last_body();
    assert_eq!(body["messages"].as_array().unwrap().len(), 4);
    let told = body["messages"][2]["content"].to_string();
    assert!(told.contains("image: image/png, 8 bytes: you cannot see images"), "{told}");
    assert!(!body.to_string().contains(PNG));
}

/// As Anthropic's documentation of tool results with images has it.
#[tokio::test]
async fn anthropic_sees_them_within_the_result() {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [{ "type": "text", "text": "A cat." }], "stop_reason": "end_turn",
        "stop_sequence": null, "usage": { "input_tokens": 12, "output_tokens": 5 },
    });
    let server = OpenAiServer::serving([Answer::json(&message)]).await;
    let claude = Anthropic::new("claude-sonnet-4-5").base_url(server.url()).api_key("sk-test");
    claude.chat(looked()).await.unwrap();
    let body = server.last_body();
    let result = &body["messages"][2]["content"][0];
    assert_eq!(result["type"], "tool_result");
    let source = json!({ "type": "base64", "media_type": "image/png", "data": PNG });
    assert_eq!(result["content"][1]["source"], source, "{body}");
}

/// As OpenAI's documentation of `function_call_output` with a list of content has it.
#[tokio::test]
async fn responses_see_them_within_the_result() {
    let response = crate::responses::response("completed", &json!([]));
    let server = OpenAiServer::serving([Answer::json(&response)]).await;
    let model = OpenAiResponses::new("gpt-5").base_url(server.base_url()).api_key("sk-test");
    let _ = model.chat(looked()).await;
    let body = server.last_body();
    let items = body["input"].as_array().unwrap();
    let result = items.iter().find(|item| item["type"] == "function_call_output").unwrap();
    assert_eq!(result["output"][0], json!({ "type": "input_text", "text": "The screen:" }));
    assert_eq!(result["output"][1]["type"], "input_image", "{body}");
    let url = Json::String(format!("data:image/png;base64,{PNG}"));
    assert_eq!(result["output"][1]["image_url"], url);
}
