//! Servers to test, in process and as a program, and a client for them.

mod client;
mod process;
mod stream;
mod upstream;

pub(crate) use client::{Client, Reply, form, json_request};
pub(crate) use process::{Ddg, command, run};

pub(crate) use stream::{Seen, read_events};
pub(crate) use upstream::{Asked, Turn, Upstream, calls, text};

use ddg_server::{Keys, Server, ServerBuilder};
use tempfile::TempDir;

/// A server in this process, with a new database.
pub(crate) struct Local {
    pub(crate) server: Server,
    /// Removed with the server.
    _folder: TempDir,
}

impl Local {
    /// Starts a server without keys.
    pub(crate) async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    /// Starts a server with settings.
    pub(crate) async fn with(set: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let folder = TempDir::new().unwrap();
        let db = folder.path().join("ddg.sqlite").display().to_string();
        let builder = Server::builder().db(db).model("offline");
        let server = set(builder).build().await.unwrap();
        Self { server, _folder: folder }
    }

    /// Starts a server whose models are those of a script.
    pub(crate) async fn on(upstream: &Upstream) -> Self {
        Self::with(|builder| builder.model("scripted").base_url(upstream.base_url()).api_key("up"))
            .await
    }

    /// Starts a server for the keys `sk-one` and `sk-two`, whose models are those of a script.
    pub(crate) async fn for_two(upstream: &Upstream) -> Self {
        let keys = Keys::parse("sk-one\nsk-two").unwrap();
        Self::with(|builder| builder.keys(keys).model("scripted").base_url(upstream.base_url()))
            .await
    }

    /// A client without a key.
    pub(crate) fn client(&self) -> Client {
        Client::of_router(self.server.router())
    }
}
