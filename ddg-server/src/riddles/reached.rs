//! A running agent that is tried: the command is its management for one message.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ddg_agentic::riddles::{AgentLink, AgentMessage, Envelope, Handled};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::error::no_path;
use super::json;
use super::link::HttpAgent;
use super::secret::{Secret, check};
use crate::error::{ApiError, Kind};

/// An agent in another process, in any language.
pub(crate) struct Reached {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Where its answer is waited for: the agent's management.
    pub(crate) listen: SocketAddr,
    pub(crate) timeout: Duration,
    pub(crate) secret: Option<Secret>,
}

struct Waiting {
    number: i64,
    secret: Option<Secret>,
    answers: mpsc::Sender<Envelope>,
}

impl Reached {
    /// Sends the message, and waits for the answer. An agent that has acknowledged it and does not
    /// answer in time holds its response.
    pub(crate) async fn handle(self, message: AgentMessage) -> Result<Handled, String> {
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|error| {
            format!("--listen {}: {error}; the agent's answer comes there", self.listen)
        })?;
        let link = HttpAgent::new(&self.url, self.secret.clone())?;
        // Agents handle a number once, so each try has one of its own.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let (answers, mut answered) = mpsc::channel(1);
        let waiting = Arc::new(Waiting { number, secret: self.secret, answers });
        let router =
            Router::new().route("/message", post(take)).fallback(no_path).with_state(waiting);
        let serving = tokio::spawn(axum::serve(listener, router).into_future());
        let envelope = Envelope::new(number, self.name, message);
        let sent = timeout(self.timeout, link.send(&envelope)).await;
        let sent = sent.unwrap_or_else(|_| Err("it does not acknowledge the message".to_owned()));
        sent.map_err(|why| format!("{}: {why}", self.url))?;
        let answer = timeout(self.timeout, answered.recv()).await;
        serving.abort();
        match answer {
            Ok(Some(Envelope { decision: None, message, .. })) => {
                Ok(Handled::Response(Box::new(message)))
            }
            Ok(Some(Envelope { decision: Some(decision), message, .. })) => match &*decision {
                "send" => Ok(Handled::Response(Box::new(message))),
                "stop" => Ok(Handled::Stopped),
                other => {
                    Err(format!("the agent's `decision` is `{other}`: `send` or `stop` is right"))
                }
            },
            Ok(None) | Err(_) => {
                eprintln!(
                    "ddg: no answer came to http://{} in {} s: is that the agent's management?",
                    self.listen,
                    self.timeout.as_secs()
                );
                Ok(Handled::Held)
            }
        }
    }
}

/// Takes the answer, as a management does.
async fn take(State(waiting): State<Arc<Waiting>>, headers: HeaderMap, body: Bytes) -> Response {
    let taken = async {
        check(waiting.secret.as_ref(), &headers)?;
        let envelope: Envelope = json::read(&body)?;
        if envelope.number != waiting.number {
            let message = format!("There is no message with the number {}.", envelope.number);
            return Err(ApiError::new(Kind::NotFound, message));
        }
        // A repeated answer is acknowledged, and dropped.
        let is_first = waiting.answers.try_send(envelope).is_ok();
        Ok(Json(serde_json::json!({ "receipt": if is_first { "taken" } else { "repeated" } })))
    };
    taken.await.into_response()
}
