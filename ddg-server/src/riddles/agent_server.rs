//! Agents in a process of their own: messages come over HTTP, and answers go back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ddg_agentic::riddles::{AgentHost, Envelope, Handled};
use tokio::sync::Semaphore;

use super::client::ManagementClient;
use super::error::{no_method, no_path};
use super::json;
use super::secret::{Secret, check};
use crate::error::{ApiError, Kind};

/// Messages are texts, and documents are files.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// Messages of one agent that are handled at the same time, unless it is set.
const DEFAULT_CAP: usize = 8;

/// Agents as a server: `POST /message` acknowledges a message at once, and answers it later.
#[derive(Clone)]
pub struct AgentServer {
    shared: Arc<Shared>,
}

struct Shared {
    agents: Vec<(AgentHost, Semaphore)>,
    management: ManagementClient,
    secret: Option<Secret>,
    /// What is known of each message: whether it is being handled, or its answer.
    known: Mutex<BTreeMap<(String, i64), Known>>,
}

#[derive(Clone)]
enum Known {
    Handled,
    Answered(Box<Envelope>),
}

impl AgentServer {
    /// Serves these agents for a management. Each handles up to `cap` messages at the same time (8
    /// by default).
    pub fn new(
        agents: impl IntoIterator<Item = AgentHost>,
        cap: Option<usize>,
        management: ManagementClient,
        secret: Option<Secret>,
    ) -> Self {
        let cap = cap.unwrap_or(DEFAULT_CAP).max(1);
        let agents = agents.into_iter().map(|agent| (agent, Semaphore::new(cap))).collect();
        let known = Mutex::default();
        Self { shared: Arc::new(Shared { agents, management, secret, known }) }
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/message", post(take))
            .route("/healthz", get(async || "ok"))
            .fallback(no_path)
            .method_not_allowed_fallback(no_method)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::clone(&self.shared))
    }
}

/// Acknowledges a message, and has it handled. A message that is known is not handled twice.
async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    match admitted(&shared, &headers, &body) {
        Ok(envelope) => {
            let key = (envelope.agent.clone(), envelope.number);
            let known = shared.known().insert(key.clone(), Known::Handled);
            match known {
                None => drop(tokio::spawn(handle(shared, envelope))),
                Some(Known::Handled) => {}
                // The answer may be lost: it is sent again.
                Some(Known::Answered(answer)) => {
                    shared.known().insert(key, Known::Answered(answer.clone()));
                    tokio::spawn(async move { shared.send(&answer).await });
                }
            }
            StatusCode::ACCEPTED.into_response()
        }
        Err(error) => error.into_response(),
    }
}

fn admitted(shared: &Shared, headers: &HeaderMap, body: &Bytes) -> Result<Envelope, ApiError> {
    check(shared.secret.as_ref(), headers)?;
    let envelope: Envelope = json::read(body)?;
    if shared.agent(&envelope.agent).is_none() {
        let names: Vec<_> = shared.agents.iter().map(|(agent, _)| agent.name()).collect();
        let message =
            format!("There is no agent `{}` here; there are {}.", envelope.agent, names.join(", "));
        return Err(ApiError::new(Kind::NotFound, message));
    }
    Ok(envelope)
}

/// Handles a message, and sends the answer.
async fn handle(shared: Arc<Shared>, envelope: Envelope) {
    let key = (envelope.agent.clone(), envelope.number);
    let Some((agent, turns)) = shared.agent(&envelope.agent) else { return };
    let Ok(_turn) = turns.acquire().await else { return };
    let answer = match agent.handle(&envelope).await {
        Ok(Handled::Response(response)) => {
            Envelope::new(envelope.number, envelope.agent, *response)
        }
        Ok(Handled::Stopped) => envelope.stopped(),
        // Its holder sends it later.
        Ok(Handled::Held) => return,
        Err(reason) => {
            tracing::error!(
                agent = envelope.agent,
                number = envelope.number,
                reason,
                "an agent failed"
            );
            envelope.stopped()
        }
    };
    shared.known().insert(key, Known::Answered(Box::new(answer.clone())));
    shared.send(&answer).await;
}

impl Shared {
    fn agent(&self, name: &str) -> Option<&(AgentHost, Semaphore)> {
        match self.agents.as_slice() {
            // The management may know the only one by another name.
            [only] => Some(only),
            several => several.iter().find(|(agent, _)| agent.name() == name),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, i64), Known>> {
        self.known.lock().expect("nobody panics while the lock is held")
    }

    async fn send(&self, answer: &Envelope) {
        match self.management.answer(answer).await {
            Ok(receipt) => tracing::debug!(number = answer.number, ?receipt, "answered"),
            Err(error) => {
                tracing::error!(number = answer.number, %error, "an answer was refused");
            }
        }
    }
}
