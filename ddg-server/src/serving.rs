//! Connections: accepting them, limits of their time, and their end.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client may take for the head of a request, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves a router over HTTP/1.1 until `stop` is cancelled, and then until the requests under way
/// are answered.
///
/// The head of a request may take 30 s, and a connection without a request is closed after the same
/// time. When `stop` is cancelled the listener is closed at once, and a connection after its
/// current reply. A stream of events is a reply that may not end by itself, so drop the future when
/// it has taken too long.
///
/// ```
/// use axum::Router;
/// use ddg_server::serve;
/// use tokio::net::TcpListener;
/// use tokio_util::sync::CancellationToken;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let stop = CancellationToken::new();
/// let serving = serve(listener, Router::new(), stop.clone());
/// stop.cancel();
/// serving.await;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// If the future is dropped, all connections are closed.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let (connections, closed) = (TaskTracker::new(), CancellationToken::new());
    // Closes the connections if this future is dropped.
    let _guard = closed.clone().drop_guard();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_connection(&error) => continue,
            Err(error) => {
                // Such as too many open files: others may be closed meanwhile.
                tracing::error!(%error, "a connection could not be accepted");
                tokio::select! {
                    () = sleep(Duration::from_millis(200)) => continue,
                    () = stop.cancelled() => break,
                }
            }
        };
        let connection = connection(stream, router.clone(), stop.clone());
        let closed = closed.clone();
        connections.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = closed.cancelled() => {}
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves one connection until it is closed, or until its current reply after `stop`.
async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Events are small, and must not wait for more of them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = TowerToHyperService::new(router);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Whether only one connection is concerned, and the next can be accepted at once.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
