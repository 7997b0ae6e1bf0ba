//! Measures `ddg serve` under load, with models that answer at once: a server as a process of its own,
//! clients and the models' server in this one.
//!
//! ```text
//! cargo build --release -p ddg-server
//! cargo run --release -p benches --features load --bin load
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::serve::ListenerExt;
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

const CLIENTS: usize = 20;
const RUNS: usize = 2_000;
const STREAMS: usize = 200;
const THREADS: usize = 10_000;
const MESSAGES: usize = 100;
/// Requests of each kind that are compared between an empty store and a full one.
const COMPARED: usize = 300;

/// A model's reply: 20 pieces of text, and its usage. While `held`, it stops after the first piece.
async fn reply(State(held): State<watch::Sender<bool>>) -> Response {
    let piece = |delta: Value, finish: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk = json!({
            "id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice],
        });
        format!("data: {chunk}\n\n")
    };
    let mut pieces = vec![piece(json!({ "role": "assistant", "content": "It " }), None)];
    pieces.extend((0..19).map(|_| piece(json!({ "content": "rains. " }), None)));
    let usage = json!({ "prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29 });
    let usage = json!({
        "id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [],
        "usage": usage,
    });
    pieces.push(piece(json!({}), Some("stop")));
    pieces.push(format!("data: {usage}\n\ndata: [DONE]\n\n"));
    let pieces = stream::iter(pieces.into_iter().enumerate()).then(move |(n, piece)| {
        let mut held = held.subscribe();
        async move {
            if n == 1 {
                held.wait_for(|held| !held).await.ok();
            }
            Ok::<_, std::convert::Infallible>(piece)
        }
    });
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(Body::from_stream(pieces))
        .expect("the head is valid")
}

/// A server, stopped when it is dropped.
struct Ddg {
    process: Child,
    url: String,
}

impl Ddg {
    async fn start(folder: &Path, upstream: &str) -> Result<Self, Failure> {
        let program = program()?;
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
            .env("OPENAI_BASE_URL", upstream)
            .env("OPENAI_API_KEY", "up")
            .env("OPENAI_MODEL", "m")
            .current_dir(folder)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        let out = process.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line).await?;
        let url = line.trim().strip_prefix("listening on ").ok_or("it does not listen")?;
        Ok(Self { process, url: format!("{url}/v1") })
    }

    /// Memory that is resident, in KiB.
    fn memory(&self) -> Result<f64, Failure> {
        let id = self.process.id().ok_or("it has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        Ok(line.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse()?)
    }
}

/// `ddg`, beside this program.
fn program() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?.with_file_name("ddg");
    if program.is_file() {
        Ok(program)
    } else {
        Err("build ddg-server with --release first".into())
    }
}

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: Arc<str>,
}

impl Client {
    fn new(url: &str) -> Self {
        Self { http: reqwest::Client::new(), url: url.into() }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<String, Failure> {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let reply = request.send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        if status.is_success() { Ok(text) } else { Err(format!("{path}: {status}: {text}").into()) }
    }

    async fn created(&self, path: &str, body: &Value) -> Result<String, Failure> {
        let object: Value = serde_json::from_str(&self.post(path, body).await?)?;
        Ok(object["id"].as_str().ok_or("no id")?.to_owned())
    }

    async fn get(&self, path: &str) -> Result<String, Failure> {
        let reply = self.http.get(format!("{}{path}", self.url)).send().await?;
        Ok(reply.error_for_status()?.text().await?)
    }

    /// Creates a run in a new thread, and reads its events to the end.
    async fn run(&self, assistant: &str) -> Result<(), Failure> {
        let thread = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
        let body = json!({ "assistant_id": assistant, "thread": thread, "stream": true });
        let events = self.post("/threads/runs", &body).await?;
        let is_whole =
            events.contains("event: thread.run.completed") && events.ends_with("[DONE]\n\n");
        if is_whole { Ok(()) } else { Err(format!("a run did not complete: {events}").into()) }
    }
}

/// Executes `n` requests of 20 clients. Returns requests per second, and milliseconds at 50 and 99 %.
async fn at_once<F>(n: usize, request: impl Fn() -> F) -> Result<[f64; 3], Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let began = Instant::now();
    let timed = stream::iter(0..n).map(|_| async {
        let began = Instant::now();
        request().await?;
        Ok::<_, Failure>(began.elapsed())
    });
    let timed: Vec<Result<Duration, Failure>> = timed.buffer_unordered(CLIENTS).collect().await;
    let rate = n as f64 / began.elapsed().as_secs_f64();
    let timed: Result<Vec<_>, _> = timed.into_iter().collect();
    let mut ms: Vec<_> = timed?.into_iter().map(|time| time.as_secs_f64() * 1e3).collect();
    ms.sort_unstable_by(f64::total_cmp);
    Ok([rate, ms[n / 2], ms[n * 99 / 100]])
}

