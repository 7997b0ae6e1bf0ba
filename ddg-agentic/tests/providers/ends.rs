//! Replies without an answer, in the form of each API: an agent ends for the reason that the provider
//! gives, and asks again only where that may help.

use ddg_agentic::ChatModel;
use ddg_agentic::model::ChatRequest;
use ddg_agentic::prelude::*;
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, OpenAi, OpenAiResponses};
use expect_test::expect;
use serde_json::{Value as Json, json};

use crate::openai_server::{Answer, OpenAiServer, piece};
use crate::responses::response;

/// How a whole reply and an agent's run end, with these answers of the server.
async fn ends<A: Api>(model: &HttpModel<A>, reason: &str, whole: &Json, events: &str) -> String {
    let answers = [Answer::json(whole), Answer::events(events), Answer::events(events)];
    let server = OpenAiServer::serving(answers).await;
    let model = model.clone().base_url(server.url()).api_key("sk-test");
    let whole = match model.chat(ChatRequest::new(["hi"])).await {
        Ok(reply) => format!("{:?}", reply.finish),
        Err(error) => format!("retryable: {}, {error}", error.is_retryable()),
    };
    let agent = ReActAutoma::new(model).limits(Limits::default().tries(1)).build().unwrap();
    let error = agent.run(args!("hi")).await.unwrap_err();
    let failed: &AgentFailed = error.downcast_ref().unwrap();
    format!("{reason}: {whole}; {:?} after {}\n", failed.outcome.end, failed.outcome.turns)
}

#[tokio::test]
async fn openai() {
    let model = OpenAi::new("m");
    let mut found = String::new();
    for reason in ["stop", "length", "content_filter"] {
        let message = json!({ "role": "assistant", "content": null });
        let whole = json!({ "object": "chat.completion", "choices": [
            { "index": 0, "message": message, "finish_reason": reason },
        ] });
        let begins = piece(&json!({ "role": "assistant", "content": "" }), &Json::Null);
        let events = begins + &piece(&json!({}), &json!(reason)) + "data: [DONE]\n\n";
        found += &ends(&model, reason, &whole, &events).await;
    }
    expect![[r#"
        stop: Stop; NoAnswer { faults: ["Your answer is empty. Give one, or call a tool."] } after 2
        length: Length; CutOff after 1
        content_filter: ContentFilter; Filtered after 1
    "#]]
    .assert_eq(&found);
}

#[tokio::test]
async fn openai_responses() {
    let model = OpenAiResponses::new("m");
    let mut found = String::new();
    for reason in ["max_output_tokens", "content_filter"] {
        let mut whole = response("incomplete", &json!([]));
        whole["incomplete_details"] = json!({ "reason": reason });
        let created =
            json!({ "type": "response.created", "response": response("in_progress", &json!([])) });
        let ends_so = json!({ "type": "response.incomplete", "response": whole });
        let events = format!("data: {created}\n\ndata: {ends_so}\n\n");
        found += &ends(&model, reason, &whole, &events).await;
    }
    expect![[r#"
        max_output_tokens: Length; CutOff after 1
        content_filter: ContentFilter; Filtered after 1
    "#]]
    .assert_eq(&found);
}

#[tokio::test]
async fn anthropic() {
    let model = Anthropic::new("m");
    let mut found = String::new();
    for reason in ["end_turn", "max_tokens", "refusal", "model_context_window_exceeded"] {
        let message = |reason: Json| {
            json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                "content": [], "stop_reason": reason,
                "usage": { "input_tokens": 1, "output_tokens": 1 },
            })
        };
        let events = [
            json!({ "type": "message_start", "message": message(Json::Null) }),
            json!({
                "type": "message_delta", "delta": { "stop_reason": reason },
                "usage": { "output_tokens": 1 },
            }),
            json!({ "type": "message_stop" }),
        ];
        let event = |event: &Json| {
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
        };
        let events: String = events.iter().map(event).collect();
        found += &ends(&model, reason, &message(json!(reason)), &events).await;
    }
    expect![[r#"
        end_turn: Stop; NoAnswer { faults: ["Your answer is empty. Give one, or call a tool."] } after 2
        max_tokens: Length; CutOff after 1
        refusal: ContentFilter; Filtered after 1
        model_context_window_exceeded: Length; CutOff after 1
    "#]]
    .assert_eq(&found);
}

#[tokio::test]
async fn gemini() {
    let model = Gemini::new("m");
    let mut found = String::new();
    for reason in ["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "MALFORMED_FUNCTION_CALL"] {
        let whole = json!({ "candidates": [{ "finishReason": reason }] });
        found += &ends(&model, reason, &whole, &format!("data: {whole}\n\n")).await;
    }
    expect![[r#"
        STOP: Stop; NoAnswer { faults: ["Your answer is empty. Give one, or call a tool."] } after 2
        MAX_TOKENS: Length; CutOff after 1
        SAFETY: ContentFilter; Filtered after 1
        RECITATION: ContentFilter; Filtered after 1
        MALFORMED_FUNCTION_CALL: MalformedCall; NoAnswer { faults: ["Your call of a tool was malformed. Call it again, or answer."] } after 2
    "#]]
    .assert_eq(&found);
}
