//! Two servers on one PostgreSQL database.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use ddg_server::axum;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::fixture::{Client, Ddg, Turn, Upstream, read_events, text};

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

/// [assistants store 2] When a server is killed, another on the same database ends its runs, and has the
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

/// How long the lease of a run lasts after its last renewal.
const LEASE: Duration = Duration::from_secs(30);

/// Number of runs that a server drives when it disappears.
const RUNS: usize = 8;

/// Two servers, of which the first drives runs whose model hangs: the paths of these runs.
async fn begun(postgres: &Postgres, folders: &[TempDir; 2]) -> (Upstream, [Ddg; 2], Vec<String>) {
    let upstream = Upstream::start((0..RUNS).map(|_| Turn::Hang(vec!["Hel".into()]))).await;
    let first = Ddg::on(&upstream, &folders[0], &["--db", &postgres.url]).await;
    let client = first.client();
    let assistant = client.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok();
    let mut paths = Vec::new();
    for n in 0..RUNS {
        let message = json!({ "role": "user", "content": n.to_string() });
        let body = json!({ "assistant_id": assistant["id"], "thread": { "messages": [message] } });
        let run = client.post("/v1/threads/runs", &body).await.ok();
        let (thread, id) = (run["thread_id"].as_str().unwrap(), run["id"].as_str().unwrap());
        paths.push(format!("/v1/threads/{thread}/runs/{id}"));
    }
    upstream.until_asked(RUNS).await;
    // Begun last, so that it drives none of them.
    let second = Ddg::on(&upstream, &folders[1], &["--db", &postgres.url]).await;
    (upstream, [first, second], paths)
}

/// Waits until all runs have ended, once each, and their threads are free. Returns how long it took.
async fn until_completed(client: &Client, paths: &[String]) -> Duration {
    let began = Instant::now();
    let mut longest = began;
    for path in paths {
        let request = Request::get(format!("{path}?stream=true")).body(Body::empty()).unwrap();
        let record = read_events(client.open(request).await, |_| false).await;
        longest = Instant::now();
        let ends = record.iter().filter(|event| event.name == "thread.run.completed").count();
        assert_eq!((ends, record[record.len() - 2].name.as_str()), (1, "thread.run.completed"));
    }
    for path in paths {
        let (thread, _) = path.split_once("/runs/").unwrap();
        let message = json!({ "role": "user", "content": "More" });
        client.post(&format!("{thread}/messages"), &message).await.ok();
    }
    longest - began
}

/// [assistants store 2] The runs of a server that was killed go on within the lease; on the same machine,
/// where its end is seen, much sooner.
#[tokio::test]
async fn the_runs_of_a_killed_server_continue_within_the_lease() {
    let postgres = Postgres::start().await;
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (upstream, [first, second], paths) = begun(&postgres, &folders).await;
    first.kill().await;
    let took = until_completed(&second.client(), &paths).await;
    println!("{RUNS} runs of a killed server ended after {took:?}");
    assert!(took < LEASE, "{took:?}");
    assert_eq!(upstream.asked().len(), 2 * RUNS);
}

/// [assistants store 2] The runs of a server that is stopped, as of a machine that cannot be reached any
/// more, go on when their leases have expired. When it is back, it leaves them alone. It takes a lease's
/// time, so it is for the night.
#[tokio::test]
async fn the_runs_of_an_unreachable_server_continue_within_the_lease() {
    if std::env::var_os("DDG_NIGHTLY").is_none() {
        return;
    }
    let postgres = Postgres::start().await;
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (upstream, [first, second], paths) = begun(&postgres, &folders).await;
    first.signal("STOP").await;
    let took = until_completed(&second.client(), &paths).await;
    println!("{RUNS} runs of an unreachable server ended after {took:?}");
    // The lease, the pause before it is asked for again, and the run itself.
    assert!(took < LEASE + Duration::from_secs(10), "{took:?}");
    first.signal("CONT").await;
    for _ in 0..RUNS {
        upstream.release();
    }
    // It answers requests, and has not asked the model again.
    for path in &paths {
        assert_eq!(first.client().get(path).await.ok()["status"], "completed");
    }
    until_completed(&first.client(), &paths).await;
    assert_eq!(upstream.asked().len(), 2 * RUNS);
}
