//! The end of the server, with requests and streams under way.

use axum::body::Body;
use axum::http::{Method, Request};
use ddg_server::axum;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::fixture::{Client, Ddg, Turn, Upstream, json_request, read_events, text};

/// [assistants command line 7] SIGTERM ends the server with the exit code 0, and so does Ctrl-C.
#[tokio::test]
async fn signals_end_the_server() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let ddg = Ddg::start(&folder, &["--model", "offline"]).await;
        ddg.client().get("/healthz").await.ok();
        let address = ddg.address;
        ddg.signal(signal).await;
        let (status, rest) = ddg.end().await;
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }
}

/// A thread with a run whose model hangs: the path of its runs, and the reply that streams events.
async fn hanging(client: &Client) -> (String, axum::http::Response<Body>) {
    let assistant = client.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok();
    let thread = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    let thread = client.post("/v1/threads", &thread).await.ok();
    let runs = format!("/v1/threads/{}/runs", thread["id"].as_str().unwrap());
    let body = json!({ "assistant_id": assistant["id"], "stream": true }).to_string();
    let reply = client.open(json_request(Method::POST, &runs, body)).await;
    (runs, reply)
}

/// The whole record of the last run of a thread, live to its end.
async fn record(client: &Client, runs: &str) -> Vec<crate::fixture::Seen> {
    let run: Value = client.get(runs).await.ok()["data"][0].clone();
    let path = format!("{runs}/{}?stream=true", run["id"].as_str().unwrap());
    let reply = client.open(Request::get(path).body(Body::empty()).unwrap()).await;
    read_events(reply, |_| false).await
}

/// [assistants command line 7] SIGTERM ends the server although a stream is open and a model hangs; the
/// stream is cut, and the run continues at the next start to its end.
#[tokio::test]
async fn runs_continue_at_the_next_start() {
    let upstream = Upstream::start([Turn::Hang(vec!["Hel".into()]), text(&["Hello."])]).await;
    let folder = tempfile::tempdir().unwrap();
    let ddg = Ddg::on(&upstream, &folder, &[]).await;
    let (runs, reply) = hanging(&ddg.client()).await;
    let mut pieces = reply.into_body().into_data_stream();
    upstream.until_asked(1).await;
    ddg.signal("TERM").await;
    let (status, _) = ddg.end().await;
    assert_eq!(status.code(), Some(0));
    let mut seen = Vec::new();
    let is_cut = loop {
        match pieces.next().await {
            Some(Ok(piece)) => seen.extend_from_slice(&piece),
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    let seen = String::from_utf8(seen).unwrap();
    assert!(is_cut && !seen.contains("[DONE]"), "{seen}");

    let ddg = Ddg::on(&upstream, &folder, &[]).await;
    let events = record(&ddg.client(), &runs).await;
    assert_eq!(events[events.len() - 2].name, "thread.run.completed");
    // What the client had seen is the beginning of the record.
    let seen = seen.lines().filter_map(|line| line.strip_prefix("data: "));
    for (seen, event) in seen.zip(&events) {
        assert_eq!(seen, event.data);
    }
}

/// [assistants states 8] A server that is killed leaves no thread locked: the next one ends its run, once.
#[tokio::test]
async fn runs_of_a_killed_server_are_taken_up() {
    let upstream = Upstream::start([Turn::Hang(vec!["Hel".into()]), text(&["Hello."])]).await;
    let folder = tempfile::tempdir().unwrap();
    let ddg = Ddg::on(&upstream, &folder, &[]).await;
    let (runs, reply) = hanging(&ddg.client()).await;
    upstream.until_asked(1).await;
    ddg.kill().await;
    drop(reply);
    let ddg = Ddg::on(&upstream, &folder, &[]).await;
    let events = record(&ddg.client(), &runs).await;
    assert_eq!(events[events.len() - 2].name, "thread.run.completed");
    assert_eq!(events.iter().filter(|event| event.name == "thread.run.completed").count(), 1);
    let messages = format!("{}/messages", runs.trim_end_matches("/runs"));
    let body = json!({ "role": "user", "content": "More" });
    ddg.client().post(&messages, &body).await.ok();
}
