//! `/v1/threads/{thread}/messages`.

use axum::Json;
use ddg_agentic::assistants::{Deleted, Message, Page, metadata_of};

use crate::error::ApiError;
use crate::http::body;
use crate::http::owner::Owner;
use crate::http::path::Ids;
use crate::http::query::Query;

pub(super) async fn create(
    Owner(tenant): Owner,
    Ids(thread): Ids<String>,
    body: body::Json,
) -> Result<Json<Message>, ApiError> {
    Ok(Json(tenant.create_message(&thread, body.read()?).await?))
}

pub(super) async fn list(
    Owner(tenant): Owner,
    Ids(thread): Ids<String>,
    query: Query,
) -> Result<Json<Page<Message>>, ApiError> {
    Ok(Json(tenant.list_messages(&thread, query.text("run_id"), &query.paging()?).await?))
}

pub(super) async fn retrieve(
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
) -> Result<Json<Message>, ApiError> {
    Ok(Json(tenant.message(&thread, &id).await?))
}

pub(super) async fn update(
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
    body: body::Json,
) -> Result<Json<Message>, ApiError> {
    Ok(Json(tenant.update_message(&thread, &id, metadata_of(body.0)?).await?))
}

pub(super) async fn delete(
    Owner(tenant): Owner,
    Ids((thread, id)): Ids<(String, String)>,
) -> Result<Json<Deleted>, ApiError> {
    Ok(Json(tenant.delete_message(&thread, &id).await?))
}
