//! Requests to a provider with OpenAI's API.

use ddg_agentic::message::{Image, ToolArguments, ToolCall};
use ddg_agentic::model::{
    ChatRequest, ModelError, OutputSchema, ReasoningEffort, ServiceTier, ToolChoice,
};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::model;
use crate::openai_server::{Answer, OpenAiServer};

fn weather() -> ToolSpec {
    let parameters = json!({
        "type": "object",
        "properties": { "city": { "type": "string", "description": "Which one." } },
        "required": ["city"],
    });
    ToolSpec::new("weather", "Forecasts.", parameters)
}

/// What is sent for `request`, by `chat` and by `stream`.
async fn sent(request: ChatRequest) -> Json {
    let server = OpenAiServer::serving([Answer::text("ok"), Answer::text("ok")]).await;
    let model = model(&server);
    model.chat(request.clone()).await.unwrap();
    let whole = server.last_body();
    model.stream(request).await.unwrap().reply(|_| ()).await.unwrap();
    let mut streamed = server.last_body();
    assert_eq!(streamed["stream"], true);
    assert_eq!(streamed["stream_options"], json!({ "include_usage": true }));
    let body = streamed.as_object_mut().unwrap();
    body.remove("stream");
    body.remove("stream_options");
    assert_eq!(streamed, whole);
    whole
}

