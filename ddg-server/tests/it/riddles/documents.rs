//! Documents that are uploaded, and the documentation that is served.

use axum::body::Body;
use axum::http::Request;
use ddg_server::axum;
use serde_json::json;

use super::{ended, management, place, riddles};
use crate::fixture::{Client, Ddg, Reply};

async fn upload(client: &Client, name: &str, content: impl Into<Body>) -> Reply {
    let request = Request::post(format!("/files?name={name}"));
    client.send(request.body(content.into()).unwrap()).await
}

/// [riddles 16]
#[tokio::test]
async fn a_riddle_has_documents_that_were_uploaded() {
    let folder = place();
    let agents = ["extract=text", "solve=calculator", "gatekeeper=checker"];
    let server = management(folder.path(), &agents, &[]).await;
    let client = server.client();
    let mut data = Vec::new();
    for text in ["a = 6", "b = 7"] {
        let reply = upload(&client, "number%20%C3%BC.txt", text).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        data.push(reply.json());
    }
    assert_ne!(data[0]["file_plain"], data[1]["file_plain"], "nothing is replaced");
    assert!(data[0]["file_plain"].as_str().unwrap().ends_with("/number ü.txt"));
    client
        .post("/riddles", &json!({ "id": "a", "riddle": { "question": "a * b" }, "data": data }))
        .await;
    assert_eq!(ended(&client, "a").await["solution"]["solution"], "42");

    for name in ["", "..%2Fx", "a%2Fb", ".hidden", "%2Fetc%2Fpasswd", "a%00b"] {
        let error = upload(&client, name, "").await.error(400, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains("is no name of a file"), "{error}");
    }
    let large = upload(&client, "large", vec![0; 32 * 1024 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    let just = upload(&client, "just.wav", vec![0; 32 * 1024 * 1024]).await;
    assert_eq!((just.status.as_u16(), &just.json()["type"]), (201, &json!("audio")));
}

/// [riddles 13] [riddles 16]
#[tokio::test]
async fn an_upload_needs_the_secret() {
    let folder = place();
    let agents = ["--listen", "127.0.0.1:0", "--log", "error", "--agent", "solve=calculator"];
    let mut command = riddles(folder.path(), &agents);
    command.env("DDG_RIDDLES_SECRET", "s3cret");
    let server = Ddg::spawn(command).await;
    let client = server.client();
    upload(&client, "x", "1").await.error(401, "authentication_error");
    assert_eq!(upload(&client.key("s3cret"), "x", "1").await.status, 201);
    assert_eq!(std::fs::read_dir(folder.path().join("shared/uploads")).unwrap().count(), 1);
}

/// [riddles 16]
#[tokio::test]
async fn the_documentation_is_served_without_a_network() {
    let folder = place();
    let server = management(folder.path(), &["solve=calculator"], &[]).await;
    let client = server.client();
    let table = String::from_utf8(client.get("/").await.body.to_vec()).unwrap();
    assert!(table.contains("href=\"docs\""));
    for (path, holds) in [
        ("/docs", "<code>before_response</code>"),
        ("/docs/agents", "ddg riddles new my-agent --python"),
    ] {
        let page = client.get(path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(text.contains(holds), "{path}");
        // Every link and source is of this server.
        for part in ["href=\"", "src=\""] {
            for link in text.split(part).skip(1) {
                let link = link.split('"').next().unwrap();
                let is_here = link.starts_with(['/', '#']) || link == "data:,";
                assert!(is_here || link.starts_with("http://127.0.0.1"), "{path}: {link}");
                let (place, anchor) = link.split_once('#').unwrap_or((link, ""));
                if place.starts_with("/docs") {
                    let other = client.get(place).await;
                    let other = String::from_utf8(other.body.to_vec()).unwrap();
                    assert!(anchor.is_empty() || other.contains(&format!("id=\"{anchor}\"")));
                }
            }
        }
    }
    client.get("/docs/none").await.error(404, "not_found_error");
}
