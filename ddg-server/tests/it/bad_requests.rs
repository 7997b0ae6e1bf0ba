//! Requests that cannot be served: every failure has one form.

use axum::body::Body;
use axum::http::{Method, Request, header};
use ddg_server::axum;

use crate::fixture::{Local, json_request};

/// [assistants http 12] An unknown path is 404, with or without the prefix.
#[tokio::test]
async fn unknown_paths_are_not_found() {
    let local = Local::start().await;
    for path in ["/", "/v1", "/v1/", "/v1/nonsense", "/nonsense", "/v2/files", "/v1/files/a/b/c"] {
        let error = local.client().get(path).await.error(404, "not_found_error");
        assert_eq!(error["code"], "unknown_url", "{path}");
        assert!(error["message"].as_str().unwrap().contains("GET"), "{error}");
    }
}

/// [assistants http 12] A method that a path does not have is an error with the same body.
#[tokio::test]
async fn unknown_methods_are_refused() {
    let local = Local::start().await;
    for (method, path) in [
        (Method::PUT, "/v1/files"),
        (Method::PATCH, "/v1/files/file-1"),
        (Method::DELETE, "/healthz"),
        (Method::POST, "/v1/models"),
    ] {
        let reply = local.client().send(json_request(method.clone(), path, "{}")).await;
        let error = reply.error(405, "invalid_request_error");
        assert_eq!(error["code"], "method_not_allowed");
        assert!(!reply.headers[header::ALLOW].is_empty());
        assert!(error["message"].as_str().unwrap().contains(method.as_str()), "{error}");
    }
}

/// [assistants http 15] Each reply has an id of its own, also a failure.
#[tokio::test]
async fn each_reply_has_a_request_id() {
    let local = Local::start().await;
    let mut ids = Vec::new();
    for path in ["/healthz", "/v1/files", "/nonsense"] {
        let reply = local.client().get(path).await;
        ids.push(reply.header("x-request-id").to_owned());
        assert!(reply.header("openai-processing-ms").parse::<u64>().is_ok());
    }
    ids.dedup();
    assert!(ids.len() == 3 && ids.iter().all(|id| id.starts_with("req_")), "{ids:?}");
}

/// [assistants http 12] [assistants http 14] An upload that is no form, or lacks a part, is 400 and names the part.
#[tokio::test]
async fn wrong_uploads_are_refused() {
    use crate::fixture::form;
    let local = Local::start().await;
    let client = local.client();
    let no_form = json_request(Method::POST, "/v1/files", "{}");
    let error = client.send(no_form).await.error(400, "invalid_request_error");
    assert_eq!(error["code"], "unsupported_content_type");

    let file = ("file", Some("a.txt"), b"a".as_slice());
    let purpose = ("purpose", None, b"assistants".as_slice());
    type Parts<'a> = Vec<(&'a str, Option<&'a str>, &'a [u8])>;
    let cases: [(Parts<'_>, &str); 7] = [
        (vec![], "file"),
        (vec![purpose], "file"),
        (vec![file], "purpose"),
        (vec![file, purpose, file], "file"),
        (vec![file, purpose, purpose], "purpose"),
        (vec![file, ("purpose", None, b"fine-tune")], "purpose"),
        (
            vec![file, purpose, ("expires_after[anchor]", None, b"created_at")],
            "expires_after[anchor]",
        ),
    ];
    for (parts, param) in cases {
        let reply = client.send(form("/v1/files", &parts)).await;
        let error = reply.error(400, "invalid_request_error");
        assert_eq!(error["param"], param, "{error}");
    }
    let cut = Request::post("/v1/files")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=limit")
        .body(Body::from("--limit\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf"));
    client.send(cut.unwrap()).await.error(400, "invalid_request_error");
    assert_eq!(client.get("/v1/files").await.ok()["data"].as_array().unwrap().len(), 0);
}

/// [assistants http 2] [assistants http 12] Values of a query are checked, and the error names the parameter.
#[tokio::test]
async fn wrong_pages_are_refused() {
    let local = Local::start().await;
    for (query, param) in [
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("order=up", "order"),
        ("after=file-unknown", "after"),
        ("before=file-unknown", "before"),
    ] {
        let reply = local.client().get(&format!("/v1/files?{query}")).await;
        assert_eq!(reply.error(400, "invalid_request_error")["param"], param, "{query}");
    }
}