#[tokio::test]
async fn a_conversation_with_tools_is_sent_in_its_order() {
    let tokyo = ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }));
    let broken = ToolCall::new("call_2", "weather", ToolArguments::parse("{\"city\": "));
    let request = ChatRequest::new([
        Message::system("You plan trips."),
        Message::user("How is the weather?"),
        Message::calls([tokyo.clone(), broken.clone()]),
        Message::tool_result(&tokyo, "sunny"),
        Message::tool_error(&broken, "the arguments are no JSON"),
        Message::assistant(""),
        Message::user("And tomorrow?"),
    ]);
    let body = sent(request.tools([weather()])).await;
    expect![[r#"
        {
          "model": "test-model",
          "messages": [
            {
              "role": "system",
              "content": "You plan trips."
            },
            {
              "role": "user",
              "content": "How is the weather?"
            },
            {
              "role": "assistant",
              "tool_calls": [
                {
                  "type": "function",
                  "id": "call_1",
                  "function": {
                    "name": "weather",
                    "arguments": "{\"city\":\"Tokyo\"}"
                  }
                },
                {
                  "type": "function",
                  "id": "call_2",
                  "function": {
                    "name": "weather",
                    "arguments": "{}"
                  }
                }
              ]
            },
            {
              "role": "tool",
              "tool_call_id": "call_1",
              "content": "sunny"
            },
            {
              "role": "tool",
              "tool_call_id": "call_2",
              "content": "the arguments are no JSON"
            },
            {
              "role": "user",
              "content": "And tomorrow?"
            }
          ],
          "tools": [
            {
              "type": "function",
              "function": {
                "name": "weather",
                "description": "Forecasts.",
                "parameters": {
                  "type": "object",
                  "properties": {
                    "city": {
                      "type": "string",
                      "description": "Which one."
                    }
                  },
                  "required": [
                    "city"
                  ]
                }
              }
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test]
async fn limits_and_schema_are_sent() {
    let schema = json!({
        "type": "object",
        "properties": { "days": { "type": "integer" } },
        "required": ["days"],
    });
    let request = ChatRequest::new(["How long?"])
        .temperature(0.5)
        .max_output_tokens(100)
        .output_schema(OutputSchema::new("trip", schema));
    let body = sent(request).await;
    expect![[r#"
        {
          "model": "test-model",
          "messages": [
            {
              "role": "user",
              "content": "How long?"
            }
          ],
          "temperature": 0.5,
          "max_tokens": 100,
          "response_format": {
            "type": "json_schema",
            "json_schema": {
              "name": "trip",
              "strict": true,
              "schema": {
                "type": "object",
                "properties": {
                  "days": {
                    "type": "integer"
                  }
                },
                "required": [
                  "days"
                ],
                "title": "trip",
                "additionalProperties": false
              }
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test]
async fn the_choice_of_tools_is_sent() {
    let choices = [
        ToolChoice::Auto,
        ToolChoice::None,
        ToolChoice::Required,
        ToolChoice::Named("weather".into()),
    ];
    let mut lines = Vec::new();
    for choice in choices {
        let request = ChatRequest::new(["How is it?"]).tools([weather()]).tool_choice(choice);
        lines.push(sent(request).await["tool_choice"].to_string());
    }
    expect![[r#"
        null
        "none"
        "required"
        {"type":"function","function":{"name":"weather"}}"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn images_are_sent_by_address_and_by_content() {
    let png = Image::Data { media_type: "image/png".into(), base64: "iVBORw0KGgo=".into() };
    let request = ChatRequest::new([
        Message::user_with_image("Where?", Image::Url("https://example.com/a.png".into())),
        Message::user_with_image("And this?", png),
    ]);
    let body = sent(request).await;
    expect![[r#"
        [
          {
            "role": "user",
            "content": [
              {
                "type": "text",
                "text": "Where?"
              },
              {
                "type": "image_url",
                "image_url": {
                  "url": "https://example.com/a.png",
                  "detail": "auto"
                }
              },
              {
                "type": "text",
                "text": "And this?"
              },
              {
                "type": "image_url",
                "image_url": {
                  "url": "data:image/png;base64,iVBORw0KGgo=",
                  "detail": "auto"
                }
              }
            ]
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&body["messages"]).unwrap());
}

#[tokio::test]
async fn the_key_is_sent_in_its_header_and_none_without() {
    let server = OpenAiServer::serving([Answer::text("ok"), Answer::text("ok")]).await;
    model(&server).chat(ChatRequest::new(["hi"])).await.unwrap();
    let without = ddg_agentic::provider::OpenAi::new("test-model").base_url(server.base_url());
    without.chat(ChatRequest::new(["hi"])).await.unwrap();
    let keys: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(keys, [Some("Bearer sk-test".to_owned()), None]);
}

#[tokio::test]
async fn an_unsupported_request_is_an_error_before_anything_is_sent() {
    let server = OpenAiServer::serving([]).await;
    let gif = Image::Data { media_type: "image/tiff".into(), base64: "SUkqAA==".into() };
    let requests = [
        ChatRequest::new([Message::user_with_image("What?", gif)]),
        ChatRequest::new(["hi"]).tools([ToolSpec::new("", "Nothing.", json!({}))]),
        ChatRequest::new(["hi"]).output_schema(OutputSchema::new("x", json!(true))),
        ChatRequest::new(Vec::<Message>::new()),
    ];
    let mut lines = Vec::new();
    for request in requests {
        let error = model(&server).chat(request).await.unwrap_err();
        assert!(!error.is_retryable());
        lines.push(error.to_string());
    }
    let blind = ddg_agentic::provider::OpenAi::new("gpt-3.5-turbo").base_url(server.base_url());
    let request = Message::user_with_image("What?", Image::Url("https://example.com".into()));
    let error = blind.chat(ChatRequest::new([request])).await.unwrap_err();
    assert!(matches!(error, ModelError::Unsupported { .. }));
    assert!(!blind.capabilities().images);
    lines.push(error.to_string());
    expect![[r#"
        model `test-model` cannot see images of this media type; its capabilities say so before it is asked
        model `test-model`: a tool has no name; give it one
        model `test-model`: the schema of its reply is no object; give one that is
        model `test-model`: it cannot be asked this: request has an empty chat history; providers require at least one message
        model `gpt-3.5-turbo` cannot see images; its capabilities say so before it is asked"#]].assert_eq(&lines.join("\n"));
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn settings_are_sent() {
    let request = ChatRequest::new(["How long?"])
        .top_p(0.5)
        .stop(["END"])
        .seed(7)
        .reasoning_effort(ReasoningEffort::Low)
        .service_tier(ServiceTier::Flex)
        .extra_body("user", "ada");
    let body = sent(request).await;
    assert_eq!(body["top_p"], 0.5);
    assert_eq!((&body["stop"], &body["seed"]), (&json!(["END"]), &json!(7)));
    assert_eq!((&body["reasoning_effort"], &body["service_tier"]), (&json!("low"), &json!("flex")));
    assert_eq!(body["user"], "ada");
}

#[tokio::test]
async fn extra_headers_and_query_parameters_are_sent() {
    let server = OpenAiServer::serving([Answer::text("ok"), Answer::text("ok")]).await;
    let model = model(&server).extra_query("api-version", "2026 01").extra_header("api-key", "k1");
    let request = ChatRequest::new(["Hello?"]).extra_header("x-user", "ada").extra_query("a", "b");
    model.chat(request.clone()).await.unwrap();
    model.stream(request).await.unwrap().reply(|_| ()).await.unwrap();
    for asked in server.asked() {
        assert_eq!(asked.path, "/v1/chat/completions?api-version=2026+01&a=b");
        assert_eq!((asked.header("api-key"), asked.header("x-user")), (Some("k1"), Some("ada")));
    }
    assert!(!format!("{model:?}").contains("k1"), "{model:?}");
    let bad = ChatRequest::new(["Hello?"]).extra_header("x user", "ada");
    let error = model.chat(bad).await.unwrap_err();
    expect!["model `test-model`: the extra header \"x user\" cannot be sent: a name has letters, digits and `-`, a value no line breaks"].assert_eq(&error.to_string());
}
