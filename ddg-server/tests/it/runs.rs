//! Runs and responses through HTTP: events byte by byte, replays, polling, clients that leave.

use axum::body::Body;
use axum::http::{Method, Request};
use ddg_server::axum;
use serde_json::{Value, json};

use crate::fixture::{
    Client, Ddg, Local, Seen, Turn, Upstream, calls, json_request, read_events, text,
};

/// An assistant with a function, and a thread with a message.
async fn prepared(client: &Client) -> (String, String) {
    let function = json!({ "type": "function", "function": { "name": "weather", "parameters": {
        "type": "object", "properties": { "city": { "type": "string" } }
    } } });
    let assistant = json!({ "model": "scripted", "tools": [function] });
    let assistant = client.post("/v1/assistants", &assistant).await.ok();
    let thread = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    let thread = client.post("/v1/threads", &thread).await.ok();
    let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
    (id(&assistant), id(&thread))
}

fn names(events: &[Seen]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

async fn stream(client: &Client, path: &str, body: &Value) -> Vec<Seen> {
    let request = json_request(Method::POST, path, body.to_string());
    read_events(client.open(request).await, |_| false).await
}

async fn replay(client: &Client, path: &str, last_event_id: Option<&str>) -> Vec<Seen> {
    let mut request = Request::get(path);
    if let Some(id) = last_event_id {
        request = request.header("Last-Event-ID", id);
    }
    read_events(client.open(request.body(Body::empty()).unwrap()).await, |_| false).await
}

/// [assistants http 5] [assistants http 6] [assistants http 7] The events of a text have the order of the contract, ids, and `done` without one.
#[tokio::test]
async fn a_text_is_streamed() {
    let upstream = Upstream::start([text(&["Hel", "lo"])]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let (assistant, thread) = prepared(&client).await;
    let body = json!({ "assistant_id": assistant, "stream": true });
    let events = stream(&client, &format!("/v1/threads/{thread}/runs"), &body).await;
    assert_eq!(
        names(&events),
        [
            "thread.run.created",
            "thread.run.queued",
            "thread.run.in_progress",
            "thread.run.step.created",
            "thread.run.step.in_progress",
            "thread.message.created",
            "thread.message.in_progress",
            "thread.message.delta",
            "thread.message.delta",
            "thread.message.completed",
            "thread.run.step.completed",
            "thread.run.completed",
            "done",
        ]
    );
    let (done, logged) = events.split_last().unwrap();
    assert_eq!((done.id, done.data.as_str()), (None, "[DONE]"));
    let numbers: Vec<_> = logged.iter().map(|event| event.id.unwrap()).collect();
    assert!(numbers.windows(2).all(|two| two[0] < two[1]), "{numbers:?}");

    // A replay from the start, and after each event, by the header and by the query.
    let run = logged[0].json()["id"].as_str().unwrap().to_owned();
    let at = format!("/v1/threads/{thread}/runs/{run}?stream=true");
    assert_eq!(replay(&client, &at, None).await, events);
    for (place, event) in logged.iter().enumerate() {
        let id = event.id.unwrap().to_string();
        assert_eq!(replay(&client, &at, Some(&id)).await, events[place + 1..]);
        let by_query = replay(&client, &format!("{at}&starting_after={id}"), Some("0")).await;
        assert_eq!(by_query, events[place + 1..]);
    }
    for wrong in ["x", "-1", "1.5"] {
        let reply = client.get(&format!("{at}&starting_after={wrong}")).await;
        assert_eq!(reply.error(400, "invalid_request_error")["param"], "starting_after");
    }
}

/// [assistants http 6] A replay is the same after a kill of the server.
#[tokio::test]
async fn replays_survive_a_restart() {
    let upstream = Upstream::start([text(&["Hel", "lo"])]).await;
    let folder = tempfile::tempdir().unwrap();
    let ddg = Ddg::on(&upstream, &folder, &[]).await;
    let (assistant, thread) = prepared(&ddg.client()).await;
    let body = json!({ "assistant_id": assistant, "stream": true });
    let events = stream(&ddg.client(), &format!("/v1/threads/{thread}/runs"), &body).await;
    ddg.kill().await;
    let ddg = Ddg::on(&upstream, &folder, &[]).await;
    let run = events[0].json()["id"].as_str().unwrap().to_owned();
    let at = format!("/v1/threads/{thread}/runs/{run}?stream=true");
    assert_eq!(replay(&ddg.client(), &at, None).await, events);
}

/// [assistants http 5] [assistants http 6] [assistants run 4.4] External calls end a stream in `requires_action`; the rest follows the outputs.
#[tokio::test]
async fn calls_of_functions_are_streamed() {
    let script = [calls(&[("call_1", "weather", "{\"city\":\"Oslo\"}")]), text(&["Sunny."])];
    let upstream = Upstream::start(script).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let (assistant, thread) = prepared(&client).await;
    let body = json!({ "assistant_id": assistant, "stream": true });
    let events = stream(&client, &format!("/v1/threads/{thread}/runs"), &body).await;
    let [.., requires_action, done] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (requires_action.name.as_str(), done.name.as_str()),
        ("thread.run.requires_action", "done")
    );
    let run = requires_action.json();
    let call = &run["required_action"]["submit_tool_outputs"]["tool_calls"][0];
    assert_eq!(call["function"], json!({ "name": "weather", "arguments": "{\"city\":\"Oslo\"}" }));

    let run = run["id"].as_str().unwrap();
    let at = format!("/v1/threads/{thread}/runs/{run}");
    let output = json!({ "tool_call_id": call["id"], "output": "sunny" });
    let outputs = json!({ "tool_outputs": [output], "stream": true });
    let rest = stream(&client, &format!("{at}/submit_tool_outputs"), &outputs).await;
    assert_eq!(
        names(&rest)[..3],
        ["thread.run.step.completed", "thread.run.queued", "thread.run.in_progress"]
    );
    assert_eq!(names(&rest)[rest.len() - 2..], ["thread.run.completed", "done"]);
    let whole = replay(&client, &format!("{at}?stream=true"), None).await;
    assert_eq!(whole, [&events[..events.len() - 1], &rest].concat());
    client
        .post(&format!("{at}/submit_tool_outputs"), &outputs)
        .await
        .error(400, "invalid_request_error");
}

/// [assistants http 11] A run that is not over says when to poll again.
#[tokio::test]
async fn polling_is_paced() {
    let upstream = Upstream::start([Turn::Hang(vec!["Hel".into()])]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let (assistant, thread) = prepared(&client).await;
    let runs = format!("/v1/threads/{thread}/runs");
    let run = client.post(&runs, &json!({ "assistant_id": assistant })).await.ok();
    let at = format!("{runs}/{}", run["id"].as_str().unwrap());
    upstream.until_asked(1).await;
    assert_eq!(client.get(&at).await.header("openai-poll-after-ms"), "250");
    // Read to its end, which is the end of the run.
    let live = tokio::spawn({
        let (client, at) = (client.clone(), format!("{at}?stream=true"));
        async move { replay(&client, &at, None).await }
    });
    upstream.release();
    let events = live.await.unwrap();
    assert_eq!(names(&events)[events.len() - 2..], ["thread.run.completed", "done"]);
    let reply = client.get(&at).await;
    assert_eq!(reply.ok()["status"], "completed");
    assert!(reply.headers.get("openai-poll-after-ms").is_none());
}

/// [assistants http 9] A client that leaves its stream does not stop the run.
#[tokio::test]
async fn a_client_that_leaves_does_not_stop_the_run() {
    let upstream = Upstream::start([Turn::Hang(vec!["Hel".into()])]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let (assistant, thread) = prepared(&client).await;
    let runs = format!("/v1/threads/{thread}/runs");
    let body = json!({ "assistant_id": assistant, "stream": true }).to_string();
    let reply = client.open(json_request(Method::POST, &runs, body)).await;
    let seen = read_events(reply, |event| event.name == "thread.message.delta").await;
    // The reply is dropped here, in the middle of the message.
    let run = seen[0].json()["id"].as_str().unwrap().to_owned();
    upstream.release();
    let events = replay(&client, &format!("{runs}/{run}?stream=true"), None).await;
    assert_eq!(names(&events)[events.len() - 2..], ["thread.run.completed", "done"]);
    assert_eq!(events[..seen.len()], seen);
}

/// [assistants http 7] [assistants states 7] A run that fails ends with `thread.run.failed`, `error` in both shapes, and `done`.
#[tokio::test]
async fn a_failure_is_streamed() {
    let upstream = Upstream::start([Turn::Fail(400, "too long".into())]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let (assistant, thread) = prepared(&client).await;
    let body = json!({ "assistant_id": assistant, "stream": true });
    let events = stream(&client, &format!("/v1/threads/{thread}/runs"), &body).await;
    let [.., failed, error, done] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!([&*failed.name, &*error.name, &*done.name], ["thread.run.failed", "error", "done"]);
    assert_eq!(failed.json()["last_error"]["code"], "invalid_prompt");
    let error = error.json();
    assert!(error["message"].as_str().unwrap().contains("too long"), "{error}");
    assert_eq!(error["message"], error["error"]["message"]);
    assert_eq!(error["code"], error["error"]["code"]);
}

/// [assistants states 6] [assistants states 7] A text that is cut by its length is incomplete; a connection that is cut fails
/// the run. Both end their streams as planned.
#[tokio::test]
async fn replies_that_are_cut_end_their_runs() {
    for (turn, last, status) in [
        (Turn::Finish(vec!["Hel".into()], "length".into()), "thread.run.incomplete", "incomplete"),
        (Turn::Cut(vec!["Hel".into()]), "error", "failed"),
    ] {
        let upstream = Upstream::start([turn]).await;
        let local = Local::on(&upstream).await;
        let client = local.client();
        let (assistant, thread) = prepared(&client).await;
        let body = json!({ "assistant_id": assistant, "stream": true });
        let events = stream(&client, &format!("/v1/threads/{thread}/runs"), &body).await;
        assert_eq!(names(&events)[events.len() - 2..], [last, "done"]);
        let run = events[0].json()["id"].as_str().unwrap().to_owned();
        let run = client.get(&format!("/v1/threads/{thread}/runs/{run}")).await.ok();
        assert_eq!(run["status"], status);
        let messages = client.get(&format!("/v1/threads/{thread}/messages")).await.ok();
        // The first piece may be lost with the connection, and with it the message.
        for message in messages["data"].as_array().unwrap() {
            let is_answer = message["role"] == "assistant";
            assert_eq!(message["status"], if is_answer { "incomplete" } else { "completed" });
        }
    }
}

/// [assistants responses 8] Events of a response have a gapless number and no id.
#[tokio::test]
async fn a_response_is_streamed() {
    let upstream = Upstream::start([text(&["Hel", "lo"])]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let body = json!({ "model": "scripted", "input": "Hello", "stream": true });
    let events = stream(&client, "/v1/responses", &body).await;
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event.id, None);
        let data = event.json();
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(event.name), &json!(number)));
    }
    let last = events.last().unwrap();
    assert_eq!(last.name, "response.completed");
    let response = last.json()["response"].clone();
    let at = format!("/v1/responses/{}", response["id"].as_str().unwrap());
    assert_eq!(client.get(&at).await.ok(), response);
    let rest = replay(&client, &format!("{at}?stream=true&starting_after=3"), None).await;
    assert_eq!(rest, events[4..]);
}

/// [assistants command line 4] `--model offline` needs no network, whichever model a request names.
#[tokio::test]
async fn an_offline_server_answers_for_every_model() {
    let local = Local::start().await;
    let body = json!({ "model": "gpt-4o", "input": "Hello" });
    let response = local.client().post("/v1/responses", &body).await.ok();
    assert_eq!(response["status"], "completed", "{response}");
}

/// [assistants responses 11] `store: false` keeps nothing once the response has ended.
#[tokio::test]
async fn a_response_that_is_not_stored_is_gone() {
    let upstream = Upstream::start([text(&["Hello"])]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let body = json!({ "model": "scripted", "input": "Hello", "store": false });
    let response = client.post("/v1/responses", &body).await.ok();
    assert_eq!(response["output"][0]["content"][0]["text"], "Hello");
    let next = json!({ "model": "scripted", "input": "x", "previous_response_id": response["id"] });
    client.post("/v1/responses", &next).await.error(404, "not_found_error");
}

/// [assistants http 2] `include[]` of steps is accepted.
#[tokio::test]
async fn steps_may_be_asked_for_what_they_include() {
    let upstream = Upstream::start([text(&["Hello"])]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let (assistant, thread) = prepared(&client).await;
    let body = json!({ "assistant_id": assistant, "stream": true });
    let events = stream(&client, &format!("/v1/threads/{thread}/runs"), &body).await;
    let run = events[0].json()["id"].as_str().unwrap().to_owned();
    let include = "include[]=step_details.tool_calls[*].file_search.results[*].content";
    let steps = format!("/v1/threads/{thread}/runs/{run}/steps");
    let page = client.get(&format!("{steps}?{}", include.replace('[', "%5B"))).await.ok();
    let step = page["data"][0]["id"].as_str().unwrap();
    let step = client.get(&format!("{steps}/{step}?{}", include.replace('[', "%5B"))).await.ok();
    assert_eq!(step, page["data"][0]);
}

/// [assistants responses 6] A failure without a stream is a 200 whose status is `failed`.
#[tokio::test]
async fn a_response_that_fails_is_a_reply() {
    let upstream = Upstream::start([Turn::Fail(500, "down".into())]).await;
    let local = Local::on(&upstream).await;
    let body = json!({ "model": "scripted", "input": "Hello" });
    let response = local.client().post("/v1/responses", &body).await.ok();
    assert_eq!(response["status"], "failed");
    assert!(response["error"]["message"].as_str().unwrap().contains("down"), "{response}");
}
