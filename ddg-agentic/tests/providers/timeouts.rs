//! A request without an answer ends after its timeout; the clock is moved, not waited for.

use std::time::Duration;

use ddg_agentic::ChatModel;
use ddg_agentic::model::{ChatChunk, ChatRequest, ModelError};
use ddg_agentic::provider::OpenAi;
use futures::StreamExt;

use crate::openai_server::{Answer, OpenAiServer, Then, wait};

const STALL: Duration = Duration::from_secs(20);
const REPLY: Duration = Duration::from_secs(300);

fn model(server: &OpenAiServer) -> OpenAi {
    crate::model(server).stall_timeout(STALL).reply_timeout(REPLY)
}

fn check(error: &ModelError, expected: Duration) {
    assert!(matches!(error, ModelError::TimedOut { after, .. } if *after == expected), "{error:?}");
    assert!(error.is_retryable());
}

/// Waits until the server is silent, then lets time pass.
async fn let_time_pass(server: &OpenAiServer) {
    server.stalled().await;
    tokio::time::pause();
}

#[tokio::test]
async fn a_reply_that_does_not_come_is_given_up() {
    let answer = Answer::body(200, "application/json", "{").then(Then::Stall);
    let server = OpenAiServer::serving([answer]).await;
    let model = model(&server);
    let (reply, ()) = tokio::join!(model.chat(ChatRequest::new(["hi"])), let_time_pass(&server));
    check(&reply.unwrap_err(), REPLY);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    let server = OpenAiServer::serving([Answer::events(&wait()).then(Then::Stall)]).await;
    let mut stream = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), ChatChunk::Text("wait".into()));
    let (next, ()) = tokio::join!(stream.next(), let_time_pass(&server));
    check(&next.unwrap().unwrap_err(), STALL);
    assert!(stream.next().await.is_none());
}

/// However often the server says that it is still there.
#[tokio::test]
async fn a_stream_has_a_total_timeout() {
    const WHOLE: Duration = Duration::from_secs(5);
    let server = OpenAiServer::serving([Answer::events(&wait()).then(Then::Stall)]).await;
    let model = model(&server).stream_timeout(WHOLE);
    let mut stream = model.stream(ChatRequest::new(["hi"])).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), ChatChunk::Text("wait".into()));
    let (next, ()) = tokio::join!(stream.next(), let_time_pass(&server));
    check(&next.unwrap().unwrap_err(), WHOLE);
}

#[tokio::test]
async fn a_stream_that_never_begins_is_given_up() {
    let server = OpenAiServer::serving([Answer::events("").then(Then::Stall)]).await;
    let model = model(&server);
    let (stream, ()) = tokio::join!(model.stream(ChatRequest::new(["hi"])), let_time_pass(&server));
    check(&stream.unwrap_err(), STALL);
}
