//! `/v1/threads`.

use axum::Json;
use ddg_agentic::assistants::{Deleted, Thread, metadata_of};

use crate::error::ApiError;
use crate::http::body;
use crate::http::owner::Owner;
use crate::http::path::Ids;

pub(super) async fn create(
    Owner(tenant): Owner,
    body: body::Json,
) -> Result<Json<Thread>, ApiError> {
    Ok(Json(tenant.create_thread(body.read()?).await?))
}

pub(super) async fn retrieve(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Thread>, ApiError> {
    Ok(Json(tenant.thread(&id).await?))
}

pub(super) async fn update(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    body: body::Json,
) -> Result<Json<Thread>, ApiError> {
    Ok(Json(tenant.update_thread(&id, metadata_of(body.0)?).await?))
}

pub(super) async fn delete(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Deleted>, ApiError> {
    Ok(Json(tenant.delete_thread(&id).await?))
}
