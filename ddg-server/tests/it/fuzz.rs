//! Requests to all endpoints with values that are wrong, huge, deep, or belong to somebody else.
//!
//! No reply is ever a 500, or has a byte of another tenant. With `DDG_NIGHTLY` there are many more
//! requests.

use axum::http::Method;
use ddg_server::axum;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::fixture::{Client, Local, Upstream, json_request};

const SECRET: &str = "the-secret-of-another-tenant";

/// Paths of all endpoints, with `{}` for an id.
const PATHS: &[&str] = &[
    "/v1/assistants",
    "/v1/assistants/{}",
    "/v1/threads",
    "/v1/threads/{}",
    "/v1/threads/runs",
    "/v1/threads/{}/messages",
    "/v1/threads/{}/messages/{}",
    "/v1/threads/{}/runs",
    "/v1/threads/{}/runs/{}",
    "/v1/threads/{}/runs/{}/cancel",
    "/v1/threads/{}/runs/{}/submit_tool_outputs",
    "/v1/threads/{}/runs/{}/steps",
    "/v1/threads/{}/runs/{}/steps/{}",
    "/v1/responses",
    "/v1/responses/{}",
    "/v1/responses/{}/cancel",
    "/v1/responses/{}/input_items",
    "/v1/conversations",
    "/v1/conversations/{}",
    "/v1/conversations/{}/items",
    "/v1/conversations/{}/items/{}",
    "/v1/files",
    "/v1/files/{}",
    "/v1/files/{}/content",
    "/v1/models/{}",
];

/// Names of fields that some endpoint reads.
const FIELDS: &str = "model name instructions additional_instructions tools metadata temperature \
    top_p response_format tool_resources reasoning_effort extra_body messages thread_id \
    end_message_id role content attachments file_ids assistant_id thread additional_messages \
    tool_choice parallel_tool_calls max_prompt_tokens max_completion_tokens truncation_strategy \
    stream_options stream tool_outputs input previous_response_id conversation store background \
    text reasoning max_output_tokens items type id call_id output function parameters image_url \
    image_file file_id url detail tool_call_id last_messages memory";

const QUERIES: &[&str] = &[
    "",
    "?stream=true",
    "?stream=maybe",
    "?limit=0",
    "?limit=1",
    "?limit=101",
    "?order=asc",
    "?order=x",
    "?after={}",
    "?before={}",
    "?after={}&before={}",
    "?starting_after=1&stream=true",
    "?starting_after=-1&stream=true",
    "?starting_after=18446744073709551615&stream=true",
    "?run_id={}",
    "?include[]=x",
    "?%ff=%00",
    "?limit=%E2%80%AE",
];

const WORDS: &str = "user assistant system function auto required none json_schema message \
    function_call function_call_output scripted image_file last_messages window naive";

fn words(words: &'static str) -> impl Strategy<Value = String> {
    let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
    prop::sample::select(words)
}

/// A text: an id, a word of the API, other scripts, control characters, or a long text.
fn text(ids: Vec<String>) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(ids),
        2 => words(WORDS),
        1 => any::<Vec<char>>().prop_map(|chars| chars.into_iter().collect()),
        1 => Just("x".repeat(100_000)),
        1 => Just("\0\u{202e}\u{feff}'\";--%$1".to_owned()),
    ]
}

fn value(ids: Vec<String>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => (0..3_i64).prop_map(Value::from),
        4 => text(ids).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        prop_oneof![list, fields(inner)]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let pairs = prop::collection::vec((words(FIELDS), value), 0..6);
    pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
}

/// A body: any fields, a right one, or a right one with a changed field.
fn body(ids: &[String]) -> impl Strategy<Value = Value> + use<> {
    let message = json!({ "role": "user", "content": "Hello" });
    let function = json!({ "type": "function", "function": { "name": "f" } });
    let parts = json!([{ "type": "input_text", "text": "Hello" }]);
    let right = vec![
        json!({ "model": "scripted", "tools": [function] }),
        json!({ "messages": [message] }),
        message.clone(),
        json!({ "assistant_id": ids[0] }),
        json!({ "assistant_id": ids[0], "thread": { "messages": [message] }, "stream": true }),
        json!({ "tool_outputs": [{ "tool_call_id": "call_1", "output": "x" }] }),
        json!({ "model": "scripted", "input": "Hello" }),
        json!({ "model": "scripted", "input": [{ "role": "user", "content": parts }] }),
        json!({ "items": [message] }),
        json!({ "metadata": { "a": "b" } }),
    ];
    let right = prop::sample::select(right);
    let changed =
        (right.clone(), words(FIELDS), value(ids.to_vec())).prop_map(|(mut body, name, value)| {
            body[name] = value;
            body
        });
    prop_oneof![2 => right, 2 => changed, 1 => fields(value(ids.to_vec()))]
}

