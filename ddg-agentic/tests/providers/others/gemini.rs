//! Gemini's `generateContent`.

use ddg_agentic::ChatModel;
use ddg_agentic::model::ChatRequest;
use ddg_agentic::provider::Gemini;
use expect_test::expect;
use serde_json::{Value as Json, json};

use super::{check, looking};
use crate::openai_server::{Answer, OpenAiServer};

#[tokio::test]
async fn gemini_is_asked_and_understood() {
    let reply = |parts: Json, finish: Json| {
        json!({
            "candidates": [{
                "content": { "role": "model", "parts": parts }, "finishReason": finish, "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 20, "cachedContentTokenCount": 8, "candidatesTokenCount": 5,
                "totalTokenCount": 25,
            },
            "modelVersion": "gemini", "responseId": "r_1",
        })
    };
    let text = |text: &str| json!({ "text": text });
    let call = json!({ "functionCall": { "name": "weather", "args": { "city": "Tokyo" } } });
    let whole = reply(json!([text("Let me look."), call]), json!("STOP"));
    let events = [
        reply(json!([text("Let me ")]), Json::Null),
        reply(json!([text("look.")]), Json::Null),
        reply(json!([call]), json!("STOP")),
    ];
    let events = events.map(|event| format!("data: {event}\r\n\r\n"));
    let answers = [Answer::json(&whole), Answer::events(&events.concat())];
    check(
        Gemini::new("gemini"),
        answers,
        expect![[r#"
        POST /v1beta/models/gemini:generateContent x-goog-api-key: sk-test
        POST /v1beta/models/gemini:streamGenerateContent?alt=sse x-goog-api-key: sk-test
        {
          "contents": [
            {
              "parts": [
                {
                  "text": "How is it there?",
                  "thought": false
                },
                {
                  "inlineData": {
                    "mimeType": "image/png",
                    "data": "iVBORw0KGgo="
                  },
                  "thought": false
                }
              ],
              "role": "user"
            },
            {
              "parts": [
                {
                  "functionCall": {
                    "name": "weather",
                    "args": {
                      "city": "Tokyo"
                    }
                  }
                },
                {
                  "functionCall": {
                    "name": "weather",
                    "args": {
                      "city": "Kyoto"
                    }
                  }
                }
              ],
              "role": "model"
            },
            {
              "parts": [
                {
                  "functionResponse": {
                    "name": "weather",
                    "response": {
                      "result": "sunny"
                    }
                  },
                  "thought": false
                },
                {
                  "functionResponse": {
                    "name": "weather",
                    "response": {
                      "error": "no such city"
                    }
                  },
                  "thought": false
                }
              ],
              "role": "user"
            },
            {
              "parts": [
                {
                  "text": "Sunny."
                }
              ],
              "role": "model"
            },
            {
              "parts": [
                {
                  "text": "And tomorrow?",
                  "thought": false
                }
              ],
              "role": "user"
            }
          ],
          "generationConfig": {
            "temperature": 0.5,
            "maxOutputTokens": 100
          },
          "safetySettings": null,
          "toolConfig": {
            "functionCallingConfig": {
              "mode": "ANY"
            }
          },
          "systemInstruction": {
            "parts": [
              {
                "text": "You plan trips.",
                "thought": false
              }
            ],
            "role": "model"
          },
          "tools": [
            {
              "functionDeclarations": [
                {
                  "name": "weather",
                  "description": "Forecasts.",
                  "parametersJsonSchema": {
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
              ],
              "codeExecution": null
            }
          ]
        }"#]],
        looking("call_7b422cc8c88865dd_0"),
    )
    .await;
}

#[tokio::test]
async fn a_blocked_question_is_not_a_reply() {
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
    let server = OpenAiServer::serving([Answer::json(&blocked)]).await;
    let model = Gemini::new("gemini").base_url(server.url());
    let error = model.chat(ChatRequest::new(["hi"])).await.unwrap_err();
    assert!(!error.is_retryable());
    expect!["model `gemini`: the provider gave up on its reply: Gemini blocked the prompt: block_reason=SAFETY"].assert_eq(&error.to_string());
}
