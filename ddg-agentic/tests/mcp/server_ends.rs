//! Servers that do not start, do not greet, refuse, fail or end: the errors name them, quote the
//! last lines of their stderr, and contain no secret.

use std::time::Duration;

use ddg_agentic::mcp::{McpClient, McpEndpoint, McpError};
use expect_test::{Expect, expect};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::call::{call, named};
use super::reference::{python, script};

fn check(result: Result<McpClient, McpError>, expect: &Expect) {
    expect.assert_eq(&result.unwrap_err().to_string());
}

#[tokio::test]
async fn a_program_that_is_not_there() {
    let server = McpEndpoint::stdio("no-such-program", ["--really"]);
    check(
        server.connect().await,
        &expect![
            "MCP server `no-such-program`: `no-such-program` does not start (No such file or directory (os error 2)): is it installed?"
        ],
    );
}

#[tokio::test]
async fn a_program_that_is_not_a_server() {
    let server =
        McpEndpoint::stdio("sh", ["-c", "echo 'no license found' >&2; exit 3"]).name("acme");
    check(
        server.connect().await,
        &expect![[r#"
        MCP server `acme` cannot be connected to: it ended before the handshake was complete; its last output on stderr:
        no license found"#]],
    );
}

#[tokio::test]
async fn a_program_that_says_nothing() {
    let server = McpEndpoint::stdio("sh", ["-c", "echo loading >&2; cat"]);
    let server = server.connect_timeout(Duration::from_millis(300));
    check(
        server.connect().await,
        &expect![[r#"
        MCP server `sh` cannot be connected to: it did not complete the handshake within 300ms; its last output on stderr:
        loading"#]],
    );
}

#[tokio::test]
async fn an_address_without_a_server() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    let server = McpEndpoint::http(format!("HTTP://{address}?key=secret-key"));
    let server = server.name("acme").bearer("secret-token").header("x-key", "secret-too");
    let shown = format!("{server:?}");
    assert!(!shown.contains("secret"), "{shown}");
    let error = server.connect().await.unwrap_err().to_string();
    expect!["MCP server `acme` cannot be connected to: Client error: error sending request for url (http://ADDRESS/?…): client error (Connect): tcp connect error: Connection refused (os error 111)"].assert_eq(&error.replace(&address.to_string(), "ADDRESS"));
}

/// What connecting to an HTTP server gives that answers so, whatever it is sent.
async fn answered(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let n = connection.read(&mut [0; 4096]).await.unwrap();
        connection.write_all(answer.as_bytes()).await.unwrap();
        n
    });
    let client = McpEndpoint::http(format!("http://{address}/mcp")).name("acme").bearer("secret");
    let error = client.connect().await.unwrap_err().to_string();
    assert!(server.await.unwrap() > 0);
    error
}

#[tokio::test]
async fn an_address_of_another_server() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>";
    expect![[
        r#"MCP server `acme` cannot be connected to: Unexpected content type: Some("text/html")"#
    ]]
    .assert_eq(&answered(page).await);
    let refused = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 16\r\n\r\nwho says secret?";
    expect!["MCP server `acme` cannot be connected to: unexpected server response: HTTP 401 Unauthorized: who says …?"].assert_eq(&answered(refused).await);
    let challenged =
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 0\r\n\r\n";
    expect!["MCP server `acme` wants authorisation: give the endpoint `oauth`, or a token that it accepts; a client that has `oauth` gets new tokens by `authorise`"]
    .assert_eq(&answered(challenged).await);
    let elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n";
    expect!["MCP server `acme` cannot be connected to: unexpected server response: HTTP 307 Temporary Redirect: "].assert_eq(&answered(elsewhere).await);
}

#[tokio::test]
async fn an_address_that_is_none() {
    check(
        McpEndpoint::http("example.com/mcp").connect().await,
        &expect![
            "MCP server `http`: its address is invalid (relative URL without a base): write one such as `https://example.com/mcp`"
        ],
    );
    check(
        McpEndpoint::http("ftp://example.com").connect().await,
        &expect!["MCP server `example.com`: its address begins with `ftp:`, not `https:`"],
    );
    let server = McpEndpoint::http("http://example.com").header("x key", "secret");
    check(
        server.connect().await,
        &expect!["MCP server `example.com`: `x key` cannot be the name of a header"],
    );
    let server = McpEndpoint::http("http://example.com").bearer("two\nlines");
    check(
        server.connect().await,
        &expect![
            "MCP server `example.com`: the value of its header `authorization` has characters that no header can have"
        ],
    );
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_of_a_call() {
    let server = McpEndpoint::stdio(python(), [&*script("server.py"), "tools"]).name("acme");
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let error = call(named(&tools, "die"), json!({})).await.unwrap_err();
    expect!["MCP server `acme` is gone (the connection has ended): connect to it again"]
        .assert_eq(&error);
    // It is started again, for the client and for tools that were listed before.
    assert!(call(named(&tools, "grow"), json!({})).await.is_ok());
    assert_eq!(client.tools().await.unwrap().len(), tools.len() + 1);
    for _ in 0..4 {
        let gone = call(named(&tools, "die"), json!({})).await.unwrap_err();
        assert!(gone.contains("is gone"), "{gone}");
        call(named(&tools, "grow"), json!({})).await.unwrap();
    }
    let gone = call(named(&tools, "die"), json!({})).await.unwrap_err();
    assert!(gone.contains("acme"), "{gone}");
    // What it wrote to its stderr is for people, and not for a model.
    let later = client.tools().await.unwrap_err().to_string();
    expect![[r#"
        MCP server `acme` is gone (it ended 5 times within 60s): connect to it again; its last output on stderr:
        first this
        then that"#]]
    .assert_eq(&later);
    let told = call(named(&tools, "grow"), json!({})).await.unwrap_err();
    assert!(!told.contains("first this"), "{told}");
    let again = server.connect().await.unwrap();
    assert_eq!(again.tools().await.unwrap().len(), tools.len());
}

/// Everything that is logged in this thread.
#[derive(Clone, Default)]
struct Logged(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_a_server_says_of_a_token_is_not_in_the_log() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logs = tracing::subscriber::set_default(subscriber);
    let refused = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 16\r\n\r\nwho says secret?";
    answered(refused).await;
    let logged = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("401"), "nothing was logged: {logged}");
    assert!(!logged.contains("secret"), "{logged}");
}

#[tokio::test]
async fn a_tool_that_fails() {
    let server = McpEndpoint::stdio(python(), [&*script("server.py"), "tools"]);
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();
    let failed = call(named(&tools, "fail"), json!({})).await;
    assert_eq!(failed, Err("the disk is full".to_owned()));
    let refused = call(named(&tools, "wait"), json!({})).await;
    expect!["MCP server `python` refuses `tools/call wait`: Internal server error"]
        .assert_eq(&refused.unwrap_err());
}
