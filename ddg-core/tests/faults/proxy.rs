//! A proxy before a PostgreSQL server that cuts, delays, refuses and silences connections.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::random_graphs::Dice;

/// The name of the server's socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// The proxy. It stops when dropped.
pub(crate) struct Proxy {
    folder: TempDir,
    state: Arc<State>,
    _serving: AbortOnDropHandle<()>,
}

/// What the proxy does, and has done.
pub(crate) struct State {
    /// Whether connections are disturbed at random.
    disturbs: AtomicBool,
    /// Whether nothing passes, in either direction.
    silent: watch::Sender<bool>,
    pub(crate) n_refused: AtomicU64,
    pub(crate) n_cut: AtomicU64,
    pub(crate) n_delayed: AtomicU64,
}

impl Proxy {
    /// A proxy before the server whose socket is in the folder that `url` names.
    pub(crate) fn before(url: &str, seed: u64) -> Self {
        let server = Path::new(host_of(url)).join(SOCKET);
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let state = Arc::new(State {
            disturbs: AtomicBool::new(false),
            silent: watch::Sender::new(false),
            n_refused: AtomicU64::new(0),
            n_cut: AtomicU64::new(0),
            n_delayed: AtomicU64::new(0),
        });
        let serving = tokio::spawn(serve(listener, server, Arc::clone(&state), Dice::new(seed)));
        Self { folder, state, _serving: AbortOnDropHandle::new(serving) }
    }

    /// The URL of the same database through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(host_of(url), self.folder.path().to_str().unwrap())
    }

    /// Begins to cut, delay and refuse connections at random.
    pub(crate) fn disturb(&self) {
        self.state.disturbs.store(true, Ordering::Relaxed);
    }

    /// Lets everything pass.
    pub(crate) fn calm(&self) {
        self.state.disturbs.store(false, Ordering::Relaxed);
        self.state.silent.send_replace(false);
    }

    /// Lets nothing pass, as if the server were stopped.
    pub(crate) fn silence(&self, silent: bool) {
        self.state.silent.send_replace(silent);
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }
}

/// The folder of the server's socket.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("host=").expect("the server of the tests has a socket");
    rest.split('&').next().unwrap()
}

async fn serve(listener: UnixListener, server: PathBuf, state: Arc<State>, mut dice: Dice) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let is_disturbed = state.disturbs.load(Ordering::Relaxed);
        if is_disturbed && dice.chance(20) {
            // Dropped, so closed.
            state.n_refused.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = UnixStream::connect(&server).await.unwrap().into_split();
        // From a few bytes, in the middle of the handshake, to many statements.
        let mut lasts = || is_disturbed.then(|| (100 << dice.below(10)) + dice.below(200));
        let (up, down, here) = (lasts(), lasts(), Arc::clone(&state));
        tokio::spawn(async move {
            // Both directions are cut together.
            let is_cut = tokio::select! {
                cut = pass(from_client, to_server, up, &here) => cut,
                cut = pass(from_server, to_client, down, &here) => cut,
            };
            here.n_cut.fetch_add(u64::from(is_cut), Ordering::Relaxed);
        });
    }
}

/// Passes bytes on until there are no more, or so many have passed. Returns whether it was cut.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut lasts: Option<usize>,
    state: &State,
) -> bool {
    let mut buffer = vec![0; 4096];
    let mut dice = Dice::new(lasts.unwrap_or_default() as u64);
    let mut silent = state.silent.subscribe();
    loop {
        let Ok(n) = from.read(&mut buffer).await else { return false };
        if n == 0 {
            return false;
        }
        _ = silent.wait_for(|silent| !silent).await;
        if lasts.is_some() && dice.chance(2) {
            state.n_delayed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(dice.below(30) as u64)).await;
        }
        let n_passed = lasts.map_or(n, |lasts| n.min(lasts));
        if to.write_all(&buffer[..n_passed]).await.is_err() {
            return false;
        }
        if n_passed < n {
            return true;
        }
        lasts = lasts.map(|lasts| lasts - n_passed);
    }
}
