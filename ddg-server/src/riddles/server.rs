//! The management as a server.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ddg_agentic::riddles::{AgentMessage, Envelope, Management, MessageFilter, RiddleEvents};
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::{no_method, no_path, refused};
use super::json::read;
use super::secret::{Secret, check};
use super::{docs, page, upload};
use crate::error::{ApiError, Kind};
use crate::http::sse::{Event, Sse};

/// Messages are texts, and documents are files.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The most messages of one page, and the number of one without a limit.
const MAX_PAGE: u32 = 1_000;
const PAGE: u32 = 100;

/// A management as a router: its API, events, and the table of messages as a page.
#[derive(Clone, Debug)]
pub struct RiddleServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) management: Management,
    pub(super) secret: Option<Secret>,
}

/// A riddle to pose: a message, with the parent of a sub-riddle.
#[derive(Deserialize)]
struct Pose {
    #[serde(default)]
    parent: Option<String>,
    /// Names the call of a sub-riddle, so that it is posed once.
    #[serde(default)]
    cause: Option<String>,
    #[serde(flatten)]
    message: AgentMessage,
}

#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
}

impl RiddleServer {
    /// A server for a management. With a secret, only requests that have it are answered, and the
    /// page asks for it.
    pub fn new(management: Management, secret: Option<Secret>) -> Self {
        Self { shared: Arc::new(Shared { management, secret }) }
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/riddles", post(pose).get(riddles))
            .route("/riddles/{id}", get(riddle))
            .route("/riddles/{id}/events", get(events))
            .route("/message", post(answer))
            .route("/messages", get(messages))
            .route("/messages/{number}", get(message))
            .route("/healthz", get(async || "ok"))
            .route("/files", post(upload::take).layer(DefaultBodyLimit::max(upload::MAX_FILE)))
            .route("/docs", get(docs::riddles))
            .route("/docs/{name}", get(docs::named))
            .route("/", get(page::table))
            .fallback(no_path)
            .method_not_allowed_fallback(no_method)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::clone(&self.shared))
    }
}

pub(super) type Reply = Result<Response, ApiError>;
pub(super) type Server = State<Arc<Shared>>;

async fn pose(State(server): Server, headers: HeaderMap, body: Bytes) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let Pose { parent, cause, message } = read(&body)?;
    let posed = match parent {
        None => server.management.pose(message).await,
        Some(parent) => {
            // Without a cause every request is a call of its own.
            let cause = cause.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
            server.management.pose_below(&parent, &cause, message).await
        }
    };
    let posed = posed.map_err(|error| refused(&error))?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": posed.id() }))).into_response())
}

async fn riddles(State(server): Server, headers: HeaderMap) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let data = server.management.riddles().await.map_err(|error| refused(&error))?;
    Ok(Json(Page { data }).into_response())
}

async fn riddle(State(server): Server, headers: HeaderMap, Path(id): Path<String>) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let riddle = server.management.riddle(&id).await.map_err(|error| refused(&error))?;
    Ok(Json(riddle).into_response())
}

async fn answer(State(server): Server, headers: HeaderMap, body: Bytes) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let envelope: Envelope = read(&body)?;
    let receipt = server.management.answer(envelope).await.map_err(|error| refused(&error))?;
    Ok(Json(json!({ "receipt": receipt })).into_response())
}

async fn messages(State(server): Server, headers: HeaderMap, RawQuery(query): RawQuery) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let filter = filter(query.as_deref().unwrap_or_default())?;
    let data = server.management.messages(&filter).await.map_err(|error| refused(&error))?;
    Ok(Json(Page { data }).into_response())
}

async fn message(State(server): Server, headers: HeaderMap, Path(number): Path<String>) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let unknown = || {
        ApiError::new(Kind::NotFound, format!("There is no message with the number `{number}`."))
    };
    let number: i64 = number.parse().map_err(|_| unknown())?;
    let found = server.management.message(number).await.map_err(|error| refused(&error))?;
    Ok(Json(found.ok_or_else(unknown)?).into_response())
}

/// Messages of a riddle as they are written, after `Last-Event-ID` or from the start.
async fn events(
    State(server): Server,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    server.management.riddle(&id).await.map_err(|error| refused(&error))?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let after = match last {
        Some(last) => whole("Last-Event-ID", last)?,
        None => filter(query.as_deref().unwrap_or_default())?.after,
    };
    let events = server.management.events(&id, after);
    let events = stream::unfold(Some(events), async |events: Option<RiddleEvents>| {
        let mut events = events?;
        match events.next().await {
            Ok(Some(message)) => {
                let data = serde_json::to_string(&message).map_err(io::Error::other);
                let id = u64::try_from(message.number).ok();
                let event = data.map(|data| Event { name: "message".into(), data, id });
                Some((event, Some(events)))
            }
            Ok(None) => Some((Ok(Event::done()), None)),
            Err(error) => Some((Err(io::Error::other(error.to_string())), None)),
        }
    });
    Ok(Sse::new(events, ()).into_response())
}

/// The parameters `riddle`, `after` and `limit`.
fn filter(query: &str) -> Result<MessageFilter, ApiError> {
    let mut filter = MessageFilter::default().limit(PAGE);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "riddle" => filter.riddle = Some(value.into_owned()),
            "after" => filter.after = whole("after", &value)?,
            "limit" => {
                let limit = u32::try_from(whole("limit", &value)?).ok();
                let limit =
                    limit.filter(|limit| (1..=MAX_PAGE).contains(limit)).ok_or_else(|| {
                        let message =
                            format!("`limit` is `{value}`; write a number from 1 to {MAX_PAGE}.");
                        ApiError::invalid(message).param("limit")
                    })?;
                filter.limit = Some(limit);
            }
            other => {
                let message = format!(
                    "There is no parameter `{other}`; there are `riddle`, `after`, `limit`."
                );
                return Err(ApiError::invalid(message).param(other));
            }
        }
    }
    Ok(filter)
}

fn whole(name: &str, value: &str) -> Result<i64, ApiError> {
    value.trim().parse().map_err(|_| {
        ApiError::invalid(format!("`{name}` is `{value}`; write a whole number.")).param(name)
    })
}
