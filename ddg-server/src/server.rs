//! `Server`: everything that the requests of one server share, and the router that serves them.

mod builder;
mod error;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use ddg_agentic::assistants::Assistants;

pub use builder::ServerBuilder;
pub use error::ServerError;

use crate::keys::Keys;
use crate::routes;
use crate::state::{Shared, State};

/// A server of the Assistants API and the Responses API. Cheap to clone.
///
/// [`router`](Self::router) is a [`Router`] of axum, with `/v1`, `/healthz` and `/metrics`, which
/// can be merged with other routes of a program.
///
/// ```
/// use ddg_server::{Keys, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("ddg.sqlite");
/// let server = Server::builder()
///     .db(file.to_str().expect("UTF-8"))
///     .keys(Keys::parse("sk-one\nsk-two")?)
///     .model("offline")
///     .build()
///     .await?;
/// let app = axum::Router::new().merge(server.router());
/// // … serve `app`, and when it is no longer served:
/// server.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server(Shared);

impl Server {
    /// Creates a builder.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    fn with(state: State) -> Self {
        Self(Shared(Arc::new(state)))
    }

    /// The routes of the server.
    pub fn router(&self) -> Router {
        routes::all(&self.0)
    }

    /// The keys of the server, if there are any, to [reload](Keys::reload) them.
    pub fn keys(&self) -> Option<&Keys> {
        self.0.keys.as_ref()
    }

    /// Stops the server: lets the steps of runs that are under way settle and be saved, for at most
    /// 10 s, and closes the files. Runs continue when a server with the same database starts.
    ///
    /// Streams of events end where they are; a client continues them from their last event.
    pub async fn close(&self) {
        self.0.stopping.cancel();
        self.0.assistants.close().await;
        self.0.files.close().await;
    }

    /// The assistants that the server serves, to use them without HTTP as well. `tenant` of a
    /// server without keys is `local`.
    pub fn assistants(&self) -> &Assistants {
        &self.0.assistants
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("keys", &self.0.keys).finish_non_exhaustive()
    }
}
