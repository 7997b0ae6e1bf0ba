//! JSON bodies that cannot be read.

use axum::body::Body;
use axum::http::{Method, Request, header};
use ddg_server::axum;
use futures::{StreamExt, stream};
use serde_json::json;

use crate::fixture::{Local, json_request};

/// [assistants http 12] A body that is no JSON object is 400, never 422, with the form of all errors.
#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let local = Local::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!("{{\"metadata\":{deep}}}");
    for body in ["{", "[]", "1", "null", "\"a\"", "{\"a\":}", "\u{feff}{}", &deep, &deep_field] {
        for path in ["/v1/assistants", "/v1/threads", "/v1/responses", "/v1/conversations"] {
            let request = json_request(Method::POST, path, body.to_owned());
            let reply = local.client().send(request).await;
            reply.error(400, "invalid_request_error");
            assert_eq!(reply.header("x-should-retry"), "false");
        }
    }
    let invalid = Body::from(vec![b'{', 0xff, b'}']);
    let reply = local.client().send(json_request(Method::POST, "/v1/threads", invalid)).await;
    reply.error(400, "invalid_request_error");
}

/// [assistants http 12] A body of another type is 400 and says which type to send.
#[tokio::test]
async fn bodies_of_another_type_are_refused() {
    let local = Local::start().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = Request::post("/v1/threads").header(header::CONTENT_TYPE, kind);
        let reply = local.client().send(request.body("{}".into()).unwrap()).await;
        let error = reply.error(400, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains("application/json"), "{error}");
    }
    local
        .client()
        .send(Request::post("/v1/threads").body("{}".into()).unwrap())
        .await
        .error(400, "invalid_request_error");
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/a+json"] {
        let request = Request::post("/v1/threads").header(header::CONTENT_TYPE, kind);
        local.client().send(request.body("{}".into()).unwrap()).await.ok();
    }
    // The official client sends no body where it has no parameters.
    local.client().send(Request::post("/v1/threads").body(Body::empty()).unwrap()).await.ok();
}

/// [assistants http 12] [assistants http 13] A body of more than 32 MiB is 413, whether or not its size is announced.
#[tokio::test]
async fn bodies_that_are_too_large_are_refused() {
    let local = Local::start().await;
    let piece = axum::body::Bytes::from(vec![b' '; 1 << 20]);
    for is_announced in [true, false] {
        let pieces = stream::repeat(piece.clone()).take(33).map(Ok::<_, std::convert::Infallible>);
        let mut request = json_request(Method::POST, "/v1/threads", Body::from_stream(pieces));
        if is_announced {
            request.headers_mut().insert(header::CONTENT_LENGTH, (33 << 20).into());
        }
        let reply = local.client().send(request).await;
        assert_eq!(reply.error(413, "invalid_request_error")["code"], "request_too_large");
    }
    let small = Local::with(|builder| builder.max_body_bytes(20)).await;
    small
        .client()
        .post("/v1/threads", &json!({ "metadata": { "a": "b" } }))
        .await
        .error(413, "invalid_request_error");
}

/// [assistants http 12] A wrong field is 400 and is named.
#[tokio::test]
async fn wrong_fields_are_named() {
    let local = Local::start().await;
    for (path, body, param) in [
        ("/v1/assistants", json!({}), "model"),
        ("/v1/assistants", json!({ "model": "a", "temperature": 2.5 }), "temperature"),
        ("/v1/assistants", json!({ "model": "a", "colour": 1 }), "colour"),
        ("/v1/threads", json!({ "messages": [{ "role": "user" }] }), "messages[0].content"),
        ("/v1/threads/runs", json!({}), "assistant_id"),
        ("/v1/conversations", json!({ "metadata": [] }), "metadata"),
        ("/v1/responses", json!({ "model": "a", "input": 1 }), "input"),
    ] {
        let error = local.client().post(path, &body).await.error(400, "invalid_request_error");
        assert_eq!(error["param"], param, "{error}");
    }
}
