//! Where the browser of a person comes back to.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Html;
use axum::routing::get;
use reqwest::Url;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The path of the callback.
const PATH: &str = "/callback";

const DONE: &str = "<!doctype html><title>Done</title><p>You can close this window.";
const UNKNOWN: &str = "<!doctype html><title>Nobody waits</title><p>Nobody waits for this page.";

/// A small HTTP server on this machine, to which the browser of a person comes back when they have
/// agreed. It ends when it is dropped.
///
/// Bind it to a loopback address. A fixed port is needed if the client was registered by hand,
/// because its registration names the address.
pub struct McpCallback {
    uri: String,
    waits: Waits,
    serving: JoinHandle<()>,
}

/// The state parameter that the browser brings, and who waits for it.
type Waits = Arc<Mutex<Vec<(String, oneshot::Sender<String>)>>>;

impl McpCallback {
    /// Listens at an address, such as `127.0.0.1:0` for any free port.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let uri = format!("http://{}{PATH}", listener.local_addr()?);
        let waits = Waits::default();
        let router = Router::new().route(PATH, get(come_back)).with_state(Arc::clone(&waits));
        let serving = tokio::spawn(async move {
            // It serves until it is dropped.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { uri, waits, serving })
    }

    /// The address to which the browser comes back.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits for the browser of a person who was sent to `url`, and gives the whole address to
    /// which it came. Other visits are answered, and ignored.
    ///
    /// # Errors
    /// If `url` has no parameter `state`.
    ///
    /// # Cancel safety
    /// If the future is dropped, nobody waits.
    pub async fn after(&self, url: &str) -> io::Result<String> {
        let state = Url::parse(url).ok().and_then(|url| state_of(&url));
        let state = state.ok_or_else(|| io::Error::other("the address has no `state`"))?;
        let (came, coming) = oneshot::channel();
        self.expect(state, came);
        let visited = coming.await.map_err(io::Error::other)?;
        Ok(format!("{}{}", self.uri.trim_end_matches(PATH), visited))
    }
}

impl McpCallback {
    fn expect(&self, state: String, came: oneshot::Sender<String>) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.retain(|(_, came)| !came.is_closed());
        waits.push((state, came));
    }
}

async fn come_back(State(waits): State<Waits>, uri: Uri) -> (StatusCode, Html<&'static str>) {
    let state = Url::parse(&format!("http://localhost{uri}")).ok().and_then(|url| state_of(&url));
    let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
    let place = waits.iter().position(|(waited, _)| Some(waited) == state.as_ref());
    let Some(place) = place else { return (StatusCode::BAD_REQUEST, Html(UNKNOWN)) };
    match waits.remove(place).1.send(uri.to_string()) {
        Ok(()) => (StatusCode::OK, Html(DONE)),
        Err(_) => (StatusCode::BAD_REQUEST, Html(UNKNOWN)),
    }
}

fn state_of(url: &Url) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned())
}

impl Drop for McpCallback {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl fmt::Debug for McpCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpCallback({:?})", self.uri)
    }
}
