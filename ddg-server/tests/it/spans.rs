//! Spans that are exported to a collector of OpenTelemetry.

use axum::body::Bytes;
use axum::routing::post;
use ddg_server::axum;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::fixture::{Ddg, command};

/// [assistants http 15] The spans of a request and of its run are exported, at the latest when
/// the server ends.
#[tokio::test]
async fn spans_are_exported() {
    let (sender, mut exported) = mpsc::unbounded_channel();
    let collect = move |body: Bytes| async move { sender.send(body).unwrap() };
    let collector = axum::Router::new().route("/v1/traces", post(collect));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, collector).into_future());

    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--model", "offline"];
    let mut command = command(folder.path(), &arguments);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    let ddg = Ddg::spawn(command).await;
    let body = json!({ "model": "offline", "input": "my secret" });
    ddg.client().post("/v1/responses", &body).await.ok();
    ddg.signal("TERM").await;
    let (status, _) = ddg.end().await;
    assert_eq!(status.code(), Some(0));
    serving.abort();

    let mut spans = Vec::new();
    while let Ok(body) = exported.try_recv() {
        spans.extend_from_slice(&body);
    }
    let spans = String::from_utf8_lossy(&spans);
    for part in ["ddg", "POST /v1/responses", "run ", "step", "worker "] {
        assert!(spans.contains(part), "{part}: {spans}");
    }
    assert!(!spans.contains("my secret"), "{spans}");
}
