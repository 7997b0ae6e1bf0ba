//! Anthropic's Messages API.

use ddg_agentic::provider::Anthropic;
use expect_test::expect;
use serde_json::{Value as Json, json};

use super::{check, looking};
use crate::openai_server::Answer;

#[tokio::test]
async fn anthropic_is_asked_and_understood() {
    let message = |content: Json, stop: Json, output_tokens: u64| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {
                "input_tokens": 12, "cache_read_input_tokens": 8,
                "cache_creation_input_tokens": 0, "output_tokens": output_tokens,
            },
        })
    };
    let text = json!({ "type": "text", "text": "Let me look." });
    let call = |input: Json| json!({ "type": "tool_use", "id": "toolu_1", "name": "weather", "input": input });
    let whole = message(json!([text, call(json!({ "city": "Tokyo" }))]), json!("tool_use"), 5);
    let events = [
        json!({ "type": "message_start", "message": message(json!([]), Json::Null, 1) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "Let me " } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "look." } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "content_block_start", "index": 1, "content_block": call(json!({})) }),
        json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "input_json_delta", "partial_json": "{\"city\": " } }),
        json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "input_json_delta", "partial_json": "\"Tokyo\"}" } }),
        json!({ "type": "content_block_stop", "index": 1 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use", "stop_sequence": null }, "usage": { "output_tokens": 5 } }),
        json!({ "type": "message_stop" }),
    ];
    let events = events
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    let answers = [Answer::json(&whole), Answer::events(&events.concat())];
    check(
        Anthropic::new("claude"),
        answers,
        expect![[r#"
        POST /v1/messages x-api-key: sk-test
        POST /v1/messages x-api-key: sk-test
        {
          "model": "claude",
          "messages": [
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "How is it there?"
                },
                {
                  "type": "image",
                  "source": {
                    "type": "base64",
                    "media_type": "image/png",
                    "data": "iVBORw0KGgo="
                  }
                }
              ]
            },
            {
              "role": "assistant",
              "content": [
                {
                  "type": "tool_use",
                  "id": "call_1",
                  "name": "weather",
                  "input": {
                    "city": "Tokyo"
                  }
                },
                {
                  "type": "tool_use",
                  "id": "call_2",
                  "name": "weather",
                  "input": {
                    "city": "Kyoto"
                  }
                }
              ]
            },
            {
              "role": "user",
              "content": [
                {
                  "type": "tool_result",
                  "tool_use_id": "call_1",
                  "content": [
                    {
                      "type": "text",
                      "text": "sunny"
                    }
                  ]
                },
                {
                  "type": "tool_result",
                  "tool_use_id": "call_2",
                  "content": [
                    {
                      "type": "text",
                      "text": "no such city"
                    }
                  ],
                  "is_error": true
                }
              ]
            },
            {
              "role": "assistant",
              "content": [
                {
                  "type": "text",
                  "text": "Sunny."
                }
              ]
            },
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "And tomorrow?"
                }
              ]
            }
          ],
          "max_tokens": 100,
          "system": [
            {
              "type": "text",
              "text": "You plan trips."
            }
          ],
          "temperature": 0.5,
          "tool_choice": {
            "type": "any"
          },
          "tools": [
            {
              "name": "weather",
              "description": "Forecasts.",
              "input_schema": {
                "type": "object",
                "properties": {
                  "city": {
                    "type": "string"
                  }
                },
                "required": [
                  "city"
                ]
              },
              "eager_input_streaming": true
            }
          ]
        }"#]],
        looking("toolu_1"),
    )
    .await;
}
