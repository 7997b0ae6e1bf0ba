//! `/v1/responses`.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ddg_agentic::assistants::{self, Deleted, Item, Page, ResponseParams, StartedResponse};

use crate::error::ApiError;
use crate::http::body;
use crate::http::events::{self, Surface};
use crate::http::owner::Owner;
use crate::http::path::Ids;
use crate::http::query::Query;
use crate::state::Shared;

/// Creates a response, and replies with its events, with the response as it ends, or at once.
pub(super) async fn create(
    State(server): State<Shared>,
    Owner(tenant): Owner,
    body: body::Json,
) -> Result<Response, ApiError> {
    let params: ResponseParams = body.read()?;
    let (stream, background) = (params.stream, params.background);
    // The events are held until the reply is known: a response that is not stored is there as long
    // as they are read.
    let StartedResponse { response, events, .. } = tenant.create_response(params).await?;
    if stream {
        return Ok(events::reply(&server, events, Surface::Responses));
    }
    if background {
        return Ok(Json(response).into_response());
    }
    let ended = tenant.response_outcome(&response.id).await?;
    drop(events);
    Ok(Json(ended).into_response())
}

/// A response, or with `stream=true` its events: from the start, or after one of them.
pub(super) async fn retrieve(
    State(server): State<Shared>,
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if query.flag("stream")? {
        let events = tenant.response_events(&id, events::after(&query, &headers)?).await?;
        return Ok(events::reply(&server, events, Surface::Responses));
    }
    Ok(Json(tenant.response(&id).await?).into_response())
}

pub(super) async fn cancel(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<assistants::Response>, ApiError> {
    Ok(Json(tenant.cancel_response(&id).await?))
}

pub(super) async fn delete(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Deleted>, ApiError> {
    Ok(Json(tenant.delete_response(&id).await?))
}

pub(super) async fn input_items(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    query: Query,
) -> Result<Json<Page<Item>>, ApiError> {
    Ok(Json(tenant.list_input_items(&id, &query.paging()?).await?))
}
