//! The API of the management, and what it refuses.

use axum::http::Method;
use ddg_server::axum;
use serde_json::json;

use super::{calculation, ended, free_address, management, place, riddles};
use crate::fixture::{Ddg, json_request};

const CALCULATOR: [&str; 3] = ["extract=text", "solve=calculator", "gatekeeper=checker"];

/// [riddles 14]
#[tokio::test]
async fn messages_are_read_by_riddle_and_number() {
    let folder = place();
    let server = management(folder.path(), &CALCULATOR, &[]).await;
    let client = server.client();
    client.post("/riddles", &calculation("a")).await;
    client.post("/riddles", &json!({ "riddle": { "question": "6 * 7 =" }, "id": "b" })).await;
    ended(&client, "a").await;
    ended(&client, "b").await;

    let of_b = client.get("/messages?riddle=b").await.ok();
    let stages: Vec<_> = of_b["data"].as_array().unwrap().iter().map(|m| &m["stage"]).collect();
    assert_eq!(stages, ["posed", "solve", "solve", "gatekeeper", "gatekeeper", "ended"]);
    let first = &of_b["data"][0];
    let number = first["number"].as_i64().unwrap();
    assert_eq!(client.get(&format!("/messages/{number}")).await.ok(), *first);
    let after = client.get(&format!("/messages?riddle=b&after={number}&limit=2")).await.ok();
    assert_eq!(after["data"].as_array().unwrap().len(), 2);

    client.get("/messages/999999").await.error(404, "not_found_error");
    client.get("/riddles/none").await.error(404, "not_found_error");
    client.get("/nowhere").await.error(404, "not_found_error");
    let limit = client.get("/messages?limit=0").await.error(400, "invalid_request_error");
    assert_eq!(limit["message"], "`limit` is `0`; write a number from 1 to 1000.");
}

/// [riddles 14] [riddles 2]
#[tokio::test]
async fn bad_requests_are_refused_in_words() {
    let folder = place();
    let server = management(folder.path(), &CALCULATOR, &[]).await;
    let client = server.client();
    let refused = [
        (
            json!({ "data": [{ "type": "text", "file_plain": "../x" }] }),
            "leads out of the shared folder",
        ),
        (json!({ "data": [{ "type": "text", "file_plain": "none.txt" }] }), "file `none.txt`"),
        (
            json!({ "data": [{ "type": "smell", "file_plain": "x.txt" }] }),
            "unknown variant `smell`",
        ),
        (json!({ "id": "../a" }), "`../a` is no id of a riddle"),
    ];
    for (body, message) in refused {
        let error = client.post("/riddles", &body).await.error(400, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    client
        .send(json_request(Method::POST, "/riddles", "{"))
        .await
        .error(400, "invalid_request_error");
    let answer = json!({ "number": 77, "agent": "calculator" });
    client.post("/message", &answer).await.error(404, "not_found_error");
    let parent = json!({ "parent": "none", "riddle": { "question": "?" } });
    client.post("/riddles", &parent).await.error(404, "not_found_error");
}

/// [riddles 13]
#[tokio::test]
async fn a_secret_keeps_others_out() {
    let folder = place();
    let mut command = riddles(
        folder.path(),
        &["--listen", "127.0.0.1:0", "--log", "error", "--agent", "solve=calculator"],
    );
    command.env("DDG_RIDDLES_SECRET", "s3cret");
    let server = Ddg::spawn(command).await;
    let client = server.client();
    for path in ["/riddles", "/messages", "/messages/1", "/riddles/a", "/riddles/a/events"] {
        client.get(path).await.error(401, "authentication_error");
        client.key("wrong").get(path).await.error(401, "authentication_error");
    }
    client.post("/message", &json!({})).await.error(401, "authentication_error");
    client.key("s3cret").get("/riddles").await.ok();
    // The page has nothing in it that is secret; it asks for the secret.
    let page = client.get("/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}

/// [riddles 13] [riddles 14]
#[tokio::test]
async fn a_repeated_answer_is_taken_once() {
    let folder = place();
    let address = free_address();
    let agents = [&*format!("solve=solver@http://{address}")];
    let server = management(folder.path(), &agents, &[]).await;
    let client = server.client();
    client.post("/riddles", &json!({ "id": "a", "riddle": { "question": "?" } })).await;
    // The message is in the log before it is sent.
    let sent = loop {
        let log = client.get("/messages?riddle=a").await.ok();
        if let Some(sent) = log["data"].as_array().unwrap().iter().find(|m| m["to"] == "solver") {
            break sent.clone();
        }
        tokio::task::yield_now().await;
    };
    let mut answer = sent["message"].clone();
    answer["number"] = sent["number"].clone();
    answer["agent"] = json!("solver");
    answer["solution"] = json!([{ "solution": "42", "explanation": "" }]);
    assert_eq!(client.post("/message", &answer).await.ok(), json!({ "receipt": "taken" }));
    let riddle = ended(&client, "a").await;
    assert_eq!(riddle["reason"], "unreviewed: no gatekeeper has answered");
    assert_eq!(client.post("/message", &answer).await.ok(), json!({ "receipt": "repeated" }));
}
