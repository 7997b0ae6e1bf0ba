//! All paths of the server.

mod assistants;
mod conversations;
mod files;
mod health;
mod messages;
mod models;
mod responses;
mod runs;
mod threads;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use crate::error::{ApiError, Kind};
use crate::http::{auth, request};
use crate::state::Shared;

/// The routes of a server, and what every request goes through.
pub(crate) fn all(server: &Shared) -> Router {
    let v1 = Router::new()
        .merge(objects())
        .merge(of_responses())
        .route("/files", resource(get(files::list).post(files::create)))
        .route("/files/{file}", resource(get(files::retrieve).delete(files::delete)))
        .route("/files/{file}/content", resource(get(files::content)))
        .route("/models", resource(get(models::list)))
        .route("/models/{*model}", resource(get(models::retrieve)))
        .fallback(unknown_path)
        // After the fallback, so that a client without a key does not learn which paths exist.
        .layer(from_fn_with_state(server.clone(), auth::admit));
    Router::new()
        .nest("/v1", v1)
        .route("/healthz", resource(get(health::health)))
        .route("/metrics", resource(get(health::metrics)))
        .fallback(unknown_path)
        .layer(from_fn_with_state(server.clone(), request::observe))
        .with_state(server.clone())
}

/// Assistants, threads, messages, runs and steps.
fn objects() -> Router<Shared> {
    let all = Router::new();
    let all = all.route("/assistants", resource(get(assistants::list).post(assistants::create)));
    let assistant = get(assistants::retrieve).post(assistants::update).delete(assistants::delete);
    let thread = get(threads::retrieve).post(threads::update).delete(threads::delete);
    let message = get(messages::retrieve).post(messages::update).delete(messages::delete);
    all.route("/assistants/{assistant}", resource(assistant))
        .route("/threads", resource(post(threads::create)))
        .route("/threads/runs", resource(post(runs::create_with_thread)))
        .route("/threads/{thread}", resource(thread))
        .route("/threads/{thread}/messages", resource(get(messages::list).post(messages::create)))
        .route("/threads/{thread}/messages/{message}", resource(message))
        .route("/threads/{thread}/runs", resource(get(runs::list).post(runs::create)))
        .route("/threads/{thread}/runs/{run}", resource(get(runs::retrieve).post(runs::update)))
        .route("/threads/{thread}/runs/{run}/cancel", resource(post(runs::cancel)))
        .route("/threads/{thread}/runs/{run}/submit_tool_outputs", resource(post(runs::submit)))
        .route("/threads/{thread}/runs/{run}/steps", resource(get(runs::steps)))
        .route("/threads/{thread}/runs/{run}/steps/{step}", resource(get(runs::step)))
}

/// Responses and conversations.
fn of_responses() -> Router<Shared> {
    let response = get(responses::retrieve).delete(responses::delete);
    let conversation =
        get(conversations::retrieve).post(conversations::update).delete(conversations::delete);
    let items = get(conversations::items).post(conversations::create_items);
    let item = get(conversations::item).delete(conversations::delete_item);
    Router::new()
        .route("/responses", resource(post(responses::create)))
        .route("/responses/{response}", resource(response))
        .route("/responses/{response}/cancel", resource(post(responses::cancel)))
        .route("/responses/{response}/input_items", resource(get(responses::input_items)))
        .route("/conversations", resource(post(conversations::create)))
        .route("/conversations/{conversation}", resource(conversation))
        .route("/conversations/{conversation}/items", resource(items))
        .route("/conversations/{conversation}/items/{item}", resource(item))
}

/// A path, with an answer for the methods that it does not have.
fn resource(methods: MethodRouter<Shared>) -> MethodRouter<Shared> {
    methods.fallback(unknown_method)
}

async fn unknown_path(OriginalUri(uri): OriginalUri, method: Method) -> ApiError {
    let message = format!(
        "Unknown request URL: {method} {}. The paths of the server begin with /v1; \
         docs/server.md lists them.",
        uri.path()
    );
    ApiError::new(Kind::NotFound, message).code("unknown_url")
}

async fn unknown_method(OriginalUri(uri): OriginalUri, request: Request) -> ApiError {
    let message = format!("Not allowed to {} on {}.", request.method(), uri.path());
    ApiError::new(Kind::Method, message).code("method_not_allowed")
}
