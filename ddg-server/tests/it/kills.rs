//! Servers that are killed under load: no run is lost, doubled, or locks its thread.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Method, Request};
use ddg_server::axum;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Client, Ddg, Upstream, json_request, read_events};

const CLIENTS: usize = 20;

/// What a client has seen of one run: the data of its events, up to the kill if there was one.
struct Watched {
    asked: String,
    run: Value,
    seen: Vec<String>,
}

/// Starts a run in a new thread, and reads its events as far as they come.
async fn watch_run(client: &Client, assistant: &str, text: &str) -> Option<Watched> {
    let thread = json!({ "messages": [{ "role": "user", "content": text }] });
    let body = json!({ "assistant_id": assistant, "thread": thread, "stream": true });
    let request = json_request(Method::POST, "/v1/threads/runs", body.to_string());
    let reply = client.attempt(request).await?;
    let (mut bytes, mut pieces) = (Vec::new(), reply.into_body().into_data_stream());
    while let Some(Ok(piece)) = pieces.next().await {
        bytes.extend_from_slice(&piece);
    }
    // Half an event is none.
    let whole = bytes.windows(2).rposition(|two| two == b"\n\n").map_or(0, |end| end + 2);
    let events = String::from_utf8(bytes[..whole].to_vec()).unwrap();
    let seen = events.lines().filter_map(|line| line.strip_prefix("data: "));
    let seen: Vec<_> = seen.filter(|data| *data != "[DONE]").map(str::to_owned).collect();
    let run = serde_json::from_str(seen.get(1)?).unwrap();
    Some(Watched { asked: text.to_owned(), run, seen })
}

/// Starts runs until `done`, on whichever server there is.
async fn load(
    name: usize,
    assistant: String,
    address: watch::Receiver<SocketAddr>,
    done: CancellationToken,
) -> Vec<Watched> {
    let mut watched = Vec::new();
    while !done.is_cancelled() {
        let client = Client::of_address(*address.borrow());
        watched.extend(watch_run(&client, &assistant, &format!("client {name}")).await);
        // Other tasks run, also if nothing can be reached.
        tokio::task::yield_now().await;
    }
    watched
}

/// One question, and one whole answer to it. What a killed server had begun to answer is kept apart.
fn check_messages(messages: &Value, text: &str) {
    let (whole, begun): (Vec<&Value>, Vec<_>) = messages["data"]
        .as_array()
        .unwrap()
        .iter()
        .partition(|message| message["status"] == "completed");
    let texts: Vec<_> =
        whole.iter().map(|message| &message["content"][0]["text"]["value"]).collect();
    assert_eq!(texts, [&json!(format!("echo: {text}")), &json!(text)], "{messages}");
    for message in begun {
        assert_eq!(message["incomplete_details"]["reason"], "run_failed", "{messages}");
    }
}

/// [assistants states 8] [assistants store 2] [assistants store 3] A server that is killed under load continues all runs: each
/// ends once, its record begins with what its client had seen, and its thread is free.
#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing() {
    let n_kills = if std::env::var_os("DDG_NIGHTLY").is_some() { 50 } else { 3 };
    let upstream = Upstream::start([]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut ddg = Ddg::on(&upstream, &folder, &[]).await;
    let assistant = json!({ "model": "scripted" });
    let assistant = ddg.client().post("/v1/assistants", &assistant).await.ok()["id"].clone();
    let assistant = assistant.as_str().unwrap();
    let (moved, address) = watch::channel(ddg.address);
    let done = CancellationToken::new();
    let mut clients = JoinSet::new();
    for name in 0..CLIENTS {
        clients.spawn(load(name, assistant.to_owned(), address.clone(), done.clone()));
    }
    for kill in 1..=n_kills {
        // Each kill hits other phases of the runs.
        upstream.until_asked(upstream.asked().len() + 1 + kill % 7).await;
        ddg.kill().await;
        ddg = Ddg::on(&upstream, &folder, &[]).await;
        moved.send(ddg.address).unwrap();
    }
    upstream.until_asked(upstream.asked().len() + CLIENTS).await;
    done.cancel();

    let client = ddg.client();
    let watched: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
    assert!(watched.len() >= CLIENTS, "{}", watched.len());
    for Watched { asked, run, seen } in watched {
        let thread = format!("/v1/threads/{}", run["thread_id"].as_str().unwrap());
        let path = format!("{thread}/runs/{}?stream=true", run["id"].as_str().unwrap());
        let request = Request::get(path).body(Body::empty()).unwrap();
        let record = read_events(client.open(request).await, |_| false).await;
        let ends = record.iter().filter(|event| event.name == "thread.run.completed").count();
        assert_eq!((ends, record[record.len() - 2].name.as_str()), (1, "thread.run.completed"));
        let data: Vec<_> = record.iter().map(|event| event.data.clone()).collect();
        assert_eq!(data[..seen.len()], seen[..]);
        let messages = client.get(&format!("{thread}/messages")).await.ok();
        check_messages(&messages, &asked);
        let more = json!({ "role": "user", "content": "More" });
        client.post(&format!("{thread}/messages"), &more).await.ok();
    }
}
