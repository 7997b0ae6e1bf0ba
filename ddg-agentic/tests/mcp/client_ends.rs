//! Ends on our side reach the server: a dropped call is cancelled there, and the server's program
//! ends with the last holder of a connection, even if it does not cooperate.

use std::io::Read;

use ddg_agentic::mcp::McpEndpoint;
use expect_test::expect;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;

use super::call::{call, named};
use super::reference::{python, script};

#[tokio::test]
async fn a_dropped_call_is_cancelled_at_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = McpEndpoint::stdio(python(), [&*script("server.py"), "tools"]);
    let client = server.connect().await.unwrap();
    let tools = client.tools().await.unwrap();

    let wait = named(&tools, "wait").clone();
    let call = tokio::spawn(async move { call(&wait, json!({ "port": port })).await });
    let (there, _) = listener.accept().await.unwrap();
    let mut says = BufReader::new(there).lines();
    assert_eq!(says.next_line().await.unwrap().unwrap(), "waiting");
    call.abort();
    assert_eq!(says.next_line().await.unwrap().unwrap(), "cancelled");
    assert_eq!(client.tools().await.unwrap().len(), tools.len(), "the connection goes on");
}

/// Listens, and gives the arguments of a server that does not end when it is asked to, and that is
/// connected for as long as it lives.
async fn stubborn() -> (TcpListener, [String; 3]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, [script("server.py"), "stubborn".to_owned(), port.to_string()])
}

#[tokio::test]
async fn the_program_ends_with_the_last_that_needs_it() {
    let (listener, args) = stubborn().await;
    // The shell that has started it ends sooner.
    let below = [vec!["-c".to_owned(), "\"$@\"; true".to_owned(), "sh".to_owned()]];
    let args = below.into_iter().flatten().chain([python().to_owned()]).chain(args);
    let client = McpEndpoint::stdio("sh", args).connect().await.unwrap();
    let (mut alive, _) = listener.accept().await.unwrap();
    let tools = client.tools().await.unwrap();
    drop(client);
    let read = call(named(&tools, "files_read"), json!({})).await;
    assert_eq!(read, Ok("this is files.read".to_owned()), "the tools hold the connection");
    drop(tools);
    assert_eq!(alive.read(&mut [0]).await.unwrap_or(0), 0, "its end of the connection is closed");
}

#[tokio::test]
async fn close_waits_until_the_program_has_ended() {
    let (listener, args) = stubborn().await;
    let client = McpEndpoint::stdio(python(), args).name("stubborn").connect().await.unwrap();
    let (alive, _) = listener.accept().await.unwrap();
    let tools = client.tools().await.unwrap();
    client.close().await;
    let ended = alive.into_std().unwrap().read(&mut [0]);
    assert!(matches!(ended, Ok(0)), "its end of the connection is closed: {ended:?}");
    let error = call(named(&tools, "files_read"), json!({})).await.unwrap_err();
    expect!["MCP server `stubborn` is gone (the connection has ended): connect to it again"]
        .assert_eq(&error);
    client.close().await;
}
