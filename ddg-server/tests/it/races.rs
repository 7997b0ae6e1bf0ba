//! Requests for the same thread at the same time.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::fixture::{Client, Local, Turn, Upstream, calls, text};

fn n_rounds() -> usize {
    if std::env::var_os("DDG_NIGHTLY").is_some() { 500 } else { 5 }
}

/// An assistant and a new thread: the id of the first, and the path of the second's runs.
async fn prepared(client: &Client) -> (Value, String) {
    let assistant = client.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok();
    let thread = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    let thread = client.post("/v1/threads", &thread).await.ok();
    (assistant["id"].clone(), format!("/v1/threads/{}/runs", thread["id"].as_str().unwrap()))
}

/// Waits until the run has one of the states.
async fn until(client: &Client, path: &str, states: &[&str]) -> Value {
    loop {
        let run = client.get(path).await.ok();
        if states.contains(&run["status"].as_str().unwrap()) {
            return run;
        }
    }
}

/// [assistants states 2] Of eight runs that are created at once on a thread one is accepted, and the
/// others are refused with its id.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_runs_is_accepted() {
    for _ in 0..n_rounds() {
        let upstream = Upstream::start([Turn::Hang(vec![])]).await;
        let local = Local::on(&upstream).await;
        let client = local.client();
        let (assistant, runs) = prepared(&client).await;
        let body = json!({ "assistant_id": assistant });
        let replies = join_all((0..8).map(|_| client.post(&runs, &body))).await;
        let (accepted, refused): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| reply.status == 200);
        assert_eq!((accepted.len(), refused.len()), (1, 7));
        let run = accepted[0].json()["id"].as_str().unwrap().to_owned();
        for reply in refused {
            let error = reply.error(400, "invalid_request_error");
            assert!(error["message"].as_str().unwrap().contains(&run), "{error}");
        }
        assert_eq!(client.get(&runs).await.ok()["data"].as_array().unwrap().len(), 1);
        upstream.release();
        until(&client, &format!("{runs}/{run}"), &["completed"]).await;
    }
}

/// [assistants run 4.3] Of two submissions at once one is accepted, and the model is asked once more.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_submissions_is_accepted() {
    for _ in 0..n_rounds() {
        let upstream = Upstream::start([calls(&[("call_1", "f", "{}")]), text(&["Done."])]).await;
        let local = Local::on(&upstream).await;
        let client = local.client();
        let (assistant, runs) = prepared(&client).await;
        let function = json!({ "type": "function", "function": { "name": "f" } });
        let body = json!({ "assistant_id": assistant, "tools": [function] });
        let run = client.post(&runs, &body).await.ok()["id"].as_str().unwrap().to_owned();
        let at = format!("{runs}/{run}");
        let run = until(&client, &at, &["requires_action"]).await;
        let call = &run["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"];
        let outputs = json!({ "tool_outputs": [{ "tool_call_id": call, "output": "x" }] });
        let submit = format!("{at}/submit_tool_outputs");
        let both = join_all((0..2).map(|_| client.post(&submit, &outputs))).await;
        let mut statuses: Vec<_> = both.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
        until(&client, &at, &["completed"]).await;
        assert_eq!(upstream.asked().len(), 2);
    }
}

/// [assistants states 1] A cancellation against a completion: the run is one or the other, and its
/// record has one end.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_or_completed() {
    for _ in 0..n_rounds() {
        let upstream = Upstream::start([Turn::Hang(vec!["Hel".into()])]).await;
        let local = Local::on(&upstream).await;
        let client = local.client();
        let (assistant, runs) = prepared(&client).await;
        let body = json!({ "assistant_id": assistant });
        let run = client.post(&runs, &body).await.ok()["id"].as_str().unwrap().to_owned();
        let at = format!("{runs}/{run}");
        upstream.until_asked(1).await;
        upstream.release();
        let reply = client.post(&format!("{at}/cancel"), &json!({})).await;
        let ended = until(&client, &at, &["cancelled", "completed"]).await;
        if reply.status != 200 {
            reply.error(400, "invalid_request_error");
            assert_eq!(ended["status"], "completed");
        }
        let record = client.get(&format!("{at}?stream=true")).await.body;
        let record = String::from_utf8(record.to_vec()).unwrap();
        let ends = ["thread.run.cancelled", "thread.run.completed"];
        let n_ends: usize =
            ends.iter().map(|end| record.matches(&format!("event: {end}\n")).count()).sum();
        assert_eq!(n_ends, 1, "{record}");
        let more = json!({ "role": "user", "content": "More" });
        client.post(&runs.replace("/runs", "/messages"), &more).await.ok();
    }
}
