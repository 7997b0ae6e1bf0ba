//! The riddle platform: a management and its agents, in processes of their own.

mod alone;
mod api;
mod client;
mod documents;
mod kills;
#[cfg(feature = "clients")]
mod page;
mod processes;
pub(crate) mod template;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::fixture::{Client, Ddg, command};

/// A folder with `shared`, in which there are the numbers x, y and z.
pub(crate) fn place() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("shared")).unwrap();
    for text in ["x = 10", "y = 15", "z = 20"] {
        let name = format!("shared/{}.txt", &text[..1]);
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// `ddg riddles` with these arguments, and `shared`.
pub(crate) fn riddles(folder: &Path, arguments: &[&str]) -> Command {
    command(folder, &[&["riddles"], arguments, &["--shared", "shared"]].concat())
}

/// A management on a free port, with these agents.
pub(crate) async fn management(folder: &Path, agents: &[&str], more: &[&str]) -> Ddg {
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--log", "error"];
    for agent in agents {
        arguments.extend(["--agent", agent]);
    }
    arguments.extend(more);
    Ddg::spawn(riddles(folder, &arguments)).await
}

/// An agent in a process of its own, for the management at this address.
pub(crate) async fn agent(folder: &Path, name: &str, listen: &str, management: SocketAddr) -> Ddg {
    let url = format!("http://{management}");
    let arguments = ["agent", name, "--listen", listen, "--management", &url, "--log", "error"];
    Ddg::spawn(riddles(folder, &arguments)).await
}

/// The riddle of the calculator.
pub(crate) fn calculation(id: &str) -> Value {
    let data =
        ["x.txt", "y.txt", "z.txt"].map(|file| json!({ "type": "text", "file_plain": file }));
    json!({ "id": id, "riddle": { "question": "x * y =" }, "data": data })
}

/// Waits for the end of a riddle by its events, which end with it.
pub(crate) async fn ended(client: &Client, id: &str) -> Value {
    let path = format!("/riddles/{id}/events");
    let events = client.get(&path);
    let events = tokio::time::timeout(Duration::from_secs(60), events).await.unwrap();
    assert_eq!(events.status, 200, "{events:?}");
    let text = String::from_utf8(events.body.to_vec()).unwrap();
    assert!(text.ends_with("event: done\ndata: [DONE]\n\n"), "{text}");
    client.get(&format!("/riddles/{id}")).await.ok()
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
