//! `/v1/assistants`.

use axum::Json;
use ddg_agentic::assistants::{Assistant, Deleted, Page};

use crate::error::ApiError;
use crate::http::body;
use crate::http::owner::Owner;
use crate::http::path::Ids;
use crate::http::query::Query;

pub(super) async fn create(
    Owner(tenant): Owner,
    body: body::Json,
) -> Result<Json<Assistant>, ApiError> {
    Ok(Json(tenant.create_assistant(body.read()?).await?))
}

pub(super) async fn list(
    Owner(tenant): Owner,
    query: Query,
) -> Result<Json<Page<Assistant>>, ApiError> {
    Ok(Json(tenant.list_assistants(&query.paging()?).await?))
}

pub(super) async fn retrieve(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Assistant>, ApiError> {
    Ok(Json(tenant.assistant(&id).await?))
}

pub(super) async fn update(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    body: body::Json,
) -> Result<Json<Assistant>, ApiError> {
    Ok(Json(tenant.update_assistant(&id, body.read()?).await?))
}

pub(super) async fn delete(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Deleted>, ApiError> {
    Ok(Json(tenant.delete_assistant(&id).await?))
}
