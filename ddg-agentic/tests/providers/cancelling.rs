//! Dropping the future of a request, or its stream, closes the connection to the provider.

use ddg_agentic::ChatModel;
use ddg_agentic::model::ChatRequest;
use futures::FutureExt;

use crate::model;
use crate::openai_server::{Answer, OpenAiServer, Then, wait};

#[tokio::test]
async fn dropping_a_request_hangs_up() {
    let answer = Answer::body(200, "application/json", "{").then(Then::Stall);
    let server = OpenAiServer::serving([answer]).await;
    let model = model(&server);
    let mut reply = model.chat(ChatRequest::new(["hi"]));
    tokio::select! {
        reply = &mut reply => panic!("the server is silent: {reply:?}"),
        () = server.stalled() => {}
    }
    assert!(server.hung_up().now_or_never().is_none());
    drop(reply);
    server.hung_up().await;
}

#[tokio::test]
async fn dropping_a_stream_hangs_up() {
    let server = OpenAiServer::serving([Answer::events(&wait()).then(Then::Stall)]).await;
    let stream = model(&server).stream(ChatRequest::new(["hi"])).await.unwrap();
    server.stalled().await;
    assert!(server.hung_up().now_or_never().is_none());
    drop(stream);
    server.hung_up().await;
}
