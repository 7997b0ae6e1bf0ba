//! Limits: sizes of bodies, rates, and slow clients.

use axum::body::Body;
use axum::http::{Method, Request, header};
use ddg_server::{Keys, axum};
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Ddg, Local, form, json_request};

/// [assistants http 12] [assistants http 13] A file that is too large is 413, whether or not its size is announced.
#[tokio::test]
async fn files_that_are_too_large_are_refused() {
    let local = Local::with(|builder| builder.max_file_bytes(1000)).await;
    let client = local.client();
    fn parts(content: &[u8]) -> [(&str, Option<&str>, &[u8]); 2] {
        [("purpose", None, b"assistants"), ("file", Some("a"), content)]
    }
    client.send(form("/v1/files", &parts(&[b'x'; 1000]))).await.ok();
    for size in [1001, 100_000, 1_000_000] {
        let content = vec![b'x'; size];
        for is_announced in [true, false] {
            let mut request = form("/v1/files", &parts(&content));
            if is_announced {
                let length = size + 300;
                request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            }
            let reply = client.send(request).await;
            assert_eq!(reply.error(413, "invalid_request_error")["code"], "request_too_large");
            assert_eq!(reply.header("x-should-retry"), "false");
        }
    }
    assert_eq!(client.get("/v1/files").await.ok()["data"].as_array().unwrap().len(), 1);
}

/// [assistants command line 5] [assistants http 12] A key that sends too much is 429, and another key is not concerned.
#[tokio::test]
async fn a_rate_is_limited_for_each_key() {
    let keys = Keys::parse("sk-one\nsk-two").unwrap();
    let local = Local::with(|builder| builder.keys(keys).rate_limit(3)).await;
    let (one, two) = (local.client().key("sk-one"), local.client().key("sk-two"));
    for _ in 0..3 {
        one.get("/v1/models").await.ok();
    }
    let reply = one.get("/v1/models").await;
    assert_eq!(reply.error(429, "rate_limit_error")["code"], "rate_limit_exceeded");
    assert!(reply.headers.get("x-should-retry").is_none());
    let wait: u64 = reply.header("retry-after-ms").parse().unwrap();
    assert!((1..=20_000).contains(&wait), "{wait}");
    assert_eq!(reply.header("retry-after"), wait.div_ceil(1000).to_string());
    two.get("/v1/models").await.ok();
}

/// [assistants http 13] A body that stops arriving is refused.
#[tokio::test]
async fn a_body_that_pauses_is_refused() {
    let local = Local::start().await;
    tokio::time::pause();
    let head = "--limit\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n";
    let begun = stream::iter([Ok::<_, std::io::Error>(head)]).chain(stream::pending());
    let request = Request::post("/v1/files")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=limit")
        .body(Body::from_stream(begun));
    let reply = local.client().send(request.unwrap()).await;
    assert_eq!(reply.error(408, "invalid_request_error")["code"], "request_timeout");
}

/// [assistants http 13] A connection without a request, and one with half a head, are closed.
#[tokio::test]
async fn idle_connections_and_slow_heads_are_closed() {
    for begun in ["", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new();
        let stop = tokio_util::sync::CancellationToken::new();
        let serving = tokio::spawn(ddg_server::serve(listener, router, stop));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        // With a paused clock the time passes as soon as nothing else happens.
        tokio::time::pause();
        let mut rest = Vec::new();
        // Closed, with or without a reply that says so.
        _ = stream.read_to_end(&mut rest).await;
        tokio::time::resume();
        serving.abort();
    }
}

/// [assistants http 13] A client that is sending a body that is too large sees the refusal.
#[tokio::test]
async fn clients_see_why_their_bodies_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ddg = Ddg::start(&folder, &["--model", "offline"]).await;
    let body = vec![b' '; 40 << 20];
    let reply = ddg.client().send(json_request(Method::POST, "/v1/threads", body)).await;
    assert_eq!(reply.error(413, "invalid_request_error")["code"], "request_too_large");
}

/// [assistants http 14] A large upload arrives whole, through a real connection.
#[tokio::test]
async fn a_large_file_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let ddg = Ddg::start(&folder, &["--model", "offline"]).await;
    let content: Vec<u8> = (0..40 << 20).map(|n: u32| (n % 251) as u8).collect();
    let id = ddg.client().upload("large.bin", "assistants", &content).await;
    let reply = ddg.client().get(&format!("/v1/files/{id}/content")).await;
    assert!(reply.body == content, "{} bytes", reply.body.len());
}