/// The median milliseconds of requests one after another: a page of messages, a list of threads' runs,
/// and a run to its end.
async fn compared(client: &Client, assistant: &str) -> Result<[f64; 3], Failure> {
    let messages: Vec<_> =
        (0..30).map(|n| json!({ "role": "user", "content": format!("message {n}") })).collect();
    let thread = client.created("/threads", &json!({ "messages": messages })).await?;
    let mut found = [0.0; 3];
    for (place, found) in found.iter_mut().enumerate() {
        let mut ms = Vec::new();
        for _ in 0..COMPARED {
            let began = Instant::now();
            match place {
                0 => drop(client.get(&format!("/threads/{thread}/messages")).await?),
                1 => drop(client.get("/assistants").await?),
                _ => client.run(assistant).await?,
            }
            ms.push(began.elapsed().as_secs_f64() * 1e3);
        }
        ms.sort_unstable_by(f64::total_cmp);
        *found = ms[COMPARED / 2];
    }
    Ok(found)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // The HTTP client wants one, also for requests without encryption.
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "one is there")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let upstream = format!("http://{}/v1", listener.local_addr()?);
    let held = watch::Sender::new(false);
    let router = Router::new().route("/v1/chat/completions", post(reply)).with_state(held.clone());
    // Pieces are sent at once, as models do, and not when the last one is acknowledged.
    let listener = listener.tap_io(|socket| _ = socket.set_nodelay(true));
    tokio::spawn(axum::serve(listener, router).into_future());
    let folder = tempfile::tempdir_in(".")?;
    let ddg = Ddg::start(folder.path(), &upstream).await?;
    let client = Client::new(&ddg.url);
    let assistant = client.created("/assistants", &json!({ "model": "m" })).await?;
    for _ in 0..100 {
        client.run(&assistant).await?;
    }

    println!("| {CLIENTS} clients | per second | p50, ms | p99, ms |");
    println!("| --- | ---: | ---: | ---: |");
    let row = |name: &str, [rate, p50, p99]: [f64; 3]| {
        println!("| {name} | {rate:.0} | {p50:.1} | {p99:.1} |");
    };
    let path = format!("/assistants/{assistant}");
    let get = at_once(RUNS, || async { client.get(&path).await.map(drop) }).await?;
    row("`GET /assistants/{id}`", get);
    let model = Client::new(&upstream);
    let ask = json!({ "model": "m", "messages": [], "stream": true });
    let asked = at_once(RUNS, || async { model.post("/chat/completions", &ask).await.map(drop) });
    row("the model alone", asked.await?);
    row(
        "a run in a new thread, created to completed",
        at_once(RUNS, || client.run(&assistant)).await?,
    );

    let idle = ddg.memory()?;
    held.send_replace(true);
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let (client, assistant) = (client.clone(), assistant.clone());
        streams.spawn(async move { client.run(&assistant).await });
    }
    // All wait for their model when there are as many requests to it.
    while held.receiver_count() < STREAMS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let open = ddg.memory()?;
    let began = Instant::now();
    held.send_replace(false);
    while let Some(ended) = streams.join_next().await {
        ended??;
    }
    let (ms, kib) = (began.elapsed().as_secs_f64() * 1e3, (open - idle) / STREAMS as f64);
    println!(
        "\n{STREAMS} streams at once: {kib:.0} KiB each while open, {ms:.0} ms until all have ended."
    );

    let empty = compared(&client, &assistant).await?;
    let before = ddg.memory()?;
    let began = Instant::now();
    let messages: Vec<_> = (0..MESSAGES)
        .map(|n| json!({ "role": "user", "content": format!("message {n}") }))
        .collect();
    let body = json!({ "messages": messages });
    at_once(THREADS, || async { client.created("/threads", &body).await.map(drop) }).await?;
    let (took, kib) = (began.elapsed().as_secs_f64(), (ddg.memory()? - before) / THREADS as f64);
    let full = compared(&client, &assistant).await?;
    println!(
        "{THREADS} threads of {MESSAGES} messages: {took:.0} s, {kib:.2} KiB of memory each.\n"
    );
    println!("| one after another, p50 in ms | empty store | {THREADS} threads | ratio |");
    println!("| --- | ---: | ---: | ---: |");
    let names = ["a page of messages", "a list of assistants", "a run, created to completed"];
    for (name, (empty, full)) in names.into_iter().zip(empty.into_iter().zip(full)) {
        println!("| {name} | {empty:.2} | {full:.2} | {:.2} |", full / empty);
    }
    Ok(())
}
