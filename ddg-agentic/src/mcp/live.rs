//! An open connection, from the handshake on.
#![expect(deprecated, reason = "servers of earlier protocols are asked as those want it")]

use std::error::Error;
use std::io;
use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{
    ProtocolVersion, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt, Peer, RunningService,
    Subscription,
};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use rmcp::transport::{DynamicTransportError, IntoTransport};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use super::McpError;
use super::listener::{Listener, WeakListener};
use super::server::Settings;
use super::stderr::Stderr;
use super::watched::Watched;

/// The pause before the server is asked again to tell of changes. It doubles with each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A connection that is open, or has ended.
pub(super) struct Live {
    pub(super) peer: Peer<RoleClient>,
    pub(super) running: Mutex<RunningService<RoleClient, Listener>>,
    pub(super) stderr: Stderr,
}

impl Live {
    /// Performs the handshake with the server at the other end of `transport`: that of the newest
    /// protocol, or the earlier one if the server does not know it.
    pub(super) async fn greet<T, E, A>(
        settings: &Settings,
        listener: Listener,
        transport: T,
        stderr: Stderr,
    ) -> Result<Self, McpError>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: Error + Send + Sync + 'static,
    {
        let (secrets, listening_for) = (listener.secrets().clone(), listener.clone());
        let transport = Watched::new(transport.into_transport(), listener.clone());
        let greeting = listener.serve_with_lifecycle(transport, lifecycle());
        let reason = match timeout(settings.connect_timeout, greeting).await {
            Ok(Ok(running)) => {
                let (peer, running) = (running.peer().clone(), Mutex::new(running));
                let listening = listen(&peer, listening_for, settings.connect_timeout);
                listening.await;
                return Ok(Self { peer, running, stderr });
            }
            Ok(Err(error)) => {
                if let Some(message) = transport_error(&error).and_then(unauthorised) {
                    let server = settings.name.clone();
                    return Err(McpError::Unauthorised { server, message: message.to_owned() });
                }
                secrets.shown(no_greeting(&error))
            }
            Err(_) => {
                format!("it did not complete the handshake within {:?}", settings.connect_timeout)
            }
        };
        let stderr = secrets.shown(stderr.last_words().await);
        Err(McpError::Connect { server: settings.name.clone(), reason, stderr })
    }

    /// Whether the server speaks the newest protocol, without a handshake.
    pub(super) fn is_newest(&self) -> bool {
        self.peer.peer_info().is_some_and(|server| !server.protocol_version.has_initialize())
    }

    /// The last output of its program on stderr.
    pub(super) async fn last_words(&self, listener: &Listener) -> String {
        listener.secrets().shown(self.stderr.last_words().await)
    }
}

fn lifecycle() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: None,
    }
}

/// Asks the server to tell of changes, and to log. A server that does not answer is used without.
async fn listen(peer: &Peer<RoleClient>, listener: Listener, within: Duration) {
    let Some(server) = peer.peer_info() else { return };
    if !server.protocol_version.has_initialize() {
        let filter = SubscriptionFilter::builder().tools_list_changed();
        let filter = filter.resource_subscriptions(listener.subscribed()).build();
        let filter = filter.supported_by(&server.capabilities);
        if filter != SubscriptionFilter::new()
            && let Ok(Ok(changes)) = timeout(within, peer.listen(filter.clone())).await
        {
            let peer = peer.clone();
            tokio::spawn(async move { hear_changes(&peer, filter, changes, &listener).await });
        }
        return;
    }
    ask_earlier(peer, &listener, within).await;
    let (renewed, weak) = (listener.n_renewed(), listener.downgrade());
    tokio::spawn(ask_again(peer.clone(), weak, renewed, within));
}

/// Asks a server of an earlier protocol to log, and to tell of changes of resources. It tells of
/// its tools unasked.
async fn ask_earlier(peer: &Peer<RoleClient>, listener: &Listener, within: Duration) {
    let Some(server) = peer.peer_info() else { return };
    let _in_time = timeout(within, async {
        if let Some(level) = listener.offers().log_level
            && server.capabilities.logging.is_some()
        {
            let _refused = peer.set_level(SetLevelRequestParams::new(level.for_server())).await;
        }
        for uri in listener.subscribed() {
            let _refused = peer.subscribe(SubscribeRequestParams::new(uri)).await;
        }
    })
    .await;
}

/// Asks again whenever the server has forgotten the session, and with it what it was asked for.
async fn ask_again(
    peer: Peer<RoleClient>,
    listener: WeakListener,
    mut renewed: watch::Receiver<usize>,
    within: Duration,
) {
    while renewed.changed().await.is_ok() {
        let Some(listener) = listener.upgrade().filter(|_| !peer.is_transport_closed()) else {
            return;
        };
        ask_earlier(&peer, &listener, within).await;
    }
}

/// Reads announcements of changes, which the transport has heard already. If they end before the
/// connection does, what was announced meanwhile is lost, so everything may have changed.
async fn hear_changes(
    peer: &Peer<RoleClient>,
    filter: SubscriptionFilter,
    mut changes: Subscription,
    listener: &Listener,
) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        while let Ok(Some(_)) = changes.next().await {
            pause = SHORTEST_PAUSE;
        }
        loop {
            if peer.is_transport_closed() {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if let Ok(again) = peer.listen(filter.clone()).await {
                changes = again;
                break;
            }
        }
        listener.all_may_have_changed();
    }
}

/// The reason why there is no connection.
fn no_greeting(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::ConnectionClosed(_) => {
            "it ended before the handshake was complete".to_owned()
        }
        ClientInitializeError::TransportError { error, .. } if is_closed(error) => {
            "it ended before the handshake was complete".to_owned()
        }
        ClientInitializeError::TransportError { error, .. } => causes(&*error.error),
        ClientInitializeError::JsonRpcError(error) => error.message.to_string(),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => no_greeting(fallback),
        other => causes(other),
    }
}

fn transport_error(error: &ClientInitializeError) -> Option<&DynamicTransportError> {
    match error {
        ClientInitializeError::TransportError { error, .. } => Some(error),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => transport_error(fallback),
        _ => None,
    }
}

/// What to do if the server wants authorisation.
pub(super) fn unauthorised(error: &DynamicTransportError) -> Option<&'static str> {
    match error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>()? {
        StreamableHttpError::AuthRequired(_) => Some(
            "give the endpoint `oauth`, or a token that it accepts; a client that has `oauth` gets \
             new tokens by `authorise`",
        ),
        StreamableHttpError::InsufficientScope(_) => {
            Some("its tokens are for less than this: `authorise` asks for what is missing")
        }
        _ => None,
    }
}

/// Whether the program ended while the client was writing to it.
pub(super) fn is_closed(error: &DynamicTransportError) -> bool {
    let error = error.error.downcast_ref::<io::Error>();
    error.is_some_and(|error| matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected))
}

/// An error with its causes. A cause that is in the message already is not repeated.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = cause_of(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = cause_of(error);
    }
    text
}

fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref() {
        // Its message does not contain that of the client's error.
        Some(StreamableHttpError::<reqwest::Error>::Client(error)) => Some(error),
        _ => error.source(),
    }
}