#[derive(Debug)]
struct Fuzzed {
    method: Method,
    path: String,
    body: Value,
}

fn requests(ids: &[String]) -> impl Strategy<Value = Fuzzed> + use<> {
    let methods = vec![Method::GET, Method::POST, Method::POST, Method::DELETE, Method::PUT];
    let places = prop::collection::vec(prop::sample::select(ids.to_vec()), 3);
    let path = (prop::sample::select(PATHS), prop::sample::select(QUERIES), places);
    let parts = (prop::sample::select(methods), path, body(ids));
    parts.prop_map(|(method, (path, query, ids), body)| {
        let mut path = format!("{path}{query}");
        for id in ids.iter().chain(&ids) {
            path = path.replacen("{}", id, 1);
        }
        Fuzzed { method, path, body }
    })
}

/// Objects of a client, whose texts are `text`: their ids.
async fn objects(client: &Client, text: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let message = json!({ "role": "user", "content": text });
    for (path, body) in [
        ("/v1/assistants", json!({ "model": "scripted", "instructions": text })),
        ("/v1/threads", json!({ "messages": [message] })),
        ("/v1/conversations", json!({ "items": [message] })),
        ("/v1/responses", json!({ "model": "scripted", "input": text })),
    ] {
        ids.push(client.post(path, &body).await.ok()["id"].as_str().unwrap().to_owned());
    }
    let thread = format!("/v1/threads/{}", ids[1]);
    let messages = client.get(&format!("{thread}/messages")).await.ok();
    ids.push(messages["data"][0]["id"].as_str().unwrap().to_owned());
    let run = client.post(&format!("{thread}/runs"), &json!({ "assistant_id": ids[0] })).await;
    ids.push(run.ok()["id"].as_str().unwrap().to_owned());
    ids.push(client.upload("a.txt", "assistants", text.as_bytes()).await);
    ids
}

/// [assistants http 12] [assistants keys 2] Whatever is sent, the server answers with what the
/// client has done wrong, and shows and changes nothing of another tenant.
#[tokio::test]
async fn no_request_breaks_the_server_or_reaches_other_tenants() {
    let n_requests = if std::env::var_os("DDG_NIGHTLY").is_some() { 50_000 } else { 400 };
    let upstream = Upstream::start([]).await;
    let local = Local::for_two(&upstream).await;
    let (one, two) = (local.client().key("sk-one"), local.client().key("sk-two"));
    let others = objects(&one, SECRET).await;
    let wrong = ["none", "..", "%00", "a%2Fb", "%ff", "%E2%80%AE"].map(str::to_owned);
    let ids = [objects(&two, "own").await, others.clone(), wrong.to_vec()].concat();
    let strategy = requests(&ids);
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..n_requests {
        let fuzzed = strategy.new_tree(&mut runner).unwrap().current();
        let request = json_request(fuzzed.method.clone(), &fuzzed.path, fuzzed.body.to_string());
        let reply = two.send(request).await;
        let status = reply.status.as_u16();
        assert!(matches!(status, 200 | 400 | 404 | 405), "{fuzzed:?}: {reply:?}");
        assert!(!String::from_utf8_lossy(&reply.body).contains(SECRET), "{fuzzed:?}: {reply:?}");
        if status != 200 {
            let error = &reply.json()["error"];
            assert!(error["message"].is_string() && error["type"].is_string(), "{fuzzed:?}");
        }
    }
    let kept = one.get(&format!("/v1/assistants/{}", others[0])).await.ok();
    assert_eq!(kept["instructions"], SECRET);
    assert_eq!(one.get(&format!("/v1/files/{}/content", others[6])).await.body, SECRET);
}
