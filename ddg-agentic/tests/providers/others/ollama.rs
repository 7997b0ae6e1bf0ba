//! Ollama, which has OpenAI's API.

use ddg_agentic::provider::Ollama;
use expect_test::expect;

use super::{check, looking};
use crate::openai_server::Answer;

#[tokio::test]
async fn ollama_is_asked_and_understood() {
    let Answer::Completion(mut answer) =
        Answer::calls([("call_9", "weather", r#"{"city":"Tokyo"}"#)])
    else {
        unreachable!("calls are a completion")
    };
    answer.text = Some("Let me look.".into());
    let answers = [Answer::Completion(answer.clone()), Answer::Completion(answer)];
    check(
        Ollama::new("qwen"),
        answers,
        expect![[r#"
        POST /v1/chat/completions authorization: Bearer sk-test
        POST /v1/chat/completions authorization: Bearer sk-test
        {
          "model": "qwen",
          "messages": [
            {
              "role": "system",
              "content": [
                {
                  "type": "text",
                  "text": "You plan trips."
                }
              ]
            },
            {
              "role": "user",
              "content": [
                {
                  "type": "text",
                  "text": "How is it there?"
                },
                {
                  "type": "image_url",
                  "image_url": {
                    "url": "data:image/png;base64,iVBORw0KGgo=",
                    "detail": "auto"
                  }
                }
              ]
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
                    "arguments": "{\"city\":\"Kyoto\"}"
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
              "content": "no such city"
            },
            {
              "role": "assistant",
              "content": "Sunny."
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
                      "type": "string"
                    }
                  },
                  "required": [
                    "city"
                  ]
                }
              }
            }
          ],
          "tool_choice": "required",
          "temperature": 0.5,
          "max_tokens": 100
        }"#]],
        looking("call_9"),
    )
    .await;
}
