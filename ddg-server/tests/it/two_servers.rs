//! Two servers on one PostgreSQL database.

use std::path::Path;
use std::process::Stdio;

use axum::body::Body;
use axum::http::Request;
use ddg_server::axum;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::fixture::{Ddg, Turn, Upstream, read_events, text};

/// A new PostgreSQL server, which stops when this is dropped.
pub(crate) struct Postgres {
    pub(crate) url: String,
    _process: Child,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/postgres");
        let mut process = Command::new(script)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut url).await.unwrap();
        assert!(url.starts_with("postgres://"), "{url:?}: see above");
        Self { url: url.trim().to_owned(), _process: process }
    }
}

/// [assistants store] When a server is killed, another on the same database ends its runs, and has the
/// whole record.
#[tokio::test]
async fn another_server_continues_the_runs_of_a_killed_one() {
    let postgres = Postgres::start().await;
    let upstream = Upstream::start([Turn::Hang(vec!["Hel".into()]), text(&["Hello."])]).await;
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Ddg::on(&upstream, &one, &["--db", &postgres.url]).await;
    let second = Ddg::on(&upstream, &two, &["--db", &postgres.url]).await;
    let assistant = first.client().post("/v1/assistants", &json!({ "model": "scripted" })).await;
    let run = json!({
        "assistant_id": assistant.ok()["id"],
        "thread": { "messages": [{ "role": "user", "content": "Hello" }] },
    });
    let run = first.client().post("/v1/threads/runs", &run).await.ok();
    upstream.until_asked(1).await;

    // The second server sees the run of the first, live.
    let thread = run["thread_id"].as_str().unwrap();
    let at = format!("/v1/threads/{thread}/runs/{}", run["id"].as_str().unwrap());
    assert_eq!(second.client().get(&at).await.ok()["status"], "in_progress");
    let request = Request::get(format!("{at}?stream=true")).body(Body::empty()).unwrap();
    let reply = second.client().open(request).await;
    first.kill().await;
    let record = read_events(reply, |_| false).await;
    let ends = record.iter().filter(|event| event.name == "thread.run.completed").count();
    assert_eq!((ends, record[record.len() - 2].name.as_str()), (1, "thread.run.completed"));
    assert_eq!(upstream.asked().len(), 2);
    let message = json!({ "role": "user", "content": "More" });
    second.client().post(&format!("/v1/threads/{thread}/messages"), &message).await.ok();
}
