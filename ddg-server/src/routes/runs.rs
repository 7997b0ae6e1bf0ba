//! `/v1/threads/runs`, `/v1/threads/{thread}/runs`, and the steps of runs.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ddg_agentic::assistants::{
    Page, Run, RunParams, RunStep, StartedRun, ToolOutputParams, metadata_of,
};

use crate::error::ApiError;
use crate::http::body;
use crate::http::events::{self, Surface};
use crate::http::owner::Owner;
use crate::http::path::Ids;
use crate::http::query::Query;
use crate::state::Shared;

/// How long a client that polls waits, in milliseconds. The official clients take it from a header,
/// and wait for 1 s without.
pub(super) const POLL_AFTER: (&str, &str) = ("openai-poll-after-ms", "250");

/// A run, or its events if the client asks for them.
fn started(server: &Shared, started: StartedRun, stream: bool) -> Response {
    let StartedRun { run, events, .. } = started;
    match stream {
        true => events::reply(server, events, Surface::Threads),
        false => Json(run).into_response(),
    }
}

pub(super) async fn create(
    State(server): State<Shared>,
    Owner(tenant): Owner,
    Ids(thread): Ids<String>,
    body: body::Json,
) -> Result<Response, ApiError> {
    let params: RunParams = body.read()?;
    let stream = params.stream;
    Ok(started(&server, tenant.create_run(&thread, params).await?, stream))
}

pub(super) async fn create_with_thread(
    State(server): State<Shared>,
    Owner(tenant): Owner,
    body: body::Json,
) -> Result<Response, ApiError> {
    let params = RunParams::with_thread(body.0)?;
    let stream = params.stream;
    Ok(started(&server, tenant.create_thread_and_run(params).await?, stream))
}

pub(super) async fn list(
    Owner(tenant): Owner,
    Ids(thread): Ids<String>,
    query: Query,
) -> Result<Json<Page<Run>>, ApiError> {
    Ok(Json(tenant.list_runs(&thread, &query.paging()?).await?))
}

/// A run, or with `stream=true` its events: from the start, or after one of them.
pub(super) async fn retrieve(
    State(server): State<Shared>,
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let run = tenant.retrieve_run(&thread, &id).await?;
    if query.flag("stream")? {
        let events = tenant.run(&id).events(events::after(&query, &headers)?).await?;
        return Ok(events::reply(&server, events, Surface::Threads));
    }
    Ok(match run.status.is_terminal() {
        true => Json(run).into_response(),
        false => ([POLL_AFTER], Json(run)).into_response(),
    })
}

pub(super) async fn update(
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
    body: body::Json,
) -> Result<Json<Run>, ApiError> {
    Ok(Json(tenant.update_run(&thread, &id, metadata_of(body.0)?).await?))
}

pub(super) async fn cancel(
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
) -> Result<Json<Run>, ApiError> {
    Ok(Json(tenant.cancel_run(&thread, &id).await?))
}

pub(super) async fn submit(
    State(server): State<Shared>,
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
    body: body::Json,
) -> Result<Response, ApiError> {
    let (outputs, stream) = ToolOutputParams::read(body.0)?;
    Ok(started(&server, tenant.submit_tool_outputs(&thread, &id, outputs).await?, stream))
}

pub(super) async fn steps(
    Owner(tenant): Owner,
    Ids((thread, run)): Ids<(String, String)>,
    query: Query,
) -> Result<Json<Page<RunStep>>, ApiError> {
    Ok(Json(tenant.list_steps(&thread, &run, &query.paging()?).await?))
}

pub(super) async fn step(
    Owner(tenant): Owner,
    Ids((thread, run, id)): Ids<(String, String, String)>,
) -> Result<Json<RunStep>, ApiError> {
    Ok(Json(tenant.step(&thread, &run, &id).await?))
}
