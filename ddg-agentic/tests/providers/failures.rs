//! Errors of a provider that refuses, is unreachable or breaks off, and whether a retry may help.

use std::time::{Duration, SystemTime};

use ddg_agentic::ChatModel;
use ddg_agentic::model::{ChatRequest, ModelError};
use ddg_agentic::provider::{Anthropic, Api, Gemini, HttpModel, Ollama, OpenAi, OpenAiResponses};
use expect_test::expect;

use crate::model;
use crate::openai_server::{Answer, OpenAiServer, Then, wait};

/// The error of a model that answers so, by `chat` and by `stream`, which is the same.
async fn error(answer: Answer) -> ModelError {
    let server = OpenAiServer::serving([answer.clone(), answer]).await;
    let error = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap_err();
    let of_stream = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap_err();
    assert_eq!(error.to_string(), of_stream.to_string());
    error
}

#[tokio::test]
async fn a_refusal_has_its_status_and_the_words_of_the_provider() {
    let answers = [
        Answer::error(400, "no such tool"),
        Answer::error(401, "who are you?"),
        Answer::error(403, "not here"),
        Answer::error(404, "there is no model `test-model`"),
        Answer::error(408, "too slow"),
        Answer::error(429, "not so fast"),
        Answer::error(500, "out of order"),
        Answer::error(503, "come back later"),
        Answer::body(502, "text/html", "<html>Bad gateway</html>"),
        Answer::body(500, "application/json", "{\"error\": \"in short\"}"),
        Answer::body(500, "application/json", ""),
        Answer::body(500, "text/plain", &"long ".repeat(100)),
        Answer::body(307, "text/plain", "elsewhere").header("location", "http://127.0.0.1:1/"),
    ];
    let mut lines = Vec::new();
    for answer in answers {
        let error = error(answer).await;
        lines.push(format!("{} {error}", error.is_retryable()));
    }
    expect![[r#"
        false model `test-model`: the provider answered 400: no such tool
        false model `test-model`: the provider answered 401: who are you?
        false model `test-model`: the provider answered 403: not here
        false model `test-model`: the provider answered 404: there is no model `test-model`
        true model `test-model`: the provider answered 408: too slow
        true model `test-model`: the provider answered 429: not so fast
        true model `test-model`: the provider answered 500: out of order
        true model `test-model`: the provider answered 503: come back later
        true model `test-model`: the provider answered 502: <html>Bad gateway</html>
        true model `test-model`: the provider answered 500: in short
        true model `test-model`: the provider answered 500: nothing more
        true model `test-model`: the provider answered 500: long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long …
        false model `test-model`: the provider answered 307: elsewhere"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn how_long_to_wait_is_read_in_seconds() {
    let answer = Answer::error(429, "not so fast").header("retry-after", "7");
    assert_eq!(error(answer).await.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn how_long_to_wait_is_read_from_a_date() {
    let at = SystemTime::now() + Duration::from_secs(100);
    let answer = Answer::error(503, "later").header("retry-after", &httpdate::fmt_http_date(at));
    let wait = error(answer).await.retry_after().unwrap();
    assert!((Duration::from_secs(60)..=Duration::from_secs(100)).contains(&wait), "{wait:?}");

    let past = Answer::error(503, "now").header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT");
    assert_eq!(error(past).await.retry_after(), Some(Duration::ZERO));
}

#[tokio::test]
async fn how_long_to_wait_is_unknown_if_it_is_unreadable() {
    let answer = Answer::error(503, "later").header("retry-after", "soon");
    assert_eq!(error(answer).await.retry_after(), None);
}

/// As Google's APIs have it (google.rpc.RetryInfo), also in the middle of a stream.
#[tokio::test]
async fn how_long_to_wait_is_read_from_the_error() {
    let body = r#"{"error":{"code":429,"message":"You exceeded your quota.","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.Help","links":[]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}"#;
    let line = body.replace('\n', "");
    let answers =
        [Answer::body(429, "application/json", body), Answer::events(&format!("data: {line}\n\n"))];
    let server = OpenAiServer::serving(answers).await;
    let model = Gemini::new("m").base_url(server.url());
    for _ in 0..2 {
        let error = model.stream(ChatRequest::new(["hi"])).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_millis(34_500)), "{error}");
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_may_be_asked_again() {
    let model = OpenAi::new("test-model").base_url("http://127.0.0.1:1/v1");
    let error = model.chat(ChatRequest::new(["hi"])).await.unwrap_err();
    assert!(matches!(error, ModelError::Connection { .. }) && error.is_retryable(), "{error:?}");
    let message = error.to_string();
    let message = message.split_once(" (os").unwrap();
    expect!["model `test-model`: error sending request for url (http://127.0.0.1:1/v1/chat/completions): client error (Connect): tcp connect error: Connection refused"].assert_eq(message.0);
    let (_, hint) = message.1.split_once("; ").unwrap();
    expect!["check base_url or OPENAI_BASE_URL, which is http://127.0.0.1:1/v1"].assert_eq(hint);
}

/// What answers is not the API.
#[tokio::test]
async fn a_wrong_address_is_named_where_it_is_set() {
    let answers = [
        Answer::body(404, "text/plain", "404 page not found"),
        Answer::body(405, "text/html", "<html>Not here</html>"),
        Answer::body(200, "text/html", "<html>Welcome</html>"),
        Answer::error(404, "there is no model `m`"),
    ];
    let mut lines = Vec::new();
    for answer in answers {
        let server = OpenAiServer::serving([answer.clone(), answer]).await;
        let model = Anthropic::new("m").base_url(server.url());
        let error = model.chat(ChatRequest::new(["hi"])).await.unwrap_err().to_string();
        let streamed = model.stream(ChatRequest::new(["hi"])).await.unwrap_err().to_string();
        assert_eq!(error, streamed);
        lines.push(error.replace(&server.url(), "http://here"));
    }
    expect![[r#"
        model `m`: the provider answered 404: 404 page not found; check base_url or ANTHROPIC_BASE_URL, which is http://here
        model `m`: the provider answered 405: <html>Not here</html>; check base_url or ANTHROPIC_BASE_URL, which is http://here
        model `m`: its answer is not a reply: it is text/html; check base_url or ANTHROPIC_BASE_URL, which is http://here
        model `m`: the provider answered 404: there is no model `m`"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn a_reply_that_is_cut_may_be_asked_for_again() {
    let cut = Answer::body(200, "application/json", "{\"choices\": [").then(Then::Cut);
    let server = OpenAiServer::serving([cut]).await;
    let error = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap_err();
    assert!(matches!(error, ModelError::Connection { .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_wrong_setup_is_said_at_the_first_request() {
    let models = [
        OpenAi::new("m"),
        OpenAi::new(""),
        OpenAi::new("m").base_url("localhost"),
        OpenAi::new("m").base_url("localhost:8000/v1"),
        OpenAi::new("m").base_url("http://me:secret@localhost/v1"),
        OpenAi::new("m").base_url("http://localhost/v1?key=secret"),
        OpenAi::new("m").api_key("line\nbreak"),
    ];
    let mut lines = Vec::new();
    for model in models {
        let error = model.chat(ChatRequest::new(["hi"])).await.unwrap_err();
        assert!(matches!(error, ModelError::Setup { .. }));
        lines.push(error.to_string());
    }
    expect![[r#"
        model `m`: there is no key for https://api.openai.com/v1; set api_key or OPENAI_API_KEY
        a model of OpenAi has no name; set OPENAI_MODEL
        model `m`: its address is no URL; set base_url or OPENAI_BASE_URL to one such as https://api.openai.com/v1
        model `m`: its address is neither http nor https; set base_url or OPENAI_BASE_URL to one such as https://api.openai.com/v1
        model `m`: its address has a user or password in it, which belong in the key; set base_url or OPENAI_BASE_URL to one such as https://api.openai.com/v1
        model `m`: its address ends in a query or fragment; set base_url or OPENAI_BASE_URL to one such as https://api.openai.com/v1
        model `m`: its key has characters that a key cannot have, such as line breaks; set api_key or OPENAI_API_KEY"#]].assert_eq(&lines.join("\n"));
}

/// What a streamed request ends with.
async fn streamed(answer: Answer) -> Result<String, ModelError> {
    let server = OpenAiServer::serving([answer]).await;
    let stream = model(&server).stream(ChatRequest::new(["hi"])).await?;
    Ok(stream.reply(|_| ()).await?.message.text)
}

fn json(body: &str) -> Answer {
    Answer::body(200, "application/json", body)
}

/// As OpenRouter and litellm answer a streamed request.
#[tokio::test]
async fn an_error_in_place_of_a_stream_keeps_message_code_and_whether_it_passes() {
    let limited = r#"{"error":{"message":"Rate limited","code":429}}"#;
    let error = streamed(json(limited).header("retry-after-ms", "1500")).await.unwrap_err();
    expect!["model `test-model`: the provider answered 429: Rate limited"]
        .assert_eq(&error.to_string());
    assert!(error.is_retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_millis(1500)));
    let error = streamed(json(r#"{"detail":"no"}"#)).await.unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("no"), "{error}");
}

/// How a model fails that is answered so with the status of a success, whole and streamed.
async fn fails<A: Api>(model: HttpModel<A>, body: &str) -> String {
    let server = OpenAiServer::serving([json(body), json(body)]).await;
    let model = model.base_url(server.url()).api_key("sk-test");
    let whole = model.chat(ChatRequest::new(["hi"])).await.unwrap_err();
    let streamed = model.stream(ChatRequest::new(["hi"])).await.unwrap_err();
    assert_eq!(whole.to_string(), streamed.to_string());
    assert_eq!(whole.is_retryable(), streamed.is_retryable(), "{whole}");
    format!("{} {whole}", whole.is_retryable())
}

/// In the form of each API, as its gateways pass it on.
#[tokio::test]
async fn an_error_in_place_of_a_reply_keeps_its_message_for_every_api() {
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let exhausted = r#"{"error":{"code":429,"message":"Exhausted","status":"RESOURCE_EXHAUSTED"}}"#;
    let limited = r#"{"error":{"message":"Rate limited","code":"rate_limit_exceeded"}}"#;
    let lines = [
        fails(OpenAi::new("m"), limited).await,
        fails(OpenAiResponses::new("m"), limited).await,
        fails(Anthropic::new("m"), overloaded).await,
        fails(Gemini::new("m"), exhausted).await,
        fails(Ollama::new("m"), r#"{"error":{"message":"Loading","type":"api_error"}}"#).await,
    ];
    expect![[r#"
        true model `m`: the provider gave up on its reply: Rate limited
        true model `m`: the provider gave up on its reply: Rate limited
        true model `m`: the provider gave up on its reply: Overloaded
        true model `m`: the provider answered 429: Exhausted
        true model `m`: the provider gave up on its reply: Loading"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn a_whole_reply_in_place_of_a_stream_is_one() {
    let whole = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[
        {"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}]}"#;
    assert_eq!(streamed(json(whole)).await.unwrap(), "Hello.");
    let events = Answer::events(&(wait() + "data: [DONE]\n\n"));
    assert_eq!(streamed(events).await.unwrap(), "wait", "though no reason is given");
    let as_text = Answer::body(200, "text/plain", &(wait() + "data: [DONE]\n\n"));
    assert_eq!(streamed(as_text).await.unwrap(), "wait");
}

/// As a litellm proxy sends it.
#[tokio::test]
async fn a_code_may_be_a_text() {
    let event = "data: {\"error\": {\"message\": \"down\", \"code\": \"500\"}}\n\n";
    let error = streamed(Answer::events(&(wait() + event))).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(error.to_string().contains("500: down"), "{error}");
}

/// As OpenRouter breaks a reply off.
#[tokio::test]
async fn a_reply_that_ends_with_an_error_is_none() {
    let event =
        "data: {\"choices\": [{\"index\": 0, \"delta\": {}, \"finish_reason\": \"error\"}]}\n\n";
    let error = streamed(Answer::events(&(wait() + event + "data: [DONE]\n\n"))).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    expect!["model `test-model`: the provider gave up on its reply: it broke off with an error"]
        .assert_eq(&error.to_string());
}

/// As OpenRouter's page on streaming has it: the piece that ends the reply has the error beside.
#[tokio::test]
async fn an_error_beside_the_end_of_a_reply_is_kept() {
    let event = r#"data: {"id":"cmpl-abc123","object":"chat.completion.chunk","created":1234567890,"model":"gpt-3.5-turbo","provider":"openai","error":{"code":"server_error","message":"Provider disconnected unexpectedly"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#;
    let events = Answer::events(&format!("{}{event}\n\n", wait()));
    let error = streamed(events).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    expect![
        "model `test-model`: the provider gave up on its reply: Provider disconnected unexpectedly"
    ]
    .assert_eq(&error.to_string());
    // A whole reply has it within its choice.
    let whole = r#"{"object":"chat.completion","choices":[{"index":0,"finish_reason":"error",
        "message":{"role":"assistant","content":"It"},"error":{"code":502,"message":"Gone"}}]}"#;
    let server = OpenAiServer::serving([json(whole)]).await;
    let error = model(&server).chat(ChatRequest::new(["hi"])).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    expect!["model `test-model`: the provider answered 502: Gone"].assert_eq(&error.to_string());
    let no_error = wait().replace("\"created\"", "\"error\":null,\"created\"");
    let events = Answer::events(&format!("{no_error}data: [DONE]\n\n"));
    assert_eq!(streamed(events).await.unwrap(), "wait");
}

/// In the words of OpenAI, Anthropic, Gemini and llama.cpp.
#[tokio::test]
async fn a_conversation_that_is_too_long_is_an_error_of_its_own() {
    for body in [
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 212000 tokens > 200000 maximum"}}"#,
        r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
    ] {
        let found = error(Answer::body(400, "application/json", body)).await;
        assert!(found.is_context_overflow() && !found.is_retryable(), "{found:?}");
    }
    assert!(!error(Answer::error(400, "no such field")).await.is_context_overflow());
}

#[tokio::test]
async fn what_is_used_up_is_not_asked_for_again() {
    let body =
        r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let found = error(Answer::body(429, "application/json", body)).await;
    assert!(!found.is_retryable() && found.to_string().contains("quota"), "{found}");
    for status in [409, 425] {
        assert!(error(Answer::error(status, "busy")).await.is_retryable());
    }
}
