//! A management and agents that are killed: no riddle is lost, and no answer is counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use ddg_server::axum;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{agent, calculation, ended, free_address, riddles};
use crate::fixture::{Client, Ddg, json_request};

/// A gatekeeper of this process, which holds all its answers until it is told to send them.
#[derive(Clone, Default)]
struct Holder {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The messages that are not answered, by number.
    held: Mutex<BTreeMap<i64, Value>>,
    came: Notify,
    /// The numbers whose answers counted.
    taken: Mutex<BTreeSet<i64>>,
}

impl Holder {
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/message", post(hold)).with_state(self.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        format!("http://{address}")
    }

    /// Accepts everything that is held, each twice. What the management does not take is held on.
    async fn send(&self, client: &Client) {
        let held: Vec<_> = self.shared.held.lock().unwrap().clone().into_iter().collect();
        for (number, mut message) in held {
            for solution in message["solution"].as_array_mut().unwrap() {
                solution["accepted"] = true.into();
            }
            for _ in 0..2 {
                let request = json_request(Method::POST, "/message", message.to_string());
                let Some(reply) = client.attempt(request).await else { return };
                assert_eq!(reply.status(), 200, "{message}");
                let receipt = reply.into_body().collect().await.unwrap().to_bytes();
                if receipt == Bytes::from_static(b"{\"receipt\":\"taken\"}") {
                    let is_first = self.shared.taken.lock().unwrap().insert(number);
                    assert!(is_first, "answer {number} is counted twice");
                }
            }
            self.shared.held.lock().unwrap().remove(&number);
        }
    }
}

async fn hold(State(holder): State<Holder>, body: Bytes) -> StatusCode {
    let message: Value = serde_json::from_slice(&body).unwrap();
    let number = message["number"].as_i64().unwrap();
    if !holder.shared.taken.lock().unwrap().contains(&number) {
        holder.shared.held.lock().unwrap().insert(number, message);
    }
    holder.shared.came.notify_one();
    StatusCode::ACCEPTED
}

/// The messages of all riddles after this number.
async fn after(client: &Client, number: i64) -> Vec<Value> {
    let page = client.get(&format!("/messages?limit=1000&after={number}")).await.ok();
    page["data"].as_array().unwrap().clone()
}

/// What the log has of a riddle that is solved.
fn check(log: &Value) {
    let messages = log["data"].as_array().unwrap();
    let n = |from: &str, to: &str, stage: &str| {
        let is_it = |m: &&Value| m["from"] == from && m["to"] == to && m["stage"] == stage;
        messages.iter().filter(is_it).count()
    };
    assert_eq!((n("author", "management", "posed"), n("management", "author", "ended")), (1, 1));
    // Each item is asked for once, and each answer is there once.
    assert_eq!((n("management", "text", "extract"), n("text", "management", "extract")), (3, 3));
    for agent in ["calculator", "holder"] {
        let is_answer = |m: &&Value| m["from"] == agent && m["stage"] != "late";
        let is_question = |m: &&Value| m["to"] == agent;
        let n_answers = messages.iter().filter(is_answer).count();
        assert!(n_answers <= messages.iter().filter(is_question).count(), "{log}");
    }
}

/// The moment of each kill is another one: some messages after new riddles were posed. Every answer of the gatekeeper is held over at least one kill of
/// the management or an agent.
async fn killed(n_kills: usize, db: &str) {
    let folder = super::place();
    let holder = Holder::default();
    let gatekeeper = format!("gatekeeper=holder@{}", holder.serve().await);
    let (listen, calculator) = (free_address(), free_address());
    let solver = format!("solve=calculator@http://{calculator}");
    let arguments = [
        "--listen",
        &listen,
        "--log",
        "error",
        "--resend",
        "1",
        "--db",
        db,
        "--agent",
        "extract=text",
        "--agent",
        &solver,
        "--agent",
        &gatekeeper,
    ];
    let management = async || Ddg::spawn(riddles(folder.path(), &arguments)).await;
    let mut server = management().await;
    let address = server.address;
    let mut solving = agent(folder.path(), "calculator", &calculator, address).await;
    let client = server.client();
    let (mut n_riddles, mut last) = (0, 0);
    for kill in 0..n_kills {
        for _ in 0..2 {
            client.post("/riddles", &calculation(&format!("r{n_riddles}"))).await;
            n_riddles += 1;
        }
        let mut n_left = 2 + kill % 23;
        while n_left > 0 {
            let messages = after(&client, last).await;
            let Some(newest) = messages.last() else {
                tokio::task::yield_now().await;
                continue;
            };
            last = newest["number"].as_i64().unwrap();
            n_left = n_left.saturating_sub(messages.len());
        }
        if kill % 2 == 0 {
            server.kill().await;
            server = management().await;
        } else {
            solving.kill().await;
            solving = agent(folder.path(), "calculator", &calculator, address).await;
        }
        holder.send(&client).await;
    }
    // From now on it answers what comes.
    let (answering, to) = (holder.clone(), client.clone());
    let answering = tokio::spawn(async move {
        loop {
            answering.send(&to).await;
            answering.shared.came.notified().await;
        }
    });
    for n in 0..n_riddles {
        let id = format!("r{n}");
        let riddle = ended(&client, &id).await;
        assert_eq!(riddle["solution"]["solution"], "150", "{riddle}");
        assert_eq!((&riddle["state"], &riddle["trial"]), (&json!("solved"), &json!(0)));
        check(&client.get(&format!("/messages?riddle={id}&limit=1000")).await.ok());
    }
    answering.abort();
    let n_taken = holder.shared.taken.lock().unwrap().len();
    assert!(n_taken >= n_riddles, "{n_taken} answers for {n_riddles} riddles");
}

/// [riddles 4] [riddles 12] [riddles 14]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_no_riddle_and_count_no_answer_twice() {
    let n_kills = if std::env::var_os("DDG_NIGHTLY").is_some() { 50 } else { 4 };
    killed(n_kills, "riddles.sqlite").await;
}

/// [riddles 12] [riddles 14]
#[cfg(all(feature = "clients", feature = "postgres"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_on_postgres_lose_no_riddle() {
    let n_kills = if std::env::var_os("DDG_NIGHTLY").is_some() { 50 } else { 2 };
    let postgres = crate::two_servers::Postgres::start().await;
    killed(n_kills, &postgres.url).await;
}
